"""`/_mock/clock`: a site's time, stopped and moved, with what falls due on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final, TypeAlias

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from mock_server.api.openapi import refusals
from mock_server.clock import Clock
from mock_server.outbox.drain import drained
from mock_server.sandbox.scope import SiteName
from mock_server.store import queue
from mock_server.store.database import Database
from mock_server.store.sites import Sites
from mock_server.wire import errors

_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _moment(given: datetime) -> datetime:
    moment = given if given.tzinfo else given.replace(tzinfo=UTC)
    if not datetime.fromtimestamp(0, UTC) <= moment <= _LATEST:
        raise ValueError("not between 1970 and 2200")
    return moment


def _in_seconds(given: object) -> object:
    if isinstance(given, int | float) and given > _LATEST.timestamp():
        raise ValueError("not between 1970 and 2200")  # which pydantic would take for milliseconds
    return given


Moment: TypeAlias = Annotated[datetime, BeforeValidator(_in_seconds), AfterValidator(_moment)]
"""ISO 8601, UTC unless it says otherwise, or seconds since 1970."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Freeze(_Asked):
    """When the clock is to stand still; now unless `at` says otherwise."""

    at: Moment | None = None


class Setting(_Asked):
    """What time it is to be. A clock that stands still goes on standing still."""

    now: Annotated[Moment, Field(examples=["2030-01-01T12:00:00Z"])]


class Advance(_Asked):
    """How far the clock moves, the parts added up."""

    days: Annotated[float, Field(ge=0)] = 0
    hours: Annotated[float, Field(ge=0)] = 0
    minutes: Annotated[float, Field(ge=0)] = 0
    seconds: Annotated[float, Field(ge=0)] = 0

    @property
    def total(self) -> float:
        hours = 24 * self.days + self.hours
        return 3600 * hours + 60 * self.minutes + self.seconds


class ClockState(BaseModel):
    """A site's time. `due` is how many webhooks are due and not through yet."""

    now: float
    iso: datetime
    frozen: bool
    due: int


Wait: TypeAlias = Annotated[
    float, Query(ge=0, le=300, description="Seconds to wait for the calls that fall due.")
]


def clock(database: Database, sites: Sites) -> APIRouter:
    router = APIRouter(prefix="/clock", tags=["clock"], responses=refusals(400, 404, 409, 503))

    async def moved(name: str, move: Callable[[Clock], Clock], deadline: float) -> ClockState:
        """Move the site's clock, and show it when what is due then has been delivered."""
        await sites.site(name)
        moved = await sites.move_clock(name, move)
        return _state(moved, due=await drained(database, name, deadline))

    @router.get("")
    async def show(site: SiteName) -> ClockState:
        """What time it is on the site."""
        current = (await sites.site(site)).clock
        due = database.read(lambda rows: queue.count_due(rows, site, current.now()))
        return _state(current, due)

    @router.post("/freeze")
    async def freeze(site: SiteName, asked: Freeze | None = None, wait: Wait = 10) -> ClockState:
        """Stop the clock, now or at another time."""

        def stop(clock: Clock) -> Clock:
            return Clock(frozen_at=asked.at.timestamp() if asked and asked.at else clock.now())

        return await moved(site, stop, time.monotonic() + wait)

    @router.post("/set")
    async def set_time(site: SiteName, asked: Setting, wait: Wait = 10) -> ClockState:
        """Move the clock to a time, later or earlier, without stopping on the way."""
        to = asked.now.timestamp()
        return await moved(
            site, lambda clock: clock.moved(to - clock.now()), time.monotonic() + wait
        )

    @router.post("/advance")
    async def advance(site: SiteName, asked: Advance, wait: Wait = 60) -> ClockState:
        """Let time pass: whatever falls due on the way is delivered at its time, in order."""
        deadline = time.monotonic() + wait
        left = asked.total
        while left > 0 and time.monotonic() < deadline:
            now = (await sites.site(site)).clock.now()
            due_at = database.read(lambda rows: queue.next_due_at(rows, site))
            step = left if due_at is None else min(max(due_at - now, 0), left)
            await moved(site, partial(_forward, seconds=step), deadline)
            left -= step
        return await moved(site, partial(_forward, seconds=left), deadline)

    @router.post("/run")
    async def run(site: SiteName, wait: Wait = 10) -> ClockState:
        """Let a clock that stands still go on from where it stands."""
        return await moved(site, Clock.running, time.monotonic() + wait)

    @router.post("/reset")
    async def reset(site: SiteName, wait: Wait = 10) -> ClockState:
        """Back to the machine's time."""
        return await moved(site, lambda clock: Clock(), time.monotonic() + wait)

    return router


def _forward(clock: Clock, *, seconds: float) -> Clock:
    if clock.now() + seconds > _LATEST.timestamp():
        raise errors.invalid_state(f"The clock goes no further than {_LATEST:%Y}")
    return clock.moved(seconds)


def _state(clock: Clock, due: int) -> ClockState:
    now = clock.now()
    iso = datetime.fromtimestamp(now, UTC)
    return ClockState(now=now, iso=iso, frozen=clock.frozen_at is not None, due=due)
