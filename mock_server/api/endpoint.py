"""One path of the API: from the request of an operation to its answer.

The order of checks: method, key and site, right to write, the form of the body, idempotency key,
parameters, and then the operation's own rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from starlette.types import Receive, Scope, Send

from mock_server.api.operation import Operation
from mock_server.contract import facts, values
from mock_server.resources.resource import Given
from mock_server.store.database import Database
from mock_server.store.idempotency import once
from mock_server.store.rows import Rows
from mock_server.wire import errors
from mock_server.wire.answer import send_json
from mock_server.wire.auth import Directory, authenticate
from mock_server.wire.call import Call, trace_of
from mock_server.wire.directives import read_directives
from mock_server.wire.errors import ApiError
from mock_server.wire.form import Form, parse, read_body
from mock_server.wire.headers import read_headers
from mock_server.wire.idempotency import REPLAYED, Idempotency, Underway, read_idempotency

_Work: TypeAlias = Callable[[Rows], bytes]
"""What an operation does in its transaction; it gives the answer's body."""


class Endpoint:
    """The operations of one path, by method; a call of it may raise ApiError."""

    def __init__(
        self,
        version: str,
        known: Iterable[facts.Operation],
        operations: Iterable[Operation],
        directory: Directory,
        database: Database,
        underway: Underway,
        *,
        strict_params: bool,
    ) -> None:
        """`known` are those that Chargebee has there, `operations` those that are carried out."""
        self._version = version
        self._known = {operation.method: operation for operation in known}
        self._operations = {operation.known.method: operation for operation in operations}
        self._directory = directory
        self._database = database
        self._underway = underway
        self._strict_params = strict_params

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, ids: tuple[str, ...]
    ) -> None:
        """Answer a request with the operation of its method; `ids` are those of its path."""
        known = self._asked(scope["method"])
        trace = trace_of(scope)
        trace.operation = known.name
        headers = read_headers(scope)
        site, key = await authenticate(self._directory, headers)
        trace.site, trace.key_name = site.name, key.name
        if known.writes and not key.may_write:
            raise errors.not_authorized(key.name)
        operation = self._operations.get(known.method)
        if operation is None:
            raise errors.not_there(known.name, self._version)
        directives = read_directives(headers)
        trace.remarks.extend(directives.remarks)
        form = await _read_form(known, scope, receive, headers)
        trace.ignored = form.ignored
        if form.unread is not None:
            trace.remarks.append(errors.unread_body(form.unread).message)
        elif not known.writes and _has_body(headers):
            trace.remarks.append("The body of a GET is not read; send its parameters in the query")
        call = Call(site, key, self._version, directives, now=int(site.clock.now()))

        def prepare() -> _Work:
            """Read the parameters; what is then to be done, and answered."""
            given = self._parameters(operation, form)
            return lambda rows: operation.answer(operation.rule(rows, call, given, *ids))

        if not known.writes:
            await send_json(scope, send, 200, self._database.read(prepare()))
            return
        target = (self._version, operation.name, *ids)
        asked = read_idempotency(headers, trace.request_id, target, form.values)
        if asked is None:
            await send_json(scope, send, 200, await self._database.write(prepare()))
            return
        with self._underway.hold(site.name, asked.key, trace.request_id):
            await self._answer_once(scope, send, call, asked, prepare)

    async def _answer_once(
        self,
        scope: Scope,
        send: Send,
        call: Call,
        asked: Idempotency,
        prepare: Callable[[], _Work],
    ) -> None:
        """Answer a request under an idempotency key, which keeps refusals of parameters, too."""
        try:
            work = prepare()
        except ApiError as refusal:
            work = _raising(refusal)
        outcome = await self._database.write(
            lambda rows: once(rows, call.site.name, asked, call.now, time.time(), work)
        )
        if isinstance(outcome, ApiError):
            raise outcome
        headers = [REPLAYED] if outcome.replayed else ()
        await send_json(scope, send, outcome.status, outcome.body, headers)

    def _parameters(self, operation: Operation, form: Form) -> Given:
        """The operation's parameters; ApiError where they do not fit, or are more than it knows."""
        given = values.read(operation.fields, form.values, form.ignored)
        if self._strict_params:
            if form.unread is not None:
                raise errors.unread_body(form.unread)
            if form.ignored:
                raise errors.unknown_parameter(form.ignored[0])
        return given

    def operation_of(self, method: str) -> str | None:
        """The name of the method's operation; None where the path does not have the method."""
        operation = self._find(method)
        return operation.name if operation else None

    def _asked(self, method: str) -> facts.Operation:
        """The operation of the method; ApiError 405 where the path does not have the method."""
        operation = self._find(method)
        if operation is None:
            raise errors.method_not_supported(method, ", ".join(sorted(self._known)))
        return operation

    def _find(self, method: str) -> facts.Operation | None:
        return self._known.get("GET" if method == "HEAD" else method)


def _raising(refusal: ApiError) -> _Work:
    def work(rows: Rows) -> bytes:
        raise refusal

    return work


def _has_body(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


async def _read_form(
    operation: facts.Operation, scope: Scope, receive: Receive, headers: Mapping[bytes, bytes]
) -> Form:
    query: bytes = scope["query_string"]
    if not operation.writes:
        return parse("GET", query)
    body = await read_body(receive, headers.get(b"content-length"))
    return parse("POST", query, headers.get(b"content-type", b""), body)
