"""One request as the rooms below the URL space see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from starlette.types import Scope

from mock_server.wire.auth import ApiKey, Site
from mock_server.wire.directives import Directives

_TRACE: Final = "chargebee_mock.trace"


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for what: `version` is the API's (`v1`), `now` whole seconds since 1970."""

    site: Site
    key: ApiKey
    version: str
    directives: Directives
    now: int


@dataclass(slots=True)
class Trace:
    """What the journal learns of a request while it is answered.

    `ignored` are the names of parameters that were sent and not used.
    """

    request_id: str
    site: str | None = None
    key_name: str | None = None
    operation: str | None = None
    ignored: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def begin_trace(scope: Scope, trace: Trace) -> None:
    scope[_TRACE] = trace


def trace_of(scope: Scope) -> Trace:
    """The trace of a request that came through the journal."""
    trace: Trace = scope[_TRACE]
    return trace
