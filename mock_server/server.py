"""uvicorn, run so that a person and a script can rely on it: a ready line, a clean stop."""

from __future__ import annotations

import os
import socket
import threading
import time
import urllib.error
import urllib.request
from types import FrameType
from typing import Final

import click
import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from mock_server.app import build
from mock_server.settings import Settings

_BACKLOG: Final = 2048
_WORKERS_READY_WITHIN: Final = 60.0
_STOP_WITHIN: Final = 3
"""Seconds that a stop waits for answers under way; a client that hangs does not hold it up."""


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; the ready line is on stdout once requests are answered.

    Raises OSError where the address cannot be had, and what `app.build` raises.
    """
    listener = listen_on(settings.host, settings.port)
    if settings.workers == 1:
        Server(_config(build(settings)), _ready(listener)).run(sockets=[listener])
    else:
        _run_workers(settings, listener)


class Server(uvicorn.Server):
    """A server that says when it is ready, and for which a signal to stop is no failure."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            click.echo(self._announcement)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit  # the second signal does not wait for answers
        self.should_exit = True


def _run_workers(settings: Settings, listener: socket.socket) -> None:
    build(settings)  # what is wrong is said once, here, and not by every worker
    os.environ.update(settings.to_environment())
    config = _config("mock_server.app:from_variables", workers=settings.workers)
    threading.Thread(target=_announce_when_ready, args=[listener], daemon=True).start()
    Multiprocess(config, [listener]).run()


def _config(app: ASGIApp | str, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_STOP_WITHIN,
    )


def listen_on(host: str, port: int) -> socket.socket:
    """A socket that takes connections; OSError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    listener.set_inheritable(True)
    return listener


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _ready(listener: socket.socket) -> str:
    return f"chargebee-mock ready on {url_of(listener)}"


def _announce_when_ready(listener: socket.socket) -> None:
    deadline = time.monotonic() + _WORKERS_READY_WITHIN
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url_of(listener)}/_mock/health", timeout=5).close()  # noqa: S310
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            click.echo(_ready(listener))
            return
