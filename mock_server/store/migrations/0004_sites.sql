-- Sites that are reset, deleted and restored: data keys, keys of their own, seeds, snapshots.

ALTER TABLE sites ADD COLUMN data_key VARCHAR;
ALTER TABLE sites ADD COLUMN api_key VARCHAR;
ALTER TABLE sites ADD COLUMN seed VARCHAR;
UPDATE sites SET data_key = name,
    api_key = CASE WHEN name LIKE '%-test' THEN 'test_' ELSE 'live_' END || lower(hex(randomblob(16)));
CREATE UNIQUE INDEX sites_data_key ON sites (data_key);
CREATE UNIQUE INDEX sites_api_key ON sites (api_key);

ALTER TABLE api_keys RENAME TO old_api_keys;
CREATE TABLE api_keys (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    secret VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    opens VARCHAR,
    PRIMARY KEY (seq),
    UNIQUE (site, secret)
);
INSERT INTO api_keys (site, secret, name, role, opens)
    SELECT s.name, k.secret, k.name, k.role, k.site FROM sites AS s, old_api_keys AS k;
DROP TABLE old_api_keys;
CREATE INDEX api_keys_bound ON api_keys (secret) WHERE opens IS NOT NULL;

CREATE TABLE snapshots (
    seq INTEGER NOT NULL,
    of_site VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    data_key VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (seq),
    UNIQUE (of_site, name)
);

CREATE TABLE discarded (
    data_key VARCHAR NOT NULL,
    PRIMARY KEY (data_key)
);
