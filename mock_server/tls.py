"""https under any name: a certificate authority of the server's own, kept in a folder."""

from __future__ import annotations

import asyncio
import os
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import trustme
from filelock import FileLock

_WITHOUT_A_NAME: Final = ("*.chargebee.com", "localhost", "127.0.0.1", "::1")
"""Whom the certificate is for that a client gets which does not say whom it calls (no SNI)."""
_VALID_FOR: Final = timedelta(days=800)
"""From the first handshake under a name on; Apple's clients refuse more than 825 days."""
_NAMES: Final = 1024
_HANDSHAKE_WITHIN: Final = 20
"""Seconds."""


def prepare(folder: Path) -> Path:
    """Make the authority in `folder` unless it is there; the path of what clients have to trust.

    `authority.pem` has its key, for nobody else to read; `ca.pem` has the certificate alone.
    Raises OSError where the folder cannot be written, ValueError for files that are not ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept, public = folder / "authority.pem", folder / "ca.pem"
    with FileLock(folder / ".lock"):
        if not kept.exists():
            made = trustme.CA(organization_name="chargebee-mock", organization_unit_name="local CA")
            _replace(kept, made.private_key_pem.bytes() + made.cert_pem.bytes(), mode=0o600)
        certificate = _authority(folder).cert_pem.bytes()
        if not public.exists() or public.read_bytes() != certificate:
            _replace(public, certificate, mode=0o644)
    return public.absolute()


def secured(make: Callable[..., asyncio.Protocol], folder: Path) -> Callable[..., Secured]:
    """Makes protocols like `make`, for connections that begin with a handshake.

    Each name that a client asks for gets a certificate when it is first asked for: clients of
    OpenSSL and Node do not take `*.localhost`, and a site's name is not known before. A client that
    names nobody gets one that has the address which its connection came in on.
    """
    issue = partial(_issue, _authority(folder))
    named = lru_cache(_NAMES)(issue)

    def choose(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        if name is not None:
            try:
                connection.context = named(name.lower())
            except ValueError:  # no certificate can be for it: the client will say what it misses
                return

    @lru_cache(_NAMES)
    def context(address: str) -> ssl.SSLContext:
        without_a_name = issue(*dict.fromkeys((*_WITHOUT_A_NAME, address)))
        without_a_name.sni_callback = choose
        return without_a_name

    return lambda **given: Secured(context, partial(make, **given))


class Secured(asyncio.Protocol):
    """A connection before its handshake: it chooses the certificate, and hands over to TLS.

    The server does not leave that to asyncio, which has one context for all connections, and does
    not say where one came in before its handshake is over.
    """

    def __init__(
        self, context: Callable[[str], ssl.SSLContext], make: Callable[[], asyncio.Protocol]
    ) -> None:
        self._context = context
        self._make = make

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        address = transport.get_extra_info("sockname")[0]
        encrypted = SSLProtocol(
            asyncio.get_running_loop(),
            self._make(),
            self._context(address.partition("%")[0]),  # without the interface that fe80::1%eth0 has
            None,  # type: ignore[arg-type]
            server_side=True,
            ssl_handshake_timeout=_HANDSHAKE_WITHIN,
        )
        transport.set_protocol(encrypted)
        encrypted.connection_made(transport)


def _authority(folder: Path) -> trustme.CA:
    kept = folder / "authority.pem"
    pem = kept.read_bytes()
    try:
        return trustme.CA.from_pem(pem, pem)
    except ValueError:
        raise ValueError(
            f"{kept} is not a certificate and its key; delete it, and a new one is made"
        ) from None


def _issue(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """A context with a certificate for these names; ValueError where one cannot be in it."""
    now = datetime.now(UTC)
    certificate = authority.issue_cert(
        *names,
        organization_name="chargebee-mock",
        organization_unit_name="server",
        not_before=now - timedelta(days=1),  # clocks differ
        not_after=now + _VALID_FOR,
    )
    issued = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(issued)
    return issued


def _replace(path: Path, content: bytes, *, mode: int) -> None:
    """Write the whole file or nothing, never readable to more than `mode` says."""
    written = path.with_suffix(".new")
    written.unlink(missing_ok=True)
    with open(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    written.replace(path)
