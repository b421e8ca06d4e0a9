"""Each error that the API gives a caller of an SDK, as every SDK has to report it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Refusal:
    """A call that is refused, and what the SDK's error says: `type` is what it goes by.

    `call` is the SDK's own name, such as `order.create`.
    """

    call: str
    arguments: tuple[Any, ...]
    status: int
    api_error_code: str
    param: str | None = None
    type: str | None = "invalid_request"
    headers: dict[str, str] = field(default_factory=dict)
    key: str = "test_key"


INVOICE: Final = {"invoice_id": "__demo_inv__1"}
TAKEN: Final = {"id": "taken", **INVOICE}
"""An order that exists before each call."""
KEYED: Final = {"chargebee-idempotency-key": "taken"}
"""The idempotency key under which it was created."""

REFUSALS: Final = {
    "a required parameter is missing": Refusal(
        "order.create", ({"note": "x"},), 400, "param_wrong_value", "invoice_id"
    ),
    "a value is not one of the allowed": Refusal(
        "order.create", ({**INVOICE, "status": "lost"},), 400, "param_wrong_value", "status"
    ),
    "a value is too long": Refusal(
        "order.update", ("taken", {"note": "x" * 601}), 400, "param_wrong_value", "note"
    ),
    "a value inside a group is malformed": Refusal(
        "order.update",
        ("taken", {"shipping_address": {"email": "ada"}}),
        400,
        "param_wrong_value",
        "shipping_address[email]",
    ),
    "a parameter of a list is out of range": Refusal(
        "order.list", ({"limit": 101},), 400, "param_wrong_value", "limit"
    ),
    "the id is taken": Refusal("order.create", (TAKEN,), 400, "duplicate_entry", "id"),
    "the key is unknown": Refusal(
        "order.list", ({},), 401, "api_authentication_failed", type=None, key="nonsense"
    ),
    "the key may not write": Refusal(
        "order.create", (INVOICE,), 403, "api_authorization_failed", type=None, key="test_read_only"
    ),
    "an id that a parameter names is unknown": Refusal(
        "order.create", ({"invoice_id": "nothing"},), 404, "resource_not_found", "invoice_id"
    ),
    "an id in the path is unknown": Refusal(
        "order.retrieve", ("nothing",), 404, "resource_not_found"
    ),
    "the operation is not there yet": Refusal(
        "subscription.retrieve", ("nothing",), 501, "not_implemented", type="operation_failed"
    ),
    "the body is too long": Refusal(
        "order.create", ({**INVOICE, "note": "x" * 2**20},), 413, "invalid_request"
    ),
    "the idempotency key is another request's": Refusal(
        "order.create", (INVOICE,), 422, "unable_to_process_request", headers=KEYED
    ),
}
