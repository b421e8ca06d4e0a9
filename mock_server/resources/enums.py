"""Values that attributes and parameters of several resources take, as v1's spec lists them."""

from __future__ import annotations

from typing import Literal, TypeAlias

OrderStatus: TypeAlias = Literal["new", "processing", "complete", "cancelled", "voided"]

PaymentMethodType: TypeAlias = Literal[
    "card", "paypal_express_checkout", "amazon_payments", "direct_debit", "automated_bank_transfer"
]

Gateway: TypeAlias = Literal[
    "chargebee",
    "stripe",
    "braintree",
    "authorize_net",
    "paypal_pro",
    "pin",
    "eway",
    "eway_rapid",
    "worldpay",
    "balanced_payments",
    "beanstream",
    "bluepay",
    "elavon",
    "first_data_global",
    "hdfc",
    "migs",
    "nmi",
    "ogone",
    "paymill",
    "paypal_payflow_pro",
    "sage_pay",
    "tco",
    "wirecard",
    "not_applicable",
]

Source: TypeAlias = Literal[
    "admin_console",
    "api",
    "scheduled_job",
    "hosted_page",
    "portal",
    "system",
    "none",
    "js_api",
    "migration",
    "bulk_operation",
]

WebhookStatus: TypeAlias = Literal[
    "not_configured",
    "scheduled",
    "succeeded",
    "re_scheduled",
    "failed",
    "skipped",
    "not_applicable",
    "disabled",
    "rate_limited",
]

EventType: TypeAlias = Literal[
    "customer_created",
    "customer_changed",
    "customer_deleted",
    "subscription_created",
    "subscription_started",
    "subscription_trial_ending",
    "subscription_activated",
    "subscription_changed",
    "subscription_trial_extended",
    "subscription_cancellation_scheduled",
    "subscription_cancelling",
    "subscription_cancelled",
    "subscription_reactivated",
    "subscription_renewed",
    "subscription_scheduled_cancellation_removed",
    "subscription_shipping_address_updated",
    "subscription_deleted",
    "invoice_created",
    "invoice_generated",
    "invoice_updated",
    "invoice_deleted",
    "subscription_renewal_reminder",
    "transaction_created",
    "transaction_updated",
    "transaction_deleted",
    "payment_succeeded",
    "payment_failed",
    "payment_refunded",
    "payment_initiated",
    "refund_initiated",
    "card_added",
    "card_updated",
    "card_expiring",
    "card_expired",
    "card_deleted",
    # Not in v1's spec: what the sandbox records of orders (docs/fidelity.md, an assumption).
    "order_created",
    "order_updated",
]
