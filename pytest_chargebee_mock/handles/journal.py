"""The journal of a site: what was called, and what was answered."""

from __future__ import annotations

from typing import Any

from pytest_chargebee_mock.handles.calls import Json, Mode, Steps, method
from pytest_chargebee_mock.handles.errors import CallError, VerificationError
from pytest_chargebee_mock.handles.printable import printable
from pytest_chargebee_mock.handles.records import Records


class Requests(Records[Mode]):
    kind = "request"

    @method
    def verify(self, /, **statement: Any) -> Steps[list[str]]:
        """The ids of the requests that fit; VerificationError where it was not so.

        `statement` is that of `POST /_mock/requests/verify`: `operation`, `params`, `count`, …
        """
        try:
            verified = yield self._mock("POST", "/requests/verify", statement)
        except CallError as error:
            if error.status != 409:
                raise
            raise VerificationError(_missed(error.body)) from None
        matched: list[str] = verified["matched"]
        return matched

    @method
    def told(self) -> Steps[str]:
        """The journal as text, the earliest first: what a failed test shows."""
        listed = yield from self._listed({})
        return "\n".join(_line(request) for request in reversed(listed))


def _missed(body: Json) -> str:
    lines = [body["message"]]
    for miss in body.get("nearest", []):
        lines.append(f"  near: {miss['method']} {miss['path']} {miss['status']}")
        lines += [f"    {difference}" for difference in miss["differences"]]
    return "\n".join(map(printable, lines))


def _line(request: Json) -> str:
    query = f"?{request['query']}" if request["query"] else ""
    line = f"{request['method']} {request['path']}{query} {request['body']}".rstrip()
    lines = [line, f"{request['status']} {request['answer']}", *request["remarks"]]
    return "\n    ".join(map(printable, lines))
