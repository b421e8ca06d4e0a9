"""The time of a site."""

from __future__ import annotations

from datetime import datetime

from pytest_chargebee_mock.handles.calls import Handle, Json, Mode, Steps, attribute, method
from pytest_chargebee_mock.handles.webhooks import all_delivered


class SiteClock(Handle[Mode]):
    """Each move returns when the webhooks that fell due with it have been delivered.

    UndeliveredError where they were not within `wait` seconds, unless these are 0: then the move
    does not wait for them.
    """

    @attribute
    def now(self) -> Steps[float]:
        """Seconds since 1970."""
        now: float = (yield self._mock("GET", "/clock"))["now"]
        return now

    @method
    def freeze(self, at: float | datetime | None = None, *, wait: float = 10) -> Steps[Json]:
        """Stop it, now or at another time."""
        return (yield from self._move("freeze", {} if at is None else {"at": _moment(at)}, wait))

    @method
    def set(self, now: float | datetime, *, wait: float = 10) -> Steps[Json]:
        """Make it another time, later or earlier."""
        return (yield from self._move("set", {"now": _moment(now)}, wait))

    @method
    def advance(self, /, *, wait: float = 60, **parts: float) -> Steps[Json]:
        """Let `days`, `hours`, `minutes` and `seconds` pass, with the deliveries in between."""
        return (yield from self._move("advance", parts, wait))

    @method
    def run(self, *, wait: float = 10) -> Steps[Json]:
        """Let it go on from where it stands."""
        return (yield from self._move("run", {}, wait))

    @method
    def reset(self, *, wait: float = 10) -> Steps[Json]:
        """Back to the machine's time."""
        return (yield from self._move("reset", {}, wait))

    def _move(self, verb: str, asked: Json, wait: float) -> Steps[Json]:
        clock = yield self._mock("POST", f"/clock/{verb}", asked, wait=wait)
        if wait:
            yield from all_delivered(self, clock, wait)
        return clock


def _moment(given: float | datetime) -> float | str:
    return given.isoformat() if isinstance(given, datetime) else given
