"""Answers as faults leave them: late, in half, as no JSON, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import Message, Receive, Scope, Send

from mock_server.sandbox.fault_rules import Rule
from mock_server.sandbox.planned_answers import OtherAnswer, RecordedAnswer, WrittenAnswer
from mock_server.wire import connection
from mock_server.wire.answer import answer_headers, send_error, send_json


@dataclass(slots=True)
class Answer:
    """An answer that is not sent yet."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def hear(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message["body"]

    async def send(self, send: Send, *, promised: int | None = None) -> None:
        """Send it; `promised` is the length of a body that does not come as a whole."""
        length = str(len(self.body) if promised is None else promised).encode()
        headers = [
            (name, length if name == b"content-length" else value) for name, value in self.headers
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        unfinished = promised is not None
        await send({"type": "http.response.body", "body": self.body, "more_body": unfinished})


async def send_spoiled(
    rule: Rule, real: Answer | None, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send what the rule makes of the answer, which is None where nothing was carried out."""
    body = b'{"list": []}'
    answer = real or Answer(200, answer_headers(scope["method"], 200, len(body)), body)
    half = Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
    match rule.given.answer:
        case RecordedAnswer() | OtherAnswer() as planned:
            await _send_written(planned.written, rule, scope, send)
        case "cut":
            await connection.cut(scope, receive)
        case "half_body":
            await half.send(send, promised=len(answer.body))
            await connection.hang_up(scope, receive)
        case "bad_json":
            await half.send(send)
        case "bad_gateway":
            await Answer(502, [(b"content-length", b"0")]).send(send)
        case _:
            await send_error(scope, send, rule.error())


async def _send_written(written: WrittenAnswer, rule: Rule, scope: Scope, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in rule.headers.items()]
    if written.content_type is None:
        await send_json(scope, send, written.status, written.body, headers)
        return
    described = [
        (b"content-type", written.content_type.encode()),
        (b"content-length", str(len(written.body)).encode()),
    ]
    await Answer(written.status, [*described, *headers], written.body).send(send)
