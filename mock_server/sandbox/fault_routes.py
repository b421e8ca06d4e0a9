"""`/_mock/faults` and `/_mock/rate_limit`: what shall go wrong on a site."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from mock_server.api.openapi import refusals
from mock_server.sandbox.answer import shown
from mock_server.sandbox.fault_rules import NewFault
from mock_server.sandbox.faults import CHANGED
from mock_server.sandbox.scope import SiteName
from mock_server.store import rate_limit
from mock_server.store.database import Database
from mock_server.store.ids import new_id
from mock_server.store.rows import Row, Rows, read_json
from mock_server.store.sites import Sites
from mock_server.wire import errors


class Fault(NewFault):
    """A rule as it was given, its seed, and how many requests it `matched` and `fired` at."""

    model_config = ConfigDict(json_schema_extra={})

    id: str
    matched: int
    fired: int
    created_at: int
    object: Literal["fault"]


_MOST: Final = 1000
"""Rules of a site: each request is held against each of them."""


class ShownFault(BaseModel):
    fault: Fault


class FaultList(BaseModel):
    list: list[ShownFault]


class Deleted(BaseModel):
    """How many rules were removed."""

    deleted: int


class RateLimit(BaseModel):
    """So many requests are answered in so many seconds; what is not given is Chargebee's own."""

    model_config = ConfigDict(extra="forbid")

    requests: Annotated[int, Field(ge=1, le=10_000)] = 150
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 60


class ShownRateLimit(BaseModel):
    """`rate_limit` is null on a site that has none."""

    rate_limit: RateLimit | None


def faults(database: Database, sites: Sites, operations: Collection[str]) -> APIRouter:
    """The routes; `operations` are the names of those that a rule may be about."""
    router = APIRouter(prefix="/faults", tags=["faults"], responses=refusals(400, 404, 503))

    @router.post("", response_model=ShownFault)
    async def create_fault(site: SiteName, given: NewFault) -> Response:
        """Make a rule. Of several that match a request, the first that was made counts."""
        if given.operation is not None and given.operation not in operations:
            raise _unknown_operation(given.operation, operations)
        owner = await sites.site(site)
        seed = secrets.randbits(32) if given.seed is None else given.seed
        row = {
            "site": owner.name,
            "rule": given.model_copy(update={"seed": seed}).model_dump_json(exclude_unset=True),
            "matched": 0,
            "fired": 0,
            "created_at": int(owner.clock.now()),
        }

        def work(rows: Rows) -> None:
            if len(rows.all("faults", "id", site=owner.name)) >= _MOST:
                raise errors.ApiError(
                    400, "resource_limit_exceeded", f"A site has at most {_MOST} faults"
                )
            row["id"] = new_id(rows, owner, "flt_")
            rows.insert("faults", row)
            rows.notify(CHANGED)

        await database.write(work)
        return shown(_wrapped(row))

    @router.get("", response_model=FaultList)
    async def list_faults(site: SiteName) -> Response:
        """All of the site's rules, in the order in which they were made."""
        name = (await sites.site(site)).name
        found = database.read(lambda rows: rows.all("faults", site=name))
        return shown({"list": [_wrapped(row) for row in found]})

    @router.delete("")
    async def delete_faults(site: SiteName) -> Deleted:
        """Remove all of the site's rules."""
        name = (await sites.site(site)).name

        def work(rows: Rows) -> int:
            rows.notify(CHANGED)
            return rows.delete("faults", site=name)

        return Deleted(deleted=await database.write(work))

    @router.get("/{id}", response_model=ShownFault)
    async def retrieve_fault(site: SiteName, id: str) -> Response:
        name = (await sites.site(site)).name
        return shown(_wrapped(database.read(lambda rows: _find(rows, name, id))))

    @router.delete("/{id}", response_model=ShownFault)
    async def delete_fault(site: SiteName, id: str) -> Response:
        """Remove a rule; it is shown once more, with how often it matched and fired."""
        name = (await sites.site(site)).name

        def work(rows: Rows) -> Row:
            row = _find(rows, name, id)
            rows.delete("faults", site=name, id=id)
            rows.notify(CHANGED)
            return row

        return shown(_wrapped(await database.write(work)))

    return router


def rate_limits(database: Database, sites: Sites) -> APIRouter:
    router = APIRouter(prefix="/rate_limit", tags=["faults"], responses=refusals(400, 404, 503))

    @router.get("")
    async def retrieve_rate_limit(site: SiteName) -> ShownRateLimit:
        name = (await sites.site(site)).name
        row = database.read(lambda rows: rate_limit.find(rows, name))
        return ShownRateLimit(rate_limit=RateLimit(**row) if row else None)

    @router.put("")
    async def set_rate_limit(site: SiteName, given: RateLimit) -> ShownRateLimit:
        """Limit the site's requests from now on; without values as Chargebee limits a test site."""
        name = (await sites.site(site)).name

        def work(rows: Rows) -> None:
            rate_limit.put(rows, name, given.requests, given.seconds)
            rows.notify(CHANGED)

        await database.write(work)
        return ShownRateLimit(rate_limit=given)

    @router.delete("")
    async def remove_rate_limit(site: SiteName) -> ShownRateLimit:
        """Answer any number of requests again."""
        name = (await sites.site(site)).name

        def work(rows: Rows) -> None:
            rate_limit.remove(rows, name)
            rows.notify(CHANGED)

        await database.write(work)
        return ShownRateLimit(rate_limit=None)

    return router


def _unknown_operation(given: str, known: Collection[str]) -> RequestValidationError:
    message = f"Input should be one of {', '.join(sorted(known))}"
    return RequestValidationError(
        [{"type": "operation", "loc": ("body", "operation"), "msg": message, "input": given}]
    )


def _find(rows: Rows, site: str, id: str) -> Row:
    row = rows.find("faults", site=site, id=id)
    if row is None:
        raise errors.resource_not_found(id)
    return row


def _wrapped(row: Row) -> dict[str, Any]:
    counters = {name: row[name] for name in ("matched", "fired", "created_at")}
    rule = read_json(row["rule"], dict)
    return {"fault": {"id": row["id"], **rule, **counters, "object": "fault"}}
