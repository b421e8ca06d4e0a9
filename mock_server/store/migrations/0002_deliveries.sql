-- Webhooks and e-mails that leave: their endpoints, attempts and outcomes; a clock for each site.

ALTER TABLE sites ADD COLUMN clock_offset FLOAT;
ALTER TABLE sites ADD COLUMN clock_frozen_at FLOAT;

DROP INDEX idempotency_keys_age;
CREATE INDEX idempotency_keys_age ON idempotency_keys (site, created_at);

ALTER TABLE events ADD COLUMN webhook_failure_reason VARCHAR;

ALTER TABLE webhook_endpoints RENAME TO old_webhook_endpoints;
CREATE TABLE webhook_endpoints (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    url VARCHAR,
    primary_url BOOLEAN NOT NULL,
    disabled BOOLEAN NOT NULL,
    api_version VARCHAR NOT NULL,
    enabled_events VARCHAR,
    basic_auth_username VARCHAR,
    basic_auth_password VARCHAR,
    chaos VARCHAR,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (seq),
    UNIQUE (site, id)
);
INSERT INTO webhook_endpoints (seq, site, id, name, url, primary_url, disabled, api_version, created_at)
    SELECT seq, site, id, name, url, 0, 0, 'v1', created_at FROM old_webhook_endpoints;
DROP TABLE old_webhook_endpoints;
CREATE INDEX webhook_endpoints_listed ON webhook_endpoints (site, created_at, seq);

ALTER TABLE webhooks RENAME TO old_webhooks;
CREATE TABLE webhooks (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    event_type VARCHAR NOT NULL,
    order_id VARCHAR,
    webhook_endpoint_id VARCHAR NOT NULL,
    webhook_status VARCHAR NOT NULL,
    webhook_failure_reason VARCHAR,
    created_at INTEGER NOT NULL,
    due_at FLOAT,
    attempts INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    copies INTEGER NOT NULL,
    unreached BOOLEAN NOT NULL,
    PRIMARY KEY (seq)
);
INSERT INTO webhooks
    SELECT w.seq, w.site, 'wh_' || substr(w.event_id, 4) || '_1', w.event_id, e.event_type, json_extract(e.content, '$.order.id'),
        w.webhook_endpoint_id, w.webhook_status, NULL, w.created_at, NULL, 0, 0, 0, 0
    FROM old_webhooks AS w JOIN events AS e ON e.site = w.site AND e.id = w.event_id;
DROP TABLE old_webhooks;
CREATE INDEX webhooks_listed ON webhooks (site, created_at, seq);
CREATE INDEX webhooks_of_event ON webhooks (site, event_id);
CREATE INDEX webhooks_due ON webhooks (site, webhook_endpoint_id, due_at, seq) WHERE due_at IS NOT NULL;
CREATE INDEX webhooks_unreached ON webhooks (site, webhook_endpoint_id, seq) WHERE unreached;

CREATE TABLE webhook_attempts (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    webhook_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    attempted_at FLOAT NOT NULL,
    duration_us INTEGER NOT NULL,
    request_url VARCHAR NOT NULL,
    request_headers VARCHAR NOT NULL,
    request_body VARCHAR NOT NULL,
    status INTEGER,
    failure_reason VARCHAR,
    response_headers VARCHAR,
    response_body VARCHAR,
    PRIMARY KEY (seq)
);
CREATE INDEX webhook_attempts_of_webhook ON webhook_attempts (site, webhook_id, seq);

ALTER TABLE emails RENAME TO old_emails;
CREATE TABLE emails (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    order_id VARCHAR,
    recipient VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    email_status VARCHAR NOT NULL,
    failure_reason VARCHAR,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (seq)
);
INSERT INTO emails
    SELECT m.seq, m.site, m.id, m.event_id, json_extract(e.content, '$.order.id'),
        m.recipient, m.subject, m.body, 'recorded', NULL, m.created_at
    FROM old_emails AS m JOIN events AS e ON e.site = m.site AND e.id = m.event_id;
DROP TABLE old_emails;
CREATE INDEX emails_listed ON emails (site, created_at, seq);
CREATE INDEX emails_of_event ON emails (site, event_id);
CREATE INDEX emails_scheduled ON emails (seq) WHERE email_status = 'scheduled';
