"""`POST /_mock/requests/verify`: was called what must have been called, and if not, what was near.

A statement that holds is answered with 200, one that does not with 409, one that is none with 422.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Collection
from typing import Annotated, Final, Self

from fastapi import APIRouter, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, model_validator

from mock_server.api.openapi import refusals
from mock_server.resources.resource import Moment
from mock_server.sandbox.journal import Journal
from mock_server.sandbox.pattern import Pattern, Seen
from mock_server.sandbox.recorded import check_site
from mock_server.sandbox.requests import walk
from mock_server.sandbox.scope import SiteName
from mock_server.store.database import Database

_LOOK_EVERY: Final = 0.05
_NEAREST: Final = 3
_MOST: Final = 10_000_000
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
        while journal.keeps:
            await journal.settle()
            requests = [Seen(row) async for row in walk(database, site)]
            verdict = judge(statement, sorted(requests, key=lambda seen: seen.started_at))
            if verdict.verified or time.monotonic() >= deadline:
                return verdict
            await asyncio.sleep(_LOOK_EVERY)
        message = "nobody can tell: the journal is off (--journal-limit 0)"
        return Verdict(verified=False, message=message, matched=[], nearest=[])

    return router


def judge(statement: Statement, requests: list[Seen]) -> Verdict:
    """Does the statement hold of these requests, the earliest first?"""
    if statement.in_order is not None:
        return _judge_order(statement.in_order, requests)
    differences = [(statement.differences(seen), seen) for seen in requests]
    matched = [seen.id for differs, seen in differences if not differs]
    lowest, highest = statement.bounds
    if len(matched) >= lowest and (highest is None or len(matched) <= highest):
        return Verdict(verified=True, matched=matched)
    return Verdict(
        verified=False,
        message=f"expected {_calls(lowest, highest)} of {statement}, found {len(matched)}",
        matched=matched,
        nearest=_nearest(differences) if len(matched) < lowest else [],
    )


def _judge_order(patterns: list[Pattern], requests: list[Seen]) -> Verdict:
    matched: list[str] = []
    start = 0
    for pattern in patterns:
        places = range(start, len(requests))
        found = next((i for i in places if not pattern.differences(requests[i])), None)
        if found is None:
            return _out_of_order(patterns, requests, matched, start)
        matched.append(requests[found].id)
        start = found + 1
    return Verdict(verified=True, matched=matched)


def _out_of_order(
    patterns: list[Pattern], requests: list[Seen], matched: list[str], start: int
) -> Verdict:
    """Why the pattern after those that matched was not found from `start` on."""
    missing = patterns[len(matched)]
    differences = [(missing.differences(seen), seen) for seen in requests]
    for differs, _ in differences[:start]:
        differs.append(f"order: expected after {matched[-1]}, was not")
    after = f" after {matched[-1]}" if matched else ""
    return Verdict(
        verified=False,
        message=f"expected {_calls(len(patterns), len(patterns))} in this order: "
        f"number {len(matched) + 1}, {missing}, was not found{after}",
        matched=matched,
        nearest=_nearest(differences),
    )


def _nearest(differences: list[tuple[list[str], Seen]]) -> list[NearMiss]:
    """Those that differ in the fewest fields; of several, the latest."""
    misses = [(differs, seen) for differs, seen in reversed(differences) if differs]
    return [
        NearMiss(**seen.summary, differences=differs)
        for differs, seen in heapq.nsmallest(_NEAREST, misses, key=lambda miss: len(miss[0]))
    ]


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
