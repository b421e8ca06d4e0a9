"""`POST /_mock/requests/verify`: was called what must have been called, and if not, what was near.

A statement that holds is answered with 200, one that does not with 409, one that is none with 422.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from itertools import chain, islice
from typing import Annotated, Final, Self

from fastapi import APIRouter, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, model_validator

from mock_server.api.openapi import refusals
from mock_server.resources.resource import Moment
from mock_server.sandbox.journal import Journal
from mock_server.sandbox.pattern import Pattern, Seen
from mock_server.sandbox.recorded import check_site
from mock_server.sandbox.requests import TABLE, walk
from mock_server.sandbox.scope import SiteName
from mock_server.store.database import Database
from mock_server.store.rows import Row

_LOOK_EVERY: Final = 0.05
_TURN: Final = 0.02
"""Seconds of comparing after which others get their turn."""
_NEAREST: Final = 3
_DIFFERENCES: Final = 20
"""Differences that are told of a request."""
_MESSAGE: Final = 2000
"""Characters of a message."""
_MOST: Final = 10_000_000
_HELD: Final = "SELECT count(*) AS number, max(seq) AS latest FROM requests WHERE site = :site"
"""What changes with each request that is added or dropped."""
_COUNTS: Final = frozenset({"count", "at_least", "at_most"})


class Statement(Pattern):
    """What must have been called: this pattern, at least once or as often as is said here.

    Or, in `in_order`, several patterns one after another, with any other calls in between.
    """

    count: int | None = Field(default=None, ge=0, le=_MOST)
    at_least: int | None = Field(default=None, ge=0, le=_MOST)
    at_most: int | None = Field(default=None, ge=0, le=_MOST)
    in_order: list[Pattern] | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="after")
    def _is_one_statement(self) -> Self:
        stated = {name for name in self.model_fields_set if getattr(self, name) is not None}
        if self.in_order is not None and len(stated) > 1:
            raise ValueError("in_order stands alone: what is wanted goes into its patterns")
        if self.count is not None and len(stated & _COUNTS) > 1:
            raise ValueError("count is exact: give it, or at_least and at_most")
        lowest, highest = self.bounds
        if highest is not None and lowest > highest:
            raise ValueError(f"at_least {lowest} is more than at_most {highest}")
        return self

    @property
    def bounds(self) -> tuple[int, int | None]:
        """How many calls there must be, and may be; None for any number."""
        if self.count is not None:
            return self.count, self.count
        if self.at_least is None and self.at_most is None:
            return 1, None
        return self.at_least or 0, self.at_most

    @property
    def patterns(self) -> list[tuple[tuple[str | int, ...], Pattern]]:
        """Each pattern and where it stands in the body."""
        if self.in_order is None:
            return [((), self)]
        return [(("in_order", place), one) for place, one in enumerate(self.in_order)]


class NearMiss(BaseModel):
    """A request that nearly fits; each of `differences` is a field, the expected and the actual."""

    id: str
    created_at: Moment
    method: str
    path: str
    status: int
    differences: list[str]


class Verdict(BaseModel):
    """Whether the statement holds.

    `matched` are the ids of the requests that fit, the earliest first; of `in_order`, one for
    each pattern that was found. Where the statement does not hold, `message` says why in a line,
    and `nearest` has the requests that are closest to what was not found, the closest first.
    """

    verified: bool
    message: str | None = None
    matched: list[str]
    nearest: list[NearMiss] | None = None


def verification(database: Database, journal: Journal, operations: Collection[str]) -> APIRouter:
    """The route; a statement may only name these operations."""
    router = APIRouter(prefix="/requests", tags=["journal"], responses=refusals(400, 404, 503))

    @router.post(
        "/verify",
        response_model=Verdict,
        response_model_exclude_none=True,
        responses={409: {"model": Verdict, "description": "The statement does not hold."}},
    )
    async def verify(
        site: SiteName,
        statement: Statement,
        response: Response,
        wait: Annotated[
            float, Query(ge=0, le=300, description="Seconds to wait until the statement holds.")
        ] = 0,
    ) -> Verdict:
        """Was called what must have been called?"""
        _check_operations(statement, operations)
        database.read(lambda rows: check_site(rows, site))
        verdict = await _judge_within(wait, site, statement)
        if not verdict.verified:
            response.status_code = 409
        return verdict

    async def _judge_within(wait: float, site: str, statement: Statement) -> Verdict:
        """The verdict as soon as the statement holds, or the last one after `wait` seconds."""
        deadline = time.monotonic() + wait
        known, verdict = None, None
        while journal.keeps:
            await journal.settle()
            held = database.read(lambda rows: rows.execute(_HELD, {"site": site}))
            if verdict is None or held != known:
                known, verdict = held, await judge(statement, await _requests(site))
            if verdict.verified or time.monotonic() >= deadline:
                return verdict
            await asyncio.sleep(_LOOK_EVERY)
        message = "nobody can tell: the journal is off (--journal-limit 0)"
        return Verdict(verified=False, message=message, matched=[], nearest=[])

    async def _requests(site: str) -> Requests:
        found = [row async for row in walk(database, site, columns=Seen.COLUMNS)]
        return Requests(found, _read)

    def _read(row: Row) -> Row | None:
        return database.read(lambda rows: rows.find(TABLE, *Seen.LONG_COLUMNS, seq=row["seq"]))

    return router


class Requests:
    """The requests of a journal, the earliest first, to be looked at one by one.

    `read` reads the rest of a row of `Seen.COLUMNS`.
    """

    def __init__(self, rows: list[Row], read: Callable[[Row], Row | None]) -> None:
        self._rows = sorted(rows, key=_started_at)
        self._read = read
        self._turn_ends = time.monotonic() + _TURN

    def __len__(self) -> int:
        return len(self._rows)

    def id(self, place: int) -> str:
        id: str = self._rows[place]["id"]
        return id

    async def look_at(self, place: int) -> Seen:
        """The request at that place; others get their turn where it is time."""
        if time.monotonic() > self._turn_ends:
            await asyncio.sleep(0)
            self._turn_ends = time.monotonic() + _TURN
        return Seen(self._rows[place], self._read)


async def judge(statement: Statement, requests: Requests) -> Verdict:
    """Does the statement hold of these requests?"""
    if statement.in_order is not None:
        return await _judge_order(statement.in_order, requests)
    matched, nearest = await _compare(statement, requests)
    lowest, highest = statement.bounds
    if len(matched) >= lowest and (highest is None or len(matched) <= highest):
        return Verdict(verified=True, matched=matched)
    return Verdict(
        verified=False,
        message=f"expected {_calls(lowest, highest)} of {_brief(statement)}, found {len(matched)}",
        matched=matched,
        nearest=nearest if len(matched) < lowest else [],
    )


async def _judge_order(patterns: list[Pattern], requests: Requests) -> Verdict:
    """Each pattern is looked for after the request that fitted the one before."""
    matched: list[str] = []
    waiting = list(patterns)
    after = 0
    for place in range(len(requests)):
        if not waiting:
            break
        if waiting[0].fits(await requests.look_at(place)):
            matched.append(requests.id(place))
            after = place + 1
            del waiting[0]
    if not waiting:
        return Verdict(verified=True, matched=matched)
    said = f" after {matched[-1]}" if matched else ""
    _, nearest = await _compare(waiting[0], requests, after)
    return Verdict(
        verified=False,
        message=f"expected {_calls(len(patterns), len(patterns))} in this order: "
        f"number {len(matched) + 1}, {_brief(waiting[0])}, was not found{said}",
        matched=matched,
        nearest=nearest,
    )


async def _compare(
    pattern: Pattern, requests: Requests, after: int = 0
) -> tuple[list[str], list[NearMiss]]:
    """The ids of the requests that fit, and those that differ in the fewest fields.

    Of several that differ in as many, the latest. To come before the place `after` is a
    difference, too. A request is looked into no further than to see that it is not among them.
    """
    matched: list[str] = []
    misses: list[tuple[list[str], Row]] = []
    for place in reversed(range(len(requests))):
        seen = await requests.look_at(place)
        most = len(misses[-1][0]) if len(misses) == _NEAREST else None
        told = []
        if place < after:
            told = [f"order: expected after {requests.id(after - 1)}, was not"]
        differences = list(islice(chain(pattern.differences(seen), told), most))
        if not differences:
            matched.append(requests.id(place))
        elif most is None or len(differences) < most:
            misses.append((differences, seen.row))
            misses.sort(key=lambda miss: len(miss[0]))
            del misses[_NEAREST:]
    return matched[::-1], [_near_miss(row, differences) for differences, row in misses]


def _near_miss(row: Row, differences: list[str]) -> NearMiss:
    told = differences[:_DIFFERENCES]
    if len(told) < len(differences):
        told.append(f"… and {len(differences) - len(told)} more")
    shown = {name: row[name] for name in ("id", "created_at", "method", "path", "status")}
    return NearMiss(**shown, differences=told)


def _brief(pattern: Pattern) -> str:
    wanted = str(pattern)
    return wanted if len(wanted) <= _MESSAGE else wanted[:_MESSAGE] + "…"


def _started_at(row: Row) -> float:
    """In seconds since 1970; of an entry of an older journal, only the second is known."""
    return float(row["started_at"] or row["created_at"])


def _calls(lowest: int, highest: int | None) -> str:
    if highest is None:
        number = f"at least {lowest}"
    elif lowest == highest:
        number = str(lowest)
    elif lowest == 0:
        number = f"at most {highest}"
    else:
        number = f"{lowest} to {highest}"
    return f"{number} call{'' if number.endswith(' 1') or number == '1' else 's'}"


def _check_operations(statement: Statement, operations: Collection[str]) -> None:
    """An operation that does not exist would be one that was never called: refused (422)."""
    for place, pattern in statement.patterns:
        if pattern.operation is not None and pattern.operation not in operations:
            raise RequestValidationError(
                [
                    {
                        "type": "value_error",
                        "loc": ("body", *place, "operation"),
                        "msg": f"not one of {', '.join(sorted(operations))}",
                        "input": pattern.operation,
                    }
                ]
            )
