"""A real SMTP server for the tests, in a thread, and what it took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.ports import free_port
from tests.server import Site

_WITHIN = 30


class Mailbox:
    """What the server took. It refuses `refused@example.com`, and dies of `deadly@example.com`.

    The first `unwell` clients are not even greeted.
    """

    def __init__(self, unwell: int = 0) -> None:
        self.envelopes: list[Envelope] = []
        self.port = free_port()
        self._unwell = unwell

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @contextmanager
    def open(self) -> Iterator[None]:
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()

    def message(self, order_id: str) -> tuple[EmailMessage, Envelope]:
        """The e-mail about that order, once it has come, and how it came."""
        deadline = time.monotonic() + _WITHIN
        while True:
            for envelope in list(self.envelopes):
                message = _parsed(envelope)
                if order_id in str(message["Subject"]):
                    return message, envelope
            assert time.monotonic() < deadline, f"no e-mail about {order_id} came"
            time.sleep(0.02)

    def orders(self, site: Site) -> list[str]:
        """The orders of that site about which e-mails came, in the order of arrival."""
        messages = [_parsed(envelope) for envelope in self.envelopes]
        return [
            str(message["Subject"]).split()[2]
            for message in messages
            if str(message["From"]).startswith(f"{site.name}@")
        ]

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, host: str, answers: list[str]
    ) -> list[str]:
        session.host_name = host
        return ["451 not yet"] if self._unwell else answers

    async def handle_HELO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, host: str
    ) -> str:
        self._unwell -= 1
        return "451 not yet"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == "deadly@example.com":
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        if address == "refused@example.com":
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        return "250 OK"


def _parsed(envelope: Envelope) -> EmailMessage:
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=policy.SMTPUTF8)
    assert isinstance(message, EmailMessage)
    return message
