"""The worker that delivers webhooks: a lane for each endpoint, woken by commits and by the clock.

Only the state in the database counts. A webhook is due until the outcome of a call is committed, so
a server that dies delivers again what it was about to, and nothing is lost.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mock_server.clock import Clock
from mock_server.log import printable
from mock_server.outbox import schedule
from mock_server.outbox.delivery import Outcome, WebhookClient
from mock_server.outbox.status import refresh_event
from mock_server.store import queue
from mock_server.store.database import Database
from mock_server.store.lease import Lease
from mock_server.store.rows import Row, Rows
from mock_server.store.sites import read_clock
from mock_server.wire import headers
from mock_server.wire.errors import ApiError, DamagedError

if TYPE_CHECKING:
    import httpx2

LOOK_EVERY: Final = 0.25
"""Seconds between looks at what other processes may have scheduled."""

_BREATH: Final = 0.005
"""Seconds from one look to the next at least, so that many commits cost one look."""
_PAUSE_AFTER_FAULT: Final = 1.0
"""Seconds that a lane stands still when the database failed it."""

_log = logging.getLogger("chargebee_mock")

Payload = Callable[[Rows, str, str], bytes]
"""`payload(rows, site, event_id)`: the JSON that an endpoint is sent."""


class WebhookWorker:
    """Delivers what is due, in as many lanes as there are endpoints, until it is cancelled."""

    def __init__(
        self,
        database: Database,
        lease: Lease,
        payload: Payload,
        client: WebhookClient,
        *,
        retry_scale: float,
        attempts_limit: int,
    ) -> None:
        self._database = database
        self._lease = lease
        self._payload = payload
        self._client = client
        self._retry_scale = retry_scale
        self._attempts_limit = attempts_limit
        self._lanes: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._data_keys: dict[tuple[str, str], str] = {}
        self._woken = asyncio.Event()
        database.listen(queue.WEBHOOKS, self._woken.set)

    async def run(self) -> None:
        """Deliver for ever; on cancellation, calls under way are given up and stay due."""
        try:
            while True:
                pause = self._start_lanes()
                await asyncio.sleep(_BREATH)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), pause)
                self._woken.clear()
        finally:
            lanes = list(self._lanes.values())
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
            await self._client.close()

    def _start_lanes(self) -> float:
        """Start the lanes that have something due; the seconds until the next look."""
        pause = LOOK_EVERY
        for lane in self._database.read(queue.lanes):
            key = lane.site, lane.endpoint_id
            if key in self._lanes:
                if self._data_keys[key] != lane.data_key:  # its site was reset meanwhile
                    self._lanes[key].cancel()
                continue
            wait = self._clock(lane.site).until(lane.due_at)
            if wait:
                pause = min(pause, wait)
            elif self._lease.held():
                self._data_keys[key] = lane.data_key
                self._lanes[key] = asyncio.create_task(self._run_lane(*key))
        return pause

    def _clock(self, site: str) -> Clock:
        return self._database.read(lambda rows: read_clock(rows, site))

    async def _run_lane(self, site: str, endpoint_id: str) -> None:
        """Deliver one after another, until nothing is due."""
        try:
            while await self._deliver_next(site, endpoint_id):
                pass
        except Exception:
            _log.exception("webhooks of %s to %s stand still for a moment", site, endpoint_id)
            await asyncio.sleep(_PAUSE_AFTER_FAULT)
        finally:
            del self._lanes[site, endpoint_id]
            self._woken.set()

    async def _deliver_next(self, site: str, endpoint_id: str) -> bool:
        """Make the next call and keep its outcome; False where nothing is due.

        A webhook that cannot be delivered whatever the endpoint does is given up, so that it stands
        in nobody's way.
        """
        now = self._clock(site).now()
        claim = self._database.read(lambda rows: queue.claim(rows, site, endpoint_id, now))
        if claim is None:
            return False
        webhook = claim.due
        try:
            # Both are made before the call: the site may be emptied meanwhile.
            request = instead = self._request(claim.endpoint, webhook)
            if claim.first is not claim.due:
                webhook = claim.first
                request = self._request(claim.endpoint, webhook)
            started = time.perf_counter()
            outcome = await self._client.send(site, request)
            duration_us = int((time.perf_counter() - started) * 1_000_000)
            if not outcome.connected:
                # What went before its time, to keep the order, was not sent: no try of its.
                webhook, request = claim.due, instead
            attempt = _attempt(webhook, request, outcome)
            attempt |= {"attempted_at": now, "duration_us": duration_us}
            settled = await self._database.write(
                lambda rows: self._settle(rows, webhook["seq"], attempt, outcome)
            )
        except ApiError:  # the database is at fault: later, then
            raise
        except Exception as error:
            _log.exception("webhook %s of %s cannot be delivered", webhook["id"], site)
            reason = f"It cannot be delivered: {printable(str(error)) or type(error).__name__}"
            await self._database.write(lambda rows: _give_up(rows, webhook, reason))
            return True
        if settled is not None and outcome.failure is not None:
            _tell_failure(webhook, claim.endpoint, outcome.failure, settled)
        return True

    def _request(self, endpoint: Row, webhook: Row) -> httpx2.Request:
        site, event_id = webhook["site"], webhook["event_id"]
        try:
            body = self._database.read(lambda rows: self._payload(rows, site, event_id))
        except DamagedError as error:  # any other fault passes
            raise _UnreadableError(str(error)) from None
        return self._client.request(endpoint, body)

    def _settle(self, rows: Rows, seq: int, attempt: Row, outcome: Outcome) -> Row | None:
        """Keep an attempt; what it changes in the webhook, None where that is gone."""
        site = attempt["site"]
        # An id may be another webhook's by now: sites with an id seed give out the same ones anew.
        webhook = rows.find("webhooks", site=site, seq=seq, id=attempt["webhook_id"])
        if webhook is None:  # its site was emptied or restored meanwhile
            return None
        number = webhook["attempts"] + 1
        queue.keep_attempt(rows, attempt | {"number": number}, self._attempts_limit)
        changes: Row = {"attempts": number}
        if webhook["due_at"] is not None:  # else it was withdrawn meanwhile
            now = read_clock(rows, site).now()
            changes |= schedule.after(webhook, outcome, now, self._retry_scale)
        rows.update("webhooks", changes, seq=webhook["seq"])
        refresh_event(rows, site, webhook["event_id"])
        return changes


class _UnreadableError(Exception):
    """The event of a webhook cannot be read."""


def _give_up(rows: Rows, webhook: Row, reason: str) -> None:
    """Mark a webhook failed for good, unless its site was emptied or restored meanwhile."""
    changes = schedule.given_up(reason)
    site = webhook["site"]
    rows.update("webhooks", changes, site=site, seq=webhook["seq"], id=webhook["id"])
    refresh_event(rows, site, webhook["event_id"])


def _tell_failure(webhook: Row, endpoint: Row, reason: str, settled: Row) -> None:
    """One line, for whoever wonders why nothing arrives."""
    if (due_at := settled.get("due_at")) is None:
        next_try = "not tried again"
    else:
        moment = datetime.fromtimestamp(due_at, UTC).isoformat(timespec="seconds")
        next_try = f"tried again at {moment}"
    _log.info(
        "webhook %s %s to %s (%s) failed: %s; %s",
        *(webhook["event_type"], webhook["event_id"]),
        *(endpoint["id"], _origin(endpoint["url"])),
        *(reason, next_try),
    )


def _origin(url: str) -> str:
    """Where the URL leads, without what may be secret: credentials, the path, the query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _attempt(webhook: Row, request: httpx2.Request, outcome: Outcome) -> Row:
    """The row of an attempt, but for its number and its times."""
    answer = outcome.answer
    return {
        "site": webhook["site"],
        "webhook_id": webhook["id"],
        "request_url": str(request.url),
        "request_headers": _kept(request.headers),
        "request_body": request.content.decode(),
        "status": answer.status_code if answer else None,
        "failure_reason": outcome.failure,
        "response_headers": _kept(answer.headers) if answer else None,
        "response_body": outcome.body.decode("utf-8", "replace") if answer else None,
    }


def _kept(sent: httpx2.Headers) -> str:
    return json.dumps(headers.shown(sent.raw), ensure_ascii=False)
