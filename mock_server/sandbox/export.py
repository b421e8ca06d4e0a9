"""`/_mock/requests.har` and `/_mock/requests.sh`: the journal for other tools, and to repeat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from mock_server.api.openapi import refusals
from mock_server.sandbox.curl import script
from mock_server.sandbox.journal import Journal
from mock_server.sandbox.recorded import check_site
from mock_server.sandbox.requests import Filters, walk
from mock_server.sandbox.scope import SiteName
from mock_server.store.database import Database
from mock_server.store.rows import Row

_HAR: Final = "application/json"
_SHELL: Final = "text/x-shellscript"


def export(database: Database, journal: Journal) -> APIRouter:
    """The routes; both show all requests that fit the filters, the earliest first."""
    router = APIRouter(tags=["journal"], responses=refusals(404, 503))

    async def found(site: str, filters: Filters) -> AsyncIterator[Row]:
        await journal.settle()
        database.read(lambda rows: check_site(rows, site))
        return walk(database, site, filters)

    @router.get("/requests.har", response_class=Response, responses=_content(_HAR))
    async def export_har(request: Request, site: SiteName, filters: Filters) -> StreamingResponse:
        """The requests as an HTTP Archive (HAR 1.2), which browsers and proxies open."""
        from mock_server.sandbox.har import archive  # the first archive imports its library

        rows = await found(site, filters)
        return StreamingResponse(archive(rows, request.scope["scheme"]), media_type=_HAR)

    @router.get("/requests.sh", response_class=Response, responses=_content(_SHELL))
    async def export_curl(request: Request, site: SiteName, filters: Filters) -> StreamingResponse:
        """The requests as curl commands that repeat them, with the key in $CHARGEBEE_API_KEY.

        They go to the address at which this was asked for, to the site that was called.
        """
        rows = await found(site, filters)
        return StreamingResponse(script(rows, _address(request)), media_type=_SHELL)

    return router


def _content(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"content": {media_type: {}}}}


def _address(request: Request) -> str:
    """Where the client reaches this server: scheme, host, port and base path."""
    named = request.headers.get("host")
    host = named or ":".join(str(part) for part in request.scope["server"])
    return f"{request.scope['scheme']}://{host}{request.scope.get('root_path', '')}"
