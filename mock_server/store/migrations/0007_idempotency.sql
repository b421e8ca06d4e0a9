-- Refusals are kept under an idempotency key, too; keys that requests hold while they are delayed.

ALTER TABLE idempotency_keys RENAME TO old_idempotency_keys;
DROP INDEX idempotency_keys_age;
CREATE TABLE idempotency_keys (
    site VARCHAR NOT NULL,
    "key" VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    status INTEGER NOT NULL,
    PRIMARY KEY (site, "key")
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (site, created_at);
INSERT INTO idempotency_keys
    SELECT site, "key", fingerprint, body, created_at, 200 FROM old_idempotency_keys;
DROP TABLE old_idempotency_keys;

CREATE TABLE idempotency_holds (
    site VARCHAR NOT NULL,
    "key" VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL,
    until FLOAT NOT NULL,
    PRIMARY KEY (site, "key")
);
