"""Our own OpenAPI description of what is carried out, composed when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mock_server.api.operation import PAGING, Operation
from mock_server.contract import openapi
from mock_server.contract.facts import Operation as Known
from mock_server.contract.openapi import ERROR, SECURITY, Described, answer

__all__ = ["SECURITY", "describe", "refusals"]

_ERRORS: Final = {
    400: "A parameter is missing or wrong, or the id is taken.",
    401: "No API key, or one that does not open this site.",
    403: "The API key may not do this.",
    404: "Nothing has this id, or no site has this name.",
    409: "The state forbids it, or a request under the same idempotency key is under way.",
    413: "The body is too long.",
    422: "The idempotency key was used for another request.",
    429: "A fault or the site's rate limit, where they are switched on.",
    500: "A bug of the sandbox.",
    503: "The database is locked, full or read-only.",
}
_WRITE_ERRORS: Final = frozenset({409, 413, 422})


def describe(
    versions: Mapping[str, tuple[Operation, ...]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The paths and the component schemas of the API's versions."""
    return openapi.describe(
        Described(
            operation.known,
            more=PAGING if operation.known.lists else (),
            about=operation.rule.__doc__,
            meanings=_meanings(operation.known),
        )
        for carried_out in versions.values()
        for operation in carried_out
    )


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Answers of these statuses with Chargebee's error body, as FastAPI's `responses`."""
    return {status: answer(_ERRORS[status], ERROR) for status in statuses}


def _meanings(operation: Known) -> dict[int, str]:
    """What the statuses mean that the operation answers other than 200."""
    return {
        status: meaning
        for status, meaning in _ERRORS.items()
        if operation.writes or status not in _WRITE_ERRORS
    }
