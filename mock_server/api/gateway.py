"""Everything under /api/: each request finds its path, and each answer is Chargebee's."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.routing import Match, Route, Router
from starlette.types import Receive, Scope, Send

from mock_server.api.endpoint import Endpoint
from mock_server.api.operation import Operation
from mock_server.store.database import Database
from mock_server.wire import errors
from mock_server.wire.answer import send_error
from mock_server.wire.auth import Directory
from mock_server.wire.call import trace_of
from mock_server.wire.errors import ApiError

_log = logging.getLogger("chargebee_mock")


class Gateway:
    """The ASGI application of the API's versions; every failure is answered in Chargebee's form."""

    def __init__(
        self,
        versions: Mapping[str, tuple[Operation, ...]],
        directory: Directory,
        database: Database,
        *,
        strict_params: bool,
    ) -> None:
        self.operations = {operation.name for listed in versions.values() for operation in listed}
        self._router = Router(
            [
                Route(
                    f"/api/{version}{path.replace('-', '_')}",
                    Endpoint(version, operations, directory, database, strict_params=strict_params),
                )
                for version, declared in versions.items()
                for path, operations in _by_path(declared).items()
            ],
            redirect_slashes=False,
            default=_no_such_path,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._router(_as_sent(scope), receive, send)
        except ApiError as error:
            if error.remark is not None:
                trace_of(scope).remarks.append(error.remark)
            await send_error(scope, send, error)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:  # the server stops, and this request's body never came
            await send_error(scope, send, errors.temporary("The server is stopping"))
        except Exception:
            request_id = trace_of(scope).request_id
            _log.exception("request %s failed", request_id)
            await send_error(scope, send, errors.internal_error(request_id))

    def operation_of(self, scope: Scope) -> str | None:
        """The name of the operation that a request asks for; None where it asks for none."""
        for route in self._router.routes:
            match, found = route.matches(_as_sent(scope))
            if match is not Match.NONE:
                endpoint: Endpoint = found["endpoint"]
                return endpoint.operation_of(scope["method"])
        return None


def _as_sent(scope: Scope) -> Scope:
    """With the path as it was sent, so that an id may hold an escaped slash."""
    raw_path: bytes = scope["raw_path"]
    return {**scope, "path": raw_path.decode("latin-1")}


def _by_path(operations: tuple[Operation, ...]) -> dict[str, list[Operation]]:
    paths = defaultdict(list)
    for operation in operations:
        paths[operation.path].append(operation)
    return paths


async def _no_such_path(scope: Scope, receive: Receive, send: Send) -> None:
    raise errors.path_not_found()
