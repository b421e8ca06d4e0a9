"""An operation: where it is, what it takes, whose rules it runs, what it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from mock_server.resources.page import Page
from mock_server.resources.resource import Resource
from mock_server.store.rows import Row
from mock_server.wire.listing import Listing, next_offset
from mock_server.wire.parameters import Parameters

Rule = Callable[..., Row | Page]
"""`rule(rows, call, parameters, *ids)`: a row for one resource, a Page for a list."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of an API version; `name` and `path` are those of Chargebee's own description."""

    name: str
    method: str
    path: str
    rule: Rule
    parameters: type[Parameters]
    resource: type[Resource]

    @property
    def writes(self) -> bool:
        return self.method == "POST"

    @property
    def lists(self) -> bool:
        return issubclass(self.parameters, Listing)

    @property
    def ids(self) -> list[str]:
        """The names of the ids in the path, such as `order-id`."""
        return re.findall(r"{([^}]+)}", self.path)

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
