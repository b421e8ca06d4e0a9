-- Injected faults and the limit of requests.

CREATE TABLE faults (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    matched INTEGER NOT NULL,
    fired INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (seq),
    UNIQUE (site, id)
);

CREATE TABLE rate_limits (
    site VARCHAR NOT NULL,
    requests INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    PRIMARY KEY (site)
);

CREATE TABLE rate_limit_calls (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX rate_limit_calls_of_site ON rate_limit_calls (site, at);
