-- Orders, what they refer to, and what follows from them.

CREATE TABLE sites (
    name VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    last_invoice_number INTEGER NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE api_keys (
    secret VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    site VARCHAR,
    PRIMARY KEY (secret)
);

CREATE TABLE customers (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    first_name VARCHAR,
    last_name VARCHAR,
    email VARCHAR,
    phone VARCHAR,
    company VARCHAR,
    vat_number VARCHAR,
    auto_collection VARCHAR NOT NULL,
    allow_direct_debit BOOLEAN NOT NULL,
    created_at INTEGER NOT NULL,
    created_from_ip VARCHAR,
    taxability VARCHAR,
    billing_address VARCHAR,
    contacts VARCHAR,
    payment_method VARCHAR,
    invoice_notes VARCHAR,
    account_credits INTEGER NOT NULL,
    refundable_credits INTEGER NOT NULL,
    excess_payments INTEGER NOT NULL,
    meta_data VARCHAR,
    PRIMARY KEY (seq),
    UNIQUE (site, id)
);
CREATE INDEX customers_listed ON customers (site, created_at, seq);

CREATE TABLE invoices (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    customer_id VARCHAR NOT NULL,
    subscription_id VARCHAR,
    recurring BOOLEAN NOT NULL,
    status VARCHAR NOT NULL,
    start_date INTEGER NOT NULL,
    end_date INTEGER,
    po_number VARCHAR,
    vat_number VARCHAR,
    price_type VARCHAR NOT NULL,
    currency_code VARCHAR NOT NULL,
    tax INTEGER NOT NULL,
    sub_total INTEGER NOT NULL,
    amount INTEGER,
    amount_due INTEGER,
    amount_adjusted INTEGER,
    amount_paid INTEGER,
    paid_on INTEGER,
    credits_applied INTEGER,
    dunning_status VARCHAR,
    next_retry INTEGER,
    first_invoice BOOLEAN,
    line_items VARCHAR,
    discounts VARCHAR,
    taxes VARCHAR,
    linked_transactions VARCHAR,
    notes VARCHAR,
    shipping_address VARCHAR,
    billing_address VARCHAR,
    PRIMARY KEY (seq),
    UNIQUE (site, id)
);
CREATE INDEX invoices_listed ON invoices (site, created_at, seq);
CREATE INDEX invoices_paid ON invoices (site, paid_on);

CREATE TABLE orders (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    invoice_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    reference_id VARCHAR,
    fulfillment_status VARCHAR,
    note VARCHAR,
    tracking_id VARCHAR,
    batch_id VARCHAR,
    created_by VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    status_update_at INTEGER NOT NULL,
    currency_code VARCHAR NOT NULL,
    shipping_address VARCHAR,
    PRIMARY KEY (seq),
    UNIQUE (site, id)
);
CREATE INDEX orders_listed ON orders (site, created_at, seq);
CREATE INDEX orders_of_invoice ON orders (site, invoice_id, created_at, seq);

CREATE TABLE events (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    occurred_at INTEGER NOT NULL,
    source VARCHAR NOT NULL,
    user VARCHAR,
    event_type VARCHAR NOT NULL,
    api_version VARCHAR NOT NULL,
    webhook_status VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    origin_ip VARCHAR,
    origin_device VARCHAR,
    origin_user VARCHAR,
    PRIMARY KEY (seq),
    UNIQUE (site, id)
);
CREATE INDEX events_listed ON events (site, occurred_at, seq);

CREATE TABLE webhook_endpoints (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    url VARCHAR,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (seq),
    UNIQUE (site, id)
);
CREATE INDEX webhook_endpoints_listed ON webhook_endpoints (site, created_at, seq);

CREATE TABLE webhooks (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    webhook_endpoint_id VARCHAR NOT NULL,
    webhook_status VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX webhooks_listed ON webhooks (site, created_at, seq);
CREATE INDEX webhooks_of_event ON webhooks (site, event_id);

CREATE TABLE emails (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    recipient VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX emails_listed ON emails (site, created_at, seq);
CREATE INDEX emails_of_event ON emails (site, event_id);

CREATE TABLE idempotency_keys (
    site VARCHAR NOT NULL,
    "key" VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (site, "key")
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE requests (
    seq INTEGER NOT NULL,
    site VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    created_at INTEGER NOT NULL,
    method VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    "query" VARCHAR NOT NULL,
    headers VARCHAR NOT NULL,
    body VARCHAR NOT NULL,
    operation VARCHAR,
    key_name VARCHAR,
    status INTEGER NOT NULL,
    answer VARCHAR NOT NULL,
    duration_us INTEGER NOT NULL,
    remarks VARCHAR NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX requests_listed ON requests (site, created_at, seq);
