"""Every table, as SQLModel declares it: the definition of record.

`migrations/` makes these tables without importing SQLModel, which costs more start-up time than
the rest of the server together; a test holds the two against each other. Columns that end in a
resource's nested attributes hold JSON. `seq` orders rows that share a second. A column `site` has
the site's data key: what such a table holds is reset, copied and removed with it (`data_keys`).
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel


def _listed(name: str, time: str = "created_at") -> Index:
    """What a table needs whose rows are listed by site, the latest first."""
    return Index(f"{name}_listed", "site", time, "seq")


def _identified() -> UniqueConstraint:
    """What a table needs whose rows are found by their id."""
    return UniqueConstraint("site", "id")


def _partial(name: str, condition: str, *columns: str) -> Index:
    """An index of only those rows for which the condition holds."""
    where = text(condition)
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


class MigrationRow(SQLModel, table=True):
    """A file of `migrations/` that this database has had."""

    __tablename__: ClassVar[str] = "migrations"

    name: str = Field(primary_key=True)


class SiteRow(SQLModel, table=True):
    """`clock_offset` and `clock_frozen_at` are the site's `clock.Clock`; None runs as usual.

    `data_key` is what the site's rows are kept under; it is always set. `api_key` opens only this
    site. `seed` is the site's own as JSON; None where it has the server's. `id_seed` is what its
    ids come from; None where they are to be like no others. What the other columns hold is part of
    the site's snapshots: `ids_made` counts the ids that came from the seed.
    """

    __tablename__: ClassVar[str] = "sites"
    __table_args__ = (
        Index("sites_data_key", "data_key", unique=True),
        Index("sites_api_key", "api_key", unique=True),
    )

    name: str = Field(primary_key=True)
    created_at: int
    last_invoice_number: int = 0
    clock_offset: float | None = None
    clock_frozen_at: float | None = None
    data_key: str | None = None
    api_key: str | None = None
    seed: str | None = None
    id_seed: str | None = None
    ids_made: int | None = None


class SnapshotRow(SQLModel, table=True):
    """A copy of a site's rows under a `data_key` of its own, and the site's `state` as JSON."""

    __tablename__: ClassVar[str] = "snapshots"
    __table_args__ = (UniqueConstraint("of_site", "name"),)

    seq: int | None = Field(default=None, primary_key=True)
    of_site: str
    name: str
    data_key: str
    state: str
    created_at: int


class DiscardedRow(SQLModel, table=True):
    """A data key that nothing has any more; its rows are removed little by little.

    With `kept_until`, in seconds since 1970, something may still get it until then.
    """

    __tablename__: ClassVar[str] = "discarded"

    data_key: str = Field(primary_key=True)
    kept_until: float | None = None


class ApiKeyRow(SQLModel, table=True):
    """A key that the site's seed declares; `opens` names the only site that it opens, if any."""

    __tablename__: ClassVar[str] = "api_keys"
    __table_args__ = (
        UniqueConstraint("site", "secret"),
        _partial("api_keys_bound", "opens IS NOT NULL", "secret"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    secret: str
    name: str
    role: str
    opens: str | None = None


class CustomerRow(SQLModel, table=True):
    __tablename__: ClassVar[str] = "customers"
    __table_args__ = (_identified(), _listed("customers"))

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    company: str | None = None
    vat_number: str | None = None
    auto_collection: str
    allow_direct_debit: bool
    created_at: int
    created_from_ip: str | None = None
    taxability: str | None = None
    billing_address: str | None = None
    contacts: str | None = None
    payment_method: str | None = None
    invoice_notes: str | None = None
    account_credits: int
    refundable_credits: int
    excess_payments: int
    meta_data: str | None = None


class InvoiceRow(SQLModel, table=True):
    __tablename__: ClassVar[str] = "invoices"
    __table_args__ = (
        _identified(),
        _listed("invoices"),
        Index("invoices_paid", "site", "paid_on"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    id: str
    created_at: int
    customer_id: str
    subscription_id: str | None = None
    recurring: bool
    status: str
    start_date: int
    end_date: int | None = None
    po_number: str | None = None
    vat_number: str | None = None
    price_type: str
    currency_code: str
    tax: int
    sub_total: int
    amount: int | None = None
    amount_due: int | None = None
    amount_adjusted: int | None = None
    amount_paid: int | None = None
    paid_on: int | None = None
    credits_applied: int | None = None
    dunning_status: str | None = None
    next_retry: int | None = None
    first_invoice: bool | None = None
    line_items: str | None = None
    discounts: str | None = None
    taxes: str | None = None
    linked_transactions: str | None = None
    notes: str | None = None
    shipping_address: str | None = None
    billing_address: str | None = None


class OrderRow(SQLModel, table=True):
    __tablename__: ClassVar[str] = "orders"
    __table_args__ = (
        _identified(),
        _listed("orders"),
        Index("orders_of_invoice", "site", "invoice_id", "created_at", "seq"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    id: str
    invoice_id: str
    status: str
    reference_id: str | None = None
    fulfillment_status: str | None = None
    note: str | None = None
    tracking_id: str | None = None
    batch_id: str | None = None
    created_by: str
    created_at: int
    status_update_at: int
    currency_code: str
    shipping_address: str | None = None


class EventRow(SQLModel, table=True):
    __tablename__: ClassVar[str] = "events"
    __table_args__ = (_identified(), _listed("events", "occurred_at"))

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    id: str
    occurred_at: int
    source: str
    user: str | None = None
    event_type: str
    api_version: str
    webhook_status: str
    content: str
    origin_ip: str | None = None
    origin_device: str | None = None
    origin_user: str | None = None
    webhook_failure_reason: str | None = None


class WebhookEndpointRow(SQLModel, table=True):
    """Where webhooks go; one without a `url` only records them."""

    __tablename__: ClassVar[str] = "webhook_endpoints"
    __table_args__ = (_identified(), _listed("webhook_endpoints"))

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    id: str
    name: str
    url: str | None = None
    primary_url: bool
    disabled: bool
    api_version: str
    enabled_events: str | None = None
    basic_auth_username: str | None = None
    basic_auth_password: str | None = None
    chaos: str | None = None
    created_at: int


class WebhookRow(SQLModel, table=True):
    """One event for one endpoint; the `id` is made of the event's, which finds it.

    `due_at` is when it is delivered next, on the site's clock; None where it is not. `retries`
    counts the failures since it was last scheduled, `attempts` every call that was made.
    `copies` are further deliveries after the first success. `unreached` says that the last
    attempt found nobody at the endpoint's address.
    """

    __tablename__: ClassVar[str] = "webhooks"
    __table_args__ = (
        _listed("webhooks"),
        Index("webhooks_of_event", "site", "event_id"),
        _partial(
            "webhooks_due", "due_at IS NOT NULL", "site", "webhook_endpoint_id", "due_at", "seq"
        ),
        _partial("webhooks_unreached", "unreached", "site", "webhook_endpoint_id", "seq"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    id: str
    event_id: str
    event_type: str
    order_id: str | None = None
    webhook_endpoint_id: str
    webhook_status: str
    webhook_failure_reason: str | None = None
    created_at: int
    due_at: float | None = None
    attempts: int
    retries: int
    copies: int
    unreached: bool


class WebhookAttemptRow(SQLModel, table=True):
    """One call of an endpoint: `status` is None where there was no answer."""

    __tablename__: ClassVar[str] = "webhook_attempts"
    __table_args__ = (Index("webhook_attempts_of_webhook", "site", "webhook_id", "seq"),)

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    webhook_id: str
    number: int
    attempted_at: float
    duration_us: int
    request_url: str
    request_headers: str
    request_body: str
    status: int | None = None
    failure_reason: str | None = None
    response_headers: str | None = None
    response_body: str | None = None


class EmailRow(SQLModel, table=True):
    __tablename__: ClassVar[str] = "emails"
    __table_args__ = (
        _listed("emails"),
        Index("emails_of_event", "site", "event_id"),
        _partial("emails_scheduled", "email_status = 'scheduled'", "seq"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    id: str
    event_id: str
    order_id: str | None = None
    recipient: str
    subject: str
    body: str
    email_status: str
    failure_reason: str | None = None
    created_at: int


class IdempotencyKeyRow(SQLModel, table=True):
    """The answer that a repeat of a request under the same key gets."""

    __tablename__: ClassVar[str] = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_age", "site", "created_at"),)

    site: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str
    body: str
    created_at: int
    status: int


class IdempotencyHoldRow(SQLModel, table=True):
    """A key that a delayed request holds: until when, in seconds of the machine's clock."""

    __tablename__: ClassVar[str] = "idempotency_holds"

    site: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_id: str
    until: float


class RequestRow(SQLModel, table=True):
    """The journal: a request and its answer.

    `position` is how many bytes the journal has kept up to and with this request.
    """

    __tablename__: ClassVar[str] = "requests"
    __table_args__ = (_listed("requests"), Index("requests_position", "position"))

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    id: str
    created_at: int
    method: str
    path: str
    query: str
    headers: str
    body: str
    operation: str | None = None
    key_name: str | None = None
    status: int
    answer: str
    duration_us: int
    remarks: str
    started_at: float | None = None
    ignored_params: str | None = None
    answer_headers: str | None = None
    position: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})


class FaultRow(SQLModel, table=True):
    """A rule of `sandbox.faults` as JSON, with how often it matched a request, and fired."""

    __tablename__: ClassVar[str] = "faults"
    __table_args__ = (_identified(),)

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    id: str
    rule: str
    matched: int
    fired: int
    created_at: int


class RateLimitRow(SQLModel, table=True):
    """A site that answers so many requests in so many seconds; a site without has no limit."""

    __tablename__: ClassVar[str] = "rate_limits"

    site: str = Field(primary_key=True)
    requests: int
    seconds: int


class RateLimitCallRow(SQLModel, table=True):
    """A request that counts against its site's limit; `at` is on the site's clock."""

    __tablename__: ClassVar[str] = "rate_limit_calls"
    __table_args__ = (Index("rate_limit_calls_of_site", "site", "at"),)

    seq: int | None = Field(default=None, primary_key=True)
    site: str
    at: float
