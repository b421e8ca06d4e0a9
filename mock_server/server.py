"""uvicorn, run so that a person and a script can rely on it: a ready line, a clean stop."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final, TypeAlias

import click
import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from mock_server.app import build
from mock_server.settings import Settings
from mock_server.wire import protocol

_TlsFactory: TypeAlias = Callable[..., ssl.SSLContext]

_BACKLOG: Final = 2048
_WORKERS_READY_WITHIN: Final = 60.0
_STOP_WITHIN: Final = 3
"""Seconds that a stop waits for answers under way; a client that hangs does not hold it up."""


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; the ready line is on stdout once requests are answered.

    Raises OSError where the address or the TLS folder cannot be had, ValueError where that folder
    has files which are not ours, and what `app.build` raises.
    """
    if settings.stop_with_stdin:
        threading.Thread(target=_stop_with_stdin, daemon=True).start()
    listener = listen_on(settings.host, settings.port)
    address = _Address(url_of(listener, "https" if settings.tls else "http"), _authority(settings))
    if settings.workers == 1:
        config = _config(build(settings), _tls(settings, listener))
        Server(config, address.announce).run(sockets=[listener])
    else:
        _run_workers(settings, listener, address)


@dataclass(frozen=True, slots=True)
class _Address:
    """Where the server answers."""

    url: str
    authority: Path | None
    """With https, the certificate that clients have to trust."""

    def announce(self) -> None:
        """Say so in one write, after which a reader may close the pipe."""
        lines = [f"chargebee-mock ready on {self.url}"]
        if self.authority is not None:
            variables = "SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS"
            lines.append(f"clients trust it with {variables} set to {self.authority}")
        click.echo("\n".join(lines))

    def answers(self) -> bool:
        """Whether the health check succeeds now."""
        trust = None
        if self.authority is not None:
            trust = ssl.create_default_context(cafile=self.authority)
        try:
            urllib.request.urlopen(  # noqa: S310
                f"{self.url}/_mock/health", timeout=5, context=trust
            ).close()
        except (urllib.error.URLError, OSError):
            return False
        return True


class Server(uvicorn.Server):
    """A server that says when it is ready, and for which a signal to stop is no failure."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit  # the second signal does not wait for answers
        self.should_exit = True


def _run_workers(settings: Settings, listener: socket.socket, address: _Address) -> None:
    build(settings)  # what is wrong is said once, here, and not by every worker
    os.environ.update(settings.to_environment())
    tls = _tls(settings, listener)
    config = _config("mock_server.app:from_variables", tls, workers=settings.workers)
    threading.Thread(target=_announce_when_ready, args=[address], daemon=True).start()
    Multiprocess(config, [listener]).run()


def _config(app: ASGIApp | str, tls: _TlsFactory | None, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        http=protocol.Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=protocol.KEEP_ALIVE,
        timeout_graceful_shutdown=_STOP_WITHIN,
        ssl_context_factory=tls,
    )


def _tls(settings: Settings, listener: socket.socket) -> _TlsFactory | None:
    """What makes the TLS context in each process; None for plain http."""
    if not settings.tls:
        return None
    from mock_server import tls

    return partial(tls.context, folder=settings.tls_folder, address=listener.getsockname()[0])


def _authority(settings: Settings) -> Path | None:
    if not settings.tls:
        return None
    from mock_server import tls  # its libraries take long to import

    return tls.prepare(settings.tls_folder)


def listen_on(host: str, port: int) -> socket.socket:
    """A socket that takes connections; OSError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    listener.set_inheritable(True)
    return listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _stop_with_stdin() -> None:
    """Wait until stdin ends, and stop the server then as SIGTERM does."""
    with suppress(OSError):  # stdin was closed before
        while os.read(0, 4096):
            pass
    signal.raise_signal(signal.SIGTERM)


def _announce_when_ready(address: _Address) -> None:
    deadline = time.monotonic() + _WORKERS_READY_WITHIN
    while time.monotonic() < deadline:
        if address.answers():
            address.announce()
            return
        time.sleep(0.05)
