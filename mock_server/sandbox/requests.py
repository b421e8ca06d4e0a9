"""`/_mock/requests`: the journal read, one of its requests looked up, the journal emptied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from pydantic_core import to_json

from mock_server.api.openapi import refusals
from mock_server.resources.resource import Map, Moment, Resource
from mock_server.sandbox.answer import shown
from mock_server.sandbox.body import Wildcard
from mock_server.sandbox.journal import MAX_KEPT_BODY, Journal
from mock_server.sandbox.recorded import Asked, AskedPage, RecordedPage, check_site
from mock_server.sandbox.scope import SiteName, SiteNameOrAll
from mock_server.store import data_keys
from mock_server.store.database import Database
from mock_server.store.paging import page
from mock_server.store.requests import forget
from mock_server.store.rows import Row, Rows, read_json
from mock_server.wire import errors
from mock_server.wire.errors import ApiError
from mock_server.wire.form import Nested, parse
from mock_server.wire.listing import Position, next_offset

TABLE: Final = "requests"
STATUS: Final = r"^(0|[1-5]([0-9]{2}|xx))$"
"""A status such as `404`, a class of them such as `4xx`, or 0: never answered."""
_LATEST: Final = 253_402_300_799
"""The end of the year 9999."""
_AT_ONCE: Final = 10
"""Rows that are read before other requests get their turn; they may have 128 KiB each."""
_SHORT_AT_ONCE: Final = 200
"""The same of rows without their long columns."""


class JournalledRequest(Resource):
    """A request to the API, or astray, and its answer; a credential's value is shown as `…`.

    `site` is the one that it was for, whether it exists or not; `params` are the parameters as the
    server understood them, used or not, and absent where it could not read them. `ignored_params`
    names those that it did not use. `remarks` says so in words, and what else it made nothing of.
    `started_at` is `created_at` with its fraction, `duration_us` is in microseconds; `status` 0
    means that the request was not answered.
    """

    kind: ClassVar[str] = "request"

    id: str
    site: str
    created_at: Moment
    started_at: float | None = None
    method: str
    path: str
    query: str
    headers: list[list[str]]
    params: Map | None = None
    body: str
    operation: str | None = None
    key_name: str | None = None
    status: int
    answer_headers: list[list[str]] | None = None
    answer: str
    duration_us: int
    ignored_params: list[str] | None = None
    remarks: list[str]


class ShownRequest(BaseModel):
    request: JournalledRequest


class Emptied(BaseModel):
    """How many requests the journal has forgotten."""

    deleted: int


async def filters(
    method: Annotated[str | None, Query(description="Such as POST.")] = None,
    path: Annotated[
        Wildcard | None, Query(description="As it was sent; `*` stands for any characters.")
    ] = None,
    operation: Annotated[str | None, Query(description="Such as create_an_order.")] = None,
    status: Annotated[
        str | None, Query(pattern=STATUS, description="Such as 404 or 4xx; 0: not answered.")
    ] = None,
    key_name: Annotated[str | None, Query(description="Such as full_access_key_v1.")] = None,
    since: Annotated[
        int | None, Query(ge=0, le=_LATEST, description="Seconds since 1970; from then on.")
    ] = None,
    until: Annotated[
        int | None, Query(ge=0, le=_LATEST, description="Seconds since 1970; up to and with it.")
    ] = None,
) -> Mapping[str, object]:
    """What `store.paging.page` compares the columns with."""
    lowest, highest = status_range(status) if status else (None, None)
    return {
        "method": method and method.upper(),
        "path.like": path,
        "operation": operation,
        "status.from": lowest,
        "status.until": highest,
        "key_name": key_name,
        "created_at.from": since,
        "created_at.until": until,
    }


Filters: TypeAlias = Annotated[Mapping[str, object], Depends(filters)]


def status_range(wanted: str) -> tuple[int, int]:
    """The lowest and the highest status that `404` or `4xx` stands for."""
    return int(wanted.replace("x", "0")), int(wanted.replace("x", "9"))


def requests(database: Database, journal: Journal) -> APIRouter:
    router = APIRouter(prefix="/requests", tags=["journal"], responses=refusals(400, 404, 503))

    @router.get("", response_model=RecordedPage)
    async def list_requests(
        site: SiteNameOrAll, wanted: AskedPage, filters: Filters
    ) -> StreamingResponse:
        """The requests that fit all filters, the latest first."""
        await journal.settle()
        database.read(lambda rows: _check_site(rows, site))
        listed = _listed(database, site, wanted, filters)
        return StreamingResponse(listed, media_type="application/json")

    @router.get("/{id}", response_model=ShownRequest)
    async def retrieve_request(site: SiteNameOrAll, id: str) -> Response:
        """One request; its id is in its answer's header `X-Mock-Request-Id`."""
        await journal.settle()

        def work(rows: Rows) -> dict[str, Any]:
            _check_site(rows, site)
            found, _ = page(rows, TABLE, site, size=1, after=None, filters={"id": id})
            if not found:
                raise errors.resource_not_found(id)
            return _wrapped(found[0])

        return shown(database.read(work))

    @router.delete("")
    async def empty_journal(site: SiteName) -> Emptied:
        """Forget the site's requests."""
        await journal.settle()

        database.read(lambda rows: check_site(rows, site))
        return Emptied(deleted=await forget(database, site))

    return router


async def _listed(
    database: Database, site: str | None, wanted: Asked, filters: Mapping[str, object]
) -> AsyncIterator[bytes]:
    """The JSON of a page, a few requests at a time; others are answered in between."""
    left, last = wanted.size, wanted.after
    yield b'{"list":['
    comma = b""
    while True:
        size = min(left, _AT_ONCE)
        read = partial(page, table=TABLE, site=site, size=size, after=last, filters=filters)
        found, last = database.read(read)
        for row in found:
            yield comma + to_json(_wrapped(row))
            comma = b","
        left -= len(found)
        if last is None or not left:
            break
        await asyncio.sleep(0)
    yield b"]}" if last is None else b'],"next_offset":' + to_json(next_offset(last)) + b"}"


async def walk(
    database: Database,
    site: str,
    filters: Mapping[str, object] | None = None,
    columns: tuple[str, ...] = (),
) -> AsyncIterator[Row]:
    """The site's requests that fit, the earliest first; others are answered in between.

    All of each, or only `columns`, short ones, with `created_at` and `seq` among them.
    """

    def next_page(after: Position | None) -> tuple[list[Row], Position | None]:
        return database.read(
            lambda rows: page(
                rows,
                TABLE,
                site,
                size=_SHORT_AT_ONCE if columns else _AT_ONCE,
                after=after,
                filters=filters,
                earliest_first=True,
                columns=columns,
            )
        )

    found, last = next_page(None)
    while True:
        for row in found:
            yield row
        if last is None:
            return
        await asyncio.sleep(0)
        found, last = next_page(last)


def headers_of(row: Row) -> dict[str, str]:
    """The headers of a request by their names in lower case; one sent twice has both values."""
    joined: dict[str, str] = {}
    for name, value in read_json(row["headers"], list):
        before = f"{joined[name]}, " if name in joined else ""
        joined[name] = before + value.strip(" \t")
    return joined


def params_of(row: Row) -> Nested | None:
    """The parameters of a request, used or not; None where they cannot be read."""
    method, query = row["method"], row["query"].encode("latin-1")
    if method == "POST" and not is_whole(row):
        return None
    content_type = headers_of(row).get("content-type", "").encode("latin-1")
    try:
        return parse(method, query, content_type, row["body"].encode()).values
    except ApiError:
        return None


def is_whole(row: Row) -> bool:
    """Whether the body was kept as it was sent: all of it, and it was text."""
    body: str = row["body"]
    return len(body.encode()) < MAX_KEPT_BODY and "\0" not in body and "\ufffd" not in body


def _check_site(rows: Rows, site: str | None) -> None:
    """ApiError 404 where there is neither the site nor a call that it refused."""
    if site is not None and rows.find(TABLE, "seq", site=site) is None:
        check_site(rows, site)


def _wrapped(row: Row) -> dict[str, Any]:
    told = {**row, "site": data_keys.site_of(row["site"]), "params": params_of(row)}
    return {JournalledRequest.kind: JournalledRequest.show(told)}
