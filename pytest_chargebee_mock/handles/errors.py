"""What the handles raise."""

from __future__ import annotations

from typing import Any

from pytest_chargebee_mock.handles.printable import printable


class CallError(AssertionError):
    """A call of a handle was refused: `status`, and the answer's JSON as `body`."""

    def __init__(self, method: str, path: str, status: int, body: Any) -> None:
        said = body.get("message", body.get("detail", body)) if isinstance(body, dict) else body
        super().__init__(printable(f"{method} {path} was answered {status}: {said}"))
        self.status = status
        self.body = body


class VerificationError(AssertionError):
    """What must have been called was not; the message says what was near."""


class UndeliveredError(AssertionError):
    """Webhooks were still due when the wait for them ended; the message has their attempts."""


class NoAnswerError(ConnectionError):
    """Nothing answered at the server's URL; the message says why."""
