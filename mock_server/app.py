"""The application: the rooms put together, and nothing else."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server import __version__
from mock_server.api import v1
from mock_server.api.gateway import Gateway
from mock_server.outbox.delivery import Timeouts, WebhookClient
from mock_server.outbox.supervision import keep_running
from mock_server.outbox.trust import Trust
from mock_server.outbox.worker import WebhookWorker
from mock_server.resources import event, seed
from mock_server.resources.fixture import FixtureError
from mock_server.resources.webhook_endpoint import EndpointsOfTheRun, sites_of_earlier_runs
from mock_server.sandbox.backup import backup
from mock_server.sandbox.body import MAX_BODY, only_small_body
from mock_server.sandbox.clock import clock
from mock_server.sandbox.coverage import coverage
from mock_server.sandbox.deliveries import deliveries
from mock_server.sandbox.export import export
from mock_server.sandbox.fault_routes import faults, rate_limits
from mock_server.sandbox.faults import Faults
from mock_server.sandbox.fixture_body import FixtureReader
from mock_server.sandbox.guard import Guard
from mock_server.sandbox.health import health
from mock_server.sandbox.journal import Journal
from mock_server.sandbox.recorded import recorded
from mock_server.sandbox.requests import requests
from mock_server.sandbox.scope import only_known_query
from mock_server.sandbox.seeding import seeding
from mock_server.sandbox.sites import sites_and_reset
from mock_server.sandbox.snapshots import snapshots
from mock_server.sandbox.verification import verification
from mock_server.sandbox.webhook_endpoints import webhook_endpoints
from mock_server.settings import Settings
from mock_server.store.database import Database, open_database
from mock_server.store.lease import Lease
from mock_server.store.requests import Bounds
from mock_server.store.sites import ALWAYS_THERE, Sites
from mock_server.store.upkeep import Upkeep
from mock_server.wire import base_path
from mock_server.wire.auth import default_site
from mock_server.wire.ceiling import BodyCeiling
from mock_server.wire.errors import ApiError, internal_error, unusable_fixture
from mock_server.wire.hosts import Environments
from mock_server.wire.idempotency import Underway
from mock_server.wire.stopping import answer_unless_stopped

VERSIONS: Final = {v1.VERSION: v1.OPERATIONS, "v2": ()}
"""The operations of each API version that are carried out."""

_MOST_MISTAKES: Final = 10
"""Mistakes of a request that are told at once."""
_log = logging.getLogger("chargebee_mock")

_PRELOAD_AFTER: Final = 1.0
"""Seconds after the start at which what start-up left out is imported in the background."""


@dataclass(frozen=True, slots=True)
class Application:
    """The server without its sockets."""

    asgi: ASGIApp
    """What answers HTTP; to be called within the lifespan."""
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    """What runs beside it. Raises ApiError where the database refuses what is written first."""


def build(settings: Settings, *, local_only: bool = True) -> Application:
    """The server's application, with its database open.

    With `local_only` nobody but this machine reaches it, and `Guard` sees to it that it stays so.
    Raises `store.database_file.DatabaseError`, `resources.seed.SeedError` or, for a URL that
    webhooks cannot go to, ValueError; each with one clear line.
    """
    environments = Environments(settings.environment)
    endpoints = EndpointsOfTheRun(settings.webhook_url, limited=not settings.no_limits)
    database = open_database(settings.database)
    sites = Sites(
        database,
        seed.planter(settings.seed),
        endpoints,
        environments,
        strict=settings.strict_sites,
        limit=settings.sites_limit,
        send_emails=bool(settings.smtp),
        id_seed=settings.id_seed or None,
    )
    if not sites.exists(default_site()):
        seed.load(settings.seed)  # a seed that is wrong is refused before anything is served
    underway = Underway()
    gateway = Gateway(VERSIONS, sites, database, underway, strict_params=settings.strict_params)
    spoiled = Faults(gateway, database, sites, underway, gateway.operation_of)
    journal = Journal(
        spoiled,
        database,
        sites,
        bounds=Bounds(settings.journal_limit, settings.journal_bytes),
        shared=settings.workers > 1,
    )
    lease = Lease(database)
    workers = _workers(settings, database, lease)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as end:  # also where the block within it fails
            end.callback(database.close)
            for name in ALWAYS_THERE:
                await sites.ensure(name)
            earlier = database.read(sites_of_earlier_runs)
            await asyncio.gather(*(sites.ensure(name) for name in earlier))
            end.push_async_callback(journal.flush)
            end.callback(lease.release)
            preload = asyncio.get_running_loop().call_later(_PRELOAD_AFTER, _preload, settings.seed)
            end.callback(preload.cancel)
            working = [asyncio.create_task(keep_running(run)) for run in workers]
            end.push_async_callback(_stop, working)
            yield

    app = FastAPIOffline(
        title="chargebee-mock",
        version=__version__,
        docs_url="/_mock/docs",
        redoc_url=None,
        openapi_url="/_mock/openapi.json",
        static_url="/_mock/docs/assets",
        swagger_ui_oauth2_redirect_url="/_mock/docs/oauth2-redirect",
        redirect_slashes=False,
    )
    app.state.directory = sites
    _refuse_as_chargebee(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    limited = not settings.no_limits
    reader = FixtureReader()
    for router in (
        health(database, lease),
        coverage(gateway.operations),
        sites_and_reset(database, sites, journal, reader),
        seeding(database, sites, reader, limited=limited),
        snapshots(database, sites, journal),
        backup(database, journal),
        recorded(database),
        requests(database, journal),
        verification(database, journal, gateway.operations),
        export(database, journal),
        clock(database, sites),
        deliveries(database, sites),
        webhook_endpoints(database, sites, limited=limited),
        faults(database, sites, gateway.operations),
        rate_limits(database, sites),
    ):
        app.include_router(
            router,
            prefix="/_mock",
            dependencies=[Depends(only_known_query), Depends(only_small_body)],
        )

    bounded = BodyCeiling(app, MAX_BODY)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        # Chargebee's URL space needs none of FastAPI's layers, which cost as much as an insert.
        scope = base_path.leave_out(scope, settings.root_path)
        ours = f"{scope['path']}/".startswith("/_mock/")
        await (guard if ours else journal)(scope, receive, send)

    async def until_stopped(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            rooted = base_path.put_in(scope, settings.root_path)
            await answer_unless_stopped(bounded, rooted, receive, send)
        except ApiError as stopping:  # the call still waited for something
            await JSONResponse(stopping.body(), stopping.status)(scope, receive, send)
        except RuntimeError as error:  # so says Starlette that an answer had begun already
            if not isinstance(error.__cause__, ApiError):
                raise
            _log.warning("an answer of %s breaks off: %s", scope["path"], error.__cause__)

    guard = Guard(
        until_stopped,
        environments,
        local_only=local_only,
        hosts=(*settings.allowed_host, settings.host),
        origins=settings.allowed_origin,
    )
    return Application(application, lifespan)


def _refuse_as_chargebee(app: FastAPI) -> None:
    """Give refusals under /_mock the form of those under /api, but for values that do not fit."""
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(HTTPException, _refused_by_fastapi)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(FixtureError, _unusable)
    app.add_exception_handler(Exception, _failed)


def _workers(
    settings: Settings, database: Database, lease: Lease
) -> list[Callable[[], Awaitable[None]]]:
    """What runs beside the API.

    Deliveries of webhooks and, with an SMTP server, of e-mails; the removal of what resets left.
    """
    webhooks = WebhookWorker(
        database,
        lease,
        event.payload,
        _client(settings),
        retry_scale=settings.webhook_retry_scale,
        attempts_limit=settings.attempts_limit,
    )
    working: list[Callable[[], Awaitable[None]]] = [webhooks.run, Upkeep(database).run]
    if settings.smtp:
        from mock_server.outbox.mail import MailWorker

        working.append(MailWorker(database, lease, *settings.smtp_address).run)
    return working


async def _stop(working: list[asyncio.Task[None]]) -> None:
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)


def _client(settings: Settings) -> WebhookClient:
    timeouts = Timeouts(
        connect=settings.webhook_connect_timeout,
        read=settings.webhook_read_timeout or None,
        total=settings.webhook_timeout,
    )
    return WebhookClient(timeouts, Trust(settings.webhook_ca, insecure=settings.webhook_insecure))


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Our interface as FastAPI describes it, and Chargebee's as its operations do."""
    if app.openapi_schema is None:
        from mock_server.api import openapi

        described = get_openapi(title=app.title, version=app.version, routes=app.routes)
        paths, schemas = openapi.describe(VERSIONS)
        components = described.setdefault("components", {})
        described["paths"] = paths | described["paths"]
        components["schemas"] = schemas | components.get("schemas", {})
        components["securitySchemes"] = openapi.SECURITY
        app.openapi_schema = described
    return app.openapi_schema


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse(error.body(), status_code=error.status)


async def _refused_by_fastapi(request: Request, error: Exception) -> Response:
    """A path or a method that /_mock does not have, a body that cannot be read at all."""
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, ApiError):  # raised while it read the body
        return await _refused(request, error.__cause__)
    refusal = ApiError(error.status_code, "invalid_request", error.detail)
    return JSONResponse(refusal.body(), refusal.status, headers=error.headers)


async def _unfit(request: Request, error: Exception) -> Response:
    """The first that does not fit, in FastAPI's form; without values: one may be a password."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[:_MOST_MISTAKES]
    detail = [{key: fault[key] for key in ("type", "loc", "msg")} for fault in first]
    return Response(json.dumps({"detail": detail}), 422, media_type="application/json")


async def _unusable(request: Request, error: Exception) -> Response:
    assert isinstance(error, FixtureError)
    told = unusable_fixture(error.field, error.reason, str(error))
    return JSONResponse(told.body(), status_code=told.status)


async def _failed(request: Request, error: Exception) -> Response:
    """What the client hears of a bug under /_mock; the traceback is in the server's log."""
    return JSONResponse(internal_error().body(), status_code=500)


def _preload(seed_file: str) -> None:
    def work() -> None:
        importlib.import_module("mock_server.store.tables")
        with suppress(seed.SeedError):  # it is told when a site needs it
            seed.load(seed_file)

    asyncio.get_running_loop().run_in_executor(None, work)
