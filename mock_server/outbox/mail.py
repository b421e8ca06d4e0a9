"""E-mails that really leave: those that were scheduled, over SMTP, in the order of their events."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

import aiosmtplib
import tenacity

from mock_server.outbox.resolver import Resolver
from mock_server.store import queue
from mock_server.store.database import Database
from mock_server.store.lease import Lease
from mock_server.store.rows import Row, Rows

_BATCH: Final = 50
"""E-mails that share a connection."""
_LOOK_EVERY: Final = 0.25
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 30.0
_TIMEOUT: Final = 20.0
_MOST_LOST: Final = 3
"""How often the server may be lost over an e-mail until that has failed."""

_log = logging.getLogger("chargebee_mock")


class MailWorker:
    """Sends what is scheduled to one SMTP server, until it is cancelled.

    A server that is not there is asked again, less and less often; what it refuses has failed.
    """

    def __init__(self, database: Database, lease: Lease, host: str, port: int) -> None:
        self._database = database
        self._lease = lease
        self._host = host
        self._port = port
        self._resolver = Resolver()
        self._woken = asyncio.Event()
        database.listen(queue.EMAILS, self._woken.set)

    async def run(self) -> None:
        while True:
            emails = self._database.read(lambda rows: queue.scheduled_emails(rows, _BATCH))
            if emails and self._lease.held():
                await self._send(emails)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_EVERY)
            self._woken.clear()

    async def _send(self, emails: list[Row]) -> None:
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type((OSError, aiosmtplib.SMTPException)),
            wait=tenacity.wait_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE),
            before_sleep=self._tell,
        )
        waiting = list(emails)
        lost = 0  # how often the server was lost over the first of them
        async for attempt in attempts:
            with attempt:
                async with await self._connect() as server:
                    while waiting:
                        try:
                            failure = await _hand_over(server, waiting[0])
                        except OSError as error:
                            lost += 1
                            if lost == _MOST_LOST:  # so that those behind it have their turn
                                await self._keep(waiting.pop(0), f"The server was lost: {error}")
                                lost = 0
                            raise
                        await self._keep(waiting.pop(0), failure)
                        lost = 0

    async def _connect(self) -> aiosmtplib.SMTP:
        """A connection to the first of the server's addresses that takes one."""
        *others, last = await self._resolver.resolve(self._host, _TIMEOUT)
        for address in others:
            with suppress(OSError):
                return await self._connect_to(address)
        return await self._connect_to(last)

    async def _connect_to(self, address: str) -> aiosmtplib.SMTP:
        server = aiosmtplib.SMTP(
            hostname=address,
            port=self._port,
            timeout=_TIMEOUT,
            local_hostname="localhost",  # else its name is looked up, which may take long
            validate_certs=False,  # who could read along could also hide that there is TLS
        )
        await server.connect()
        return server

    async def _keep(self, email: Row, failure: str | None) -> None:
        changes = {"email_status": "failed" if failure else "sent", "failure_reason": failure}

        def work(rows: Rows) -> None:
            # Its id too: where a site was emptied meanwhile, the number may be another's.
            rows.update("emails", changes, seq=email["seq"], id=email["id"])

        await self._database.write(work)

    def _tell(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        _log.warning("e-mails wait for %s:%d: %s", self._host, self._port, error)


async def _hand_over(server: aiosmtplib.SMTP, email: Row) -> str | None:
    """Why the e-mail cannot be sent; None where it was. OSError where the server is gone."""
    try:
        await server.send_message(_message(email))
    except OSError:
        raise
    except aiosmtplib.SMTPRecipientsRefused as refusal:
        return _answer(refusal.recipients[0])
    except aiosmtplib.SMTPResponseException as refusal:
        return _answer(refusal)
    except Exception as error:  # an address can break the libraries in many ways
        return f"It cannot be sent: {error}"
    return None


def _answer(refusal: aiosmtplib.SMTPResponseException) -> str:
    return f"{refusal.code} {refusal.message}"


def _message(email: Row) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"{email['site']}@chargebee-mock.example"
    message["To"] = email["recipient"]
    if [f"{one.username}@{one.domain}" for one in message["To"].addresses] != [email["recipient"]]:
        raise ValueError(f"{email['recipient']} is no e-mail address")
    message["Subject"] = " ".join(email["subject"].split())
    message["Date"] = format_datetime(datetime.fromtimestamp(email["created_at"], UTC))
    message["Message-ID"] = f"<{email['id']}@chargebee-mock.example>"
    message.set_content(email["body"])
    return message
