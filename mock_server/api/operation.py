"""An operation that is carried out: which of the contract's, by whose rules, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json

from mock_server.contract import facts
from mock_server.contract.facts import Field
from mock_server.resources.page import Page
from mock_server.resources.resource import Resource
from mock_server.store.rows import Row
from mock_server.wire.listing import MAX_OFFSET, next_offset

Rule = Callable[..., Row | Page]
"""`rule(rows, call, given, *ids)`: a row for one resource, a Page for a list."""

PAGING: Final = (
    Field("limit", "integer", low=1.0, high=100.0, default="10"),
    Field("offset", "string", limit=MAX_OFFSET),
)
"""Parameters of every list, beside its filters; the contract does not repeat them."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What carries out an operation of the contract."""

    known: facts.Operation
    rule: Rule
    resource: type[Resource]

    @property
    def name(self) -> str:
        return self.known.name

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its parameters, in the order in which they are checked."""
        return (*self.known.fields, *PAGING) if self.known.lists else self.known.fields

    def answer(self, result: Row | Page) -> bytes:
        """The JSON of a 200: `{"order": {…}}`, or `{"list": […], "next_offset": "…"}`."""
        if not isinstance(result, Page):
            return to_json(self._wrapped(result))
        shown: dict[str, Any] = {"list": [self._wrapped(row) for row in result.rows]}
        if result.last is not None:
            shown["next_offset"] = next_offset(result.last)
        return to_json(shown)

    def _wrapped(self, row: Row) -> dict[str, Any]:
        return {self.resource.kind: self.resource.show(row)}
