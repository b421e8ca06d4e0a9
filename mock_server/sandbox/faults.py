"""What goes wrong on purpose: the layer between the journal and the API that spoils answers.

A rule's counters are written with each match, so that several processes, and a server that was
started anew, count as one; only requests that a rule matches pay for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.sandbox.fault_answers import Answer, send_spoiled
from mock_server.sandbox.fault_rules import Asked, NewFault, Rule
from mock_server.store import idempotency, rate_limit, sites
from mock_server.store.database import Database
from mock_server.store.rows import Rows, read_json
from mock_server.wire import errors
from mock_server.wire.answer import send_error, send_internal_error
from mock_server.wire.auth import Directory, Site, authenticate
from mock_server.wire.call import Trace, trace_of
from mock_server.wire.errors import ApiError
from mock_server.wire.form import MAX_BODY, flatten, parse
from mock_server.wire.headers import read_headers
from mock_server.wire.idempotency import Underway, key_of
from mock_server.wire.stopping import answer_unless_stopped

CHANGED: Final = "faults"
"""The channel that is notified when rules or limits were made or removed."""

_HEADER: Final = b"x-mock-fault"
_RATE_LIMIT: Final = "rate_limit"
"""What stands in the header for a rule's id, where it is the site's limit that refuses."""

_ANY: Final = """
    SELECT EXISTS (SELECT 1 FROM faults) OR EXISTS (SELECT 1 FROM rate_limits) AS found
"""

_log = logging.getLogger("chargebee_mock")


@dataclass(frozen=True, slots=True)
class _Known:
    """What this process remembers of a site."""

    rules: tuple[Rule, ...]
    limited: bool

    @property
    def is_empty(self) -> bool:
        return not self.rules and not self.limited


class Faults:
    """An ASGI layer that lets rules and limits answer in the application's place.

    `operation_of` names the operation that a request asks for. What opens no site passes: the
    application refuses it.
    """

    def __init__(
        self,
        app: ASGIApp,
        database: Database,
        directory: Directory,
        underway: Underway,
        operation_of: Callable[[Scope], str | None],
    ) -> None:
        self._app = app
        self._database = database
        self._directory = directory
        self._underway = underway
        self._operation_of = operation_of
        self._version = database.version()
        self._any: bool | None = None
        self._sites: dict[str, _Known] = {}
        database.listen(CHANGED, self._forget)
        database.listen(sites.CHANGED, self._forget)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await answer_unless_stopped(self._answer, scope, receive, send)
        except ApiError as error:  # of the database or a stop: the application answers its own
            await send_error(scope, send, error)
        except ConnectionAbortedError:  # what `cut` is where the caller is in the same process
            raise
        except Exception:
            await send_internal_error(scope, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._there_are_any():
            await self._pass(scope, _Body(receive), send)
        else:
            await self._app(scope, receive, send)

    async def _pass(self, scope: Scope, body: _Body, send: Send) -> None:
        try:
            site, key = await authenticate(self._directory, read_headers(scope))
        except ApiError:
            await self._app(scope, body.receive, send)
            return
        known = self._known(site.name)
        if not known.is_empty and await body.read():
            trace = trace_of(scope)
            trace.site, trace.key_name = site.name, key.name
            trace.operation = self._operation_of(scope)
            if known.limited and await self._limited(site, trace, scope, send):
                return
            with self._underway.hold(site.name, _key_of(scope), trace.request_id):
                if not await self._spoiled(known.rules, site, trace, scope, body, send):
                    await self._app(scope, body.receive, send)
            return
        await self._app(scope, body.receive, send)

    async def _limited(self, site: Site, trace: Trace, scope: Scope, send: Send) -> bool:
        """Count the request against the site's limit; whether it was refused."""
        now = site.clock.now()
        wait = await self._database.write(lambda rows: rate_limit.take(rows, site.name, now))
        if wait is None:
            return False
        trace.remarks.append("the site's rate limit")
        refusal = errors.request_limit_exceeded(wait)
        await send_error(scope, _marked(send, _RATE_LIMIT), refusal)
        return True

    async def _spoiled(
        self, rules: Iterable[Rule], site: Site, trace: Trace, scope: Scope, body: _Body, send: Send
    ) -> bool:
        """Let the first rule that fires have the request; whether there was one."""
        asked = _asked(scope, trace.operation, body.content, site.clock.now())
        matching = [rule for rule in rules if rule.matches(asked)]
        key = _key_of(scope)
        fired = await self._fire(site, matching, key, trace.request_id) if matching else None
        if fired is None:
            return False
        rule, number = fired
        trace.remarks.append(f"fault {rule.id}: {rule.given.answer or 'delay'}")
        await self._carry_out(rule, rule.delay(number), scope, body.receive, _marked(send, rule.id))
        return True

    async def _fire(
        self, site: Site, matching: list[Rule], key: str | None, request_id: str
    ) -> tuple[Rule, int] | None:
        """Count the match; the first rule that fires at it, and which of its matches it is.

        A request that the rule delays holds its idempotency key meanwhile.
        """

        def work(rows: Rows) -> tuple[Rule, int] | None:
            moment = time.time()
            if key is not None:
                idempotency.check_free(rows, site.name, key, request_id, moment)
            for rule in matching:
                row = rows.find("faults", "matched", "fired", site=site.name, id=rule.id)
                if row is None:  # removed in between
                    continue
                number = row["matched"] + 1
                fires = rule.fires(number, row["fired"])
                counted = {"matched": number, "fired": row["fired"] + fires}
                rows.update("faults", counted, site=site.name, id=rule.id)
                if fires:
                    if key is not None and (delay := rule.delay(number)) > 0:
                        idempotency.hold(rows, site.name, key, request_id, moment, delay)
                    return rule, number
            return None

        return await self._database.write(work)

    async def _carry_out(
        self, rule: Rule, delay: float, scope: Scope, receive: Receive, send: Send
    ) -> None:
        answer = None
        if rule.given.after:
            answer = Answer()
            await self._app(scope, receive, answer.hear)
        await asyncio.sleep(delay)
        if rule.given.answer is not None:
            await send_spoiled(rule, answer, scope, receive, send)
        elif answer is not None:
            await answer.send(send)
        else:
            await self._app(scope, receive, send)

    def _there_are_any(self) -> bool:
        """Whether any site has anything: what each request asks, so it costs next to nothing."""
        version = self._database.version()
        if version != self._version:  # another process may have changed them
            self._version = version
            self._forget()
        if self._any is None:
            (row,) = self._database.read(lambda rows: rows.execute(_ANY, {}))
            self._any = bool(row["found"])
        return self._any

    def _known(self, site: str) -> _Known:
        if site not in self._sites:
            self._sites[site] = self._database.read(lambda rows: _learn(rows, site))
        return self._sites[site]

    def _forget(self) -> None:
        self._any = None
        self._sites.clear()


class _Body:
    """A request's body, read ahead; `receive` gives it out again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: deque[Message] = deque()
        self.content = b""

    async def read(self) -> bool:
        """Read all of it, or as much as the API takes; False where the client has left."""
        more = True
        while more and len(self.content) <= MAX_BODY:
            message = await self._receive()
            self._read.append(message)
            if message["type"] == "http.disconnect":
                return False
            self.content += message.get("body", b"")
            more = message.get("more_body", False)
        return True

    async def receive(self) -> Message:
        return self._read.popleft() if self._read else await self._receive()


def _marked(send: Send, fault: str) -> Send:
    """`send`, with the header that names the fault."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append((_HEADER, fault.encode()))
        await send(message)

    return marked


def _asked(scope: Scope, operation: str | None, body: bytes, now: float) -> Asked:
    sent = read_headers(scope)
    return Asked(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        operation=operation,
        params=_params(scope, sent.get(b"content-type", b""), body),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in sent.items()},
        now=now,
    )


def _key_of(scope: Scope) -> str | None:
    return key_of(read_headers(scope)) if scope["method"] == "POST" else None


def _learn(rows: Rows, site: str) -> _Known:
    rules = []
    for row in rows.all("faults", "id", "rule", site=site):
        try:
            given = NewFault.model_validate(read_json(row["rule"], dict))
        except ValidationError:  # another version of this server made it
            _log.warning("the fault %s does nothing: this version does not know it", row["id"])
        else:
            rules.append(Rule(row["id"], given))
    return _Known(tuple(rules), limited=rate_limit.find(rows, site) is not None)


def _params(scope: Scope, content_type: bytes, body: bytes) -> dict[str, str]:
    """The parameters by the names that they were sent with; none where the API refuses them."""
    try:
        form = parse(scope["method"], scope["query_string"], content_type, body)
    except ApiError:
        return {}
    return flatten(form.values)
