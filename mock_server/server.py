"""uvicorn, run so that a person and a script can rely on it: a ready line, a clean stop."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click
import uvicorn

from mock_server import log
from mock_server.app import build
from mock_server.resources.seed import SeedError
from mock_server.settings import Settings
from mock_server.sockets import are_local, listen_on, url_of
from mock_server.store.database_file import DatabaseError
from mock_server.wire import protocol
from mock_server.wire.errors import ApiError
from mock_server.workers import supervise

REFUSALS: Final = (ApiError, DatabaseError, SeedError, OSError, ValueError)
"""What `run` raises where the server cannot be started; the message says why in one line."""

_STOP_WITHIN: Final = 3
"""Seconds that a stop waits for answers under way; a client that hangs does not hold it up."""


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; the ready line is on stdout once requests are answered.

    Raises one of REFUSALS where the address, the TLS folder, the seed or the database cannot be
    had, ChildProcessError, which is an OSError, where server processes do not come up.
    """
    if settings.stop_with_stdin:
        threading.Thread(target=_stop_with_stdin, daemon=True).start()
    listeners = listen_on(settings.host, settings.port)
    announce = partial(
        _announce, url_of(listeners, "https" if settings.tls else "http"), _authority(settings)
    )
    if settings.workers == 1:
        _serve(settings, listeners, announce)
    else:
        supervise(partial(_work, settings, listeners), settings.workers, announce)


def _work(settings: Settings, listeners: list[socket.socket], ready: Callable[[], None]) -> None:
    """What one of several processes does."""
    log.configure(settings.log_level)
    try:
        _serve(settings, listeners, ready)
    except REFUSALS as error:
        raise ChildProcessError(str(error)) from None


def _serve(
    settings: Settings, listeners: list[socket.socket], announce: Callable[[], None]
) -> None:
    application = build(settings, local_only=are_local(listeners))
    config = uvicorn.Config(
        application.asgi,
        http=_protocol(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=protocol.KEEP_ALIVE,
        timeout_graceful_shutdown=_STOP_WITHIN,
    )
    Server(config, announce, application.lifespan).run(sockets=listeners)


class Server(uvicorn.Server):
    """A server that says when it is ready, and for which a signal to stop is no failure.

    It runs within `lifespan`, which may raise: a refusal is nothing for the log of a protocol.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        lifespan: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._lifespan = lifespan
        self._entered = AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._entered.enter_async_context(self._lifespan())
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._entered.aclose()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit  # the second signal does not wait for answers
        self.should_exit = True


def _announce(url: str, authority: Path | None) -> None:
    """Say where it answers, in one write, after which a reader may close the pipe."""
    lines = [f"chargebee-mock ready on {url}"]
    if authority is not None:
        variables = "SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS"
        lines.append(f"clients trust it with {variables} set to {authority}")
    click.echo("\n".join(lines))


def _protocol(settings: Settings) -> Any:
    """What makes the protocol of each connection."""
    if not settings.tls:
        return protocol.Protocol
    from mock_server import tls  # its libraries take long to import

    return tls.secured(protocol.Protocol, settings.tls_folder)


def _authority(settings: Settings) -> Path | None:
    """The certificate that clients have to trust, which is made unless it is there."""
    if not settings.tls:
        return None
    from mock_server import tls

    return tls.prepare(settings.tls_folder)


def _stop_with_stdin() -> None:
    """Wait until stdin ends, and stop the server then as SIGTERM does."""
    with suppress(OSError):  # stdin was closed before
        while os.read(0, 4096):
            pass
    signal.raise_signal(signal.SIGTERM)
