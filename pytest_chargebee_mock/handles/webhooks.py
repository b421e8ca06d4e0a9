"""A site's webhooks: where they go, what became of them, and having them sent again."""

from __future__ import annotations

from math import inf
from typing import Any, Final

from pytest_chargebee_mock.handles.calls import Blocking, Handle, Json, Mode, Steps, method, only
from pytest_chargebee_mock.handles.errors import UndeliveredError
from pytest_chargebee_mock.handles.printable import printable
from pytest_chargebee_mock.handles.records import Records
from pytest_chargebee_mock.receiver import WebhookReceiver

_TOLD: Final = 20
"""How many webhooks a message tells of."""


class Webhooks(Records[Mode]):
    """The site's webhooks, and where they go."""

    kind = "webhook"

    @method
    def retrieve(self, id: str) -> Steps[Json]:
        """One with every attempt to deliver it."""
        return only((yield self._mock("GET", f"/webhooks/{id}")))

    @method
    def resend(self, id: str, *, wait: float = 10) -> Steps[Json]:
        """Deliver again; returns when that has been tried.

        UndeliveredError where it was not within `wait` seconds, unless they are 0.
        """
        resent = only((yield self._mock("POST", f"/webhooks/{id}/resend", wait=wait)))
        if wait and resent["webhook_status"] == "scheduled":
            raise UndeliveredError(f"still due after {wait:g} s: {_line(resent)}")
        return resent

    @method
    def retry_now(self, *, wait: float = 10) -> Steps[Json]:
        """Try again what waits for its retry; returns when that has been done.

        UndeliveredError where it was not within `wait` seconds, unless they are 0.
        """
        retried = yield self._mock("POST", "/webhooks/retry-now", wait=wait)
        if wait:
            clock = yield self._mock("GET", "/clock")
            yield from all_delivered(self, clock, wait)
        return retried

    @method
    def deliver_to(self, /, url: str | WebhookReceiver, **attributes: Any) -> Steps[Json]:
        """A new endpoint; `attributes` are those of a webhook endpoint.

        A receiver that is given in place of its URL can say what became of what does not arrive.
        """
        receiver = url if isinstance(url, WebhookReceiver) else None
        endpoint = {"name": "test", "url": receiver.url if receiver else url, **attributes}
        made = only((yield self._mock("POST", "/webhook_endpoints", endpoint)))
        if receiver:
            place = self._calls.place

            def explain() -> str:
                calls = Blocking(place)
                try:
                    return Webhooks(calls).told(webhook_endpoint_id=made["id"])
                finally:
                    calls.close()

            receiver.explained_by(explain)
        return made

    @method
    def told(self, /, **filters: Any) -> Steps[str]:
        """The latest webhooks as text, the earliest of them first, with what each attempt said."""
        page = yield self._mock("GET", "/webhooks", **{"limit": _TOLD, **filters})
        lines = []
        for item in reversed(page["list"]):
            id = item["webhook"]["id"]
            lines.append(_line(only((yield self._mock("GET", f"/webhooks/{id}")))))
        return "\n".join(lines)


def all_delivered(handle: Handle[Any], clock: Json, wait: float) -> Steps[None]:
    """UndeliveredError where webhooks of the handle's site are due by its clock.

    `clock` is an answer of /_mock/clock, which came after `wait` seconds.
    """
    due = clock["due"]
    if not due:
        return
    lines = [f"{due} {'webhook is' if due == 1 else 'webhooks are'} still due after {wait:g} s"]
    page = yield handle._mock("GET", "/webhooks", limit=1000)
    webhooks = [item["webhook"] for item in reversed(page["list"])]
    waiting = [each["id"] for each in webhooks if each.get("due_at", inf) <= clock["now"]]
    for id in waiting[:_TOLD]:
        lines.append(f"  {_line(only((yield handle._mock('GET', f'/webhooks/{id}'))))}")
    raise UndeliveredError("\n".join(lines))


def _line(webhook: Json) -> str:
    """What became of a webhook, and what each attempt to deliver it said."""
    line = f"{webhook['event_type']}: {webhook['webhook_status']}"
    for attempt in webhook["delivery_attempts"]:
        said = attempt.get("status") or attempt["failure_reason"]
        line += f"; attempt {attempt['number']} to {attempt['request_url']}: {said}"
    return printable(line if webhook["delivery_attempts"] else f"{line}; not tried")
