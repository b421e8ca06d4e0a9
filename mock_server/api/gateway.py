"""Every request but those of /_mock: each finds its path, and each answer is Chargebee's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from mock_server.api.endpoint import Endpoint
from mock_server.api.operation import Operation
from mock_server.api.routes import Match, Routes
from mock_server.api.unknown_path import unknown_path
from mock_server.contract import facts
from mock_server.store.database import Database
from mock_server.wire.answer import send_error, send_internal_error
from mock_server.wire.auth import Directory
from mock_server.wire.call import trace_of
from mock_server.wire.errors import ApiError
from mock_server.wire.idempotency import Underway

Found: TypeAlias = Match[Endpoint] | None

_FOUND: Final = "chargebee_mock.found"
_LONGEST: Final = 200
"""Characters that are quoted of an id."""


class Gateway:
    """The ASGI application of the API's versions; every failure is answered in Chargebee's form."""

    def __init__(
        self,
        versions: Mapping[str, tuple[Operation, ...]],
        directory: Directory,
        database: Database,
        underway: Underway,
        *,
        strict_params: bool,
    ) -> None:
        """`versions` has the operations of each version that are carried out."""
        self.operations = {operation.name for listed in versions.values() for operation in listed}
        self._versions = tuple(versions)
        self._routes = Routes(
            {
                f"/api/{version}{path}": Endpoint(
                    version,
                    known,
                    [operation for operation in carried_out if operation.known.path == path],
                    directory,
                    database,
                    underway,
                    strict_params=strict_params,
                )
                for version, carried_out in versions.items()
                for path, known in _by_path(facts.facts(version).operations).items()
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, receive, send)
        except ApiError as error:
            if error.remark is not None:
                trace_of(scope).remarks.append(error.remark)
            await send_error(scope, send, error)
        except ClientDisconnect:
            return
        except Exception:
            await send_internal_error(scope, send)

    def operation_of(self, scope: Scope) -> str | None:
        """The name of the operation that a request asks for; None where it asks for none."""
        found = self._find(scope)
        return found.target.operation_of(scope["method"]) if found else None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope)
        if found is None:
            path = scope["raw_path"].decode("latin-1")
            raise unknown_path(path, self._routes, self._versions, _taking(scope["method"]))
        if b"%2f" in scope["raw_path"].lower():
            trace_of(scope).remarks.append(
                "an escaped slash in the path: the real service is reported not to find such an id"
            )
        if found.joined:
            taken = " and ".join(found.ids)
            trace_of(scope).remarks.append(f"the id is taken to be {taken[:_LONGEST]}")
        await found.target(scope, receive, send, found.ids)

    def _find(self, scope: Scope) -> Found:
        """Where the request's path leads; looked for once for each request."""
        if _FOUND not in scope:
            scope[_FOUND] = self._routes.find(scope["raw_path"], _taking(scope["method"]))
        found: Found = scope[_FOUND]
        return found


def _taking(method: str) -> Callable[[Endpoint], bool]:
    return lambda endpoint: endpoint.operation_of(method) is not None


def _by_path(operations: Iterable[facts.Operation]) -> dict[str, list[facts.Operation]]:
    paths = defaultdict(list)
    for operation in operations:
        paths[operation.path].append(operation)
    return paths
