"""`/_mock/coverage`: which of Chargebee's operations the sandbox carries out."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import APIRouter
from pydantic import BaseModel

from mock_server.contract.facts import VERSIONS, facts


class Operation(BaseModel):
    """One of Chargebee's operations; one that is not carried out answers 501."""

    version: str
    operation: str
    method: str
    path: str
    carried_out: bool


class Coverage(BaseModel):
    """All operations of all versions, in the order of the contract."""

    operations: list[Operation]


def coverage(carried_out: Collection[str]) -> APIRouter:
    """The route; `carried_out` are the names of operations."""
    router = APIRouter(tags=["server"])

    @router.get("/coverage")
    async def show_coverage() -> Coverage:
        """Every operation of API v1 and v2, and whether it is carried out here."""
        return Coverage(
            operations=[
                Operation(
                    version=version,
                    operation=operation.name,
                    method=operation.method,
                    path=f"/api/{version}{operation.path}",
                    carried_out=operation.name in carried_out,
                )
                for version in VERSIONS
                for operation in facts(version).operations
            ]
        )

    return router
