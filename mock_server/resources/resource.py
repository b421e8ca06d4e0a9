"""What all resources share: declared attributes, and how a row is shown with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, ClassVar, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mock_server.store.rows import Row

Moment: TypeAlias = Annotated[int, Field(ge=0, json_schema_extra={"format": "unix-time"})]
"""Whole seconds since 1970, UTC."""

Cents: TypeAlias = Annotated[int, Field(ge=0)]
"""An amount in the currency's smallest unit."""

Map: TypeAlias = dict[str, Any]
"""Free JSON that an integration attached."""


class Attributes(BaseModel):
    """A group of attributes inside a resource."""

    model_config = ConfigDict(defer_build=True, extra="forbid")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """An attribute that cannot be None is always shown, so an answer's schema requires it."""
        schema = handler(core_schema)
        if handler.mode == "validation":
            return schema
        handler.resolve_ref_schema(schema)["required"] = [
            name for name, field in cls.model_fields.items() if not _admits_none(field.annotation)
        ]
        return schema


class Resource(Attributes):
    """A resource's attributes in the order in which Chargebee shows them.

    An attribute that is not a plain value is kept as JSON in its column.
    """

    kind: ClassVar[str]
    """The resource's name: the key of its wrapper and its `object` attribute."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The attributes and, in answers, the `object` that `show` adds to them."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        if handler.mode == "validation":
            return schema
        described = handler.resolve_ref_schema(schema)
        described["properties"]["object"] = {"type": "string", "const": cls.kind}
        described["required"].append("object")
        return schema

    @classmethod
    def show(cls, row: Mapping[str, Any]) -> dict[str, Any]:
        """The resource as an answer shows it: attributes without a value are left out."""
        shown = {
            name: value if restore is None else restore(value)
            for name, restore in _attributes(cls)
            if (value := row.get(name)) is not None
        }
        shown["object"] = cls.kind
        return shown

    def to_row(self) -> Row:
        """The columns that keep this resource, less its site."""
        values = self.model_dump(mode="json", exclude_none=True)
        return {
            name: json.dumps(value) if isinstance(value, dict | list) else value
            for name, value in values.items()
        }


_Restore: TypeAlias = Callable[[Any], Any] | None
_known: dict[type[Resource], tuple[tuple[str, _Restore], ...]] = {}


def _attributes(resource: type[Resource]) -> tuple[tuple[str, _Restore], ...]:
    if resource not in _known:
        _known[resource] = tuple(
            (name, _restore(field.annotation)) for name, field in resource.model_fields.items()
        )
    return _known[resource]


def _restore(annotation: object) -> _Restore:
    """How a column's value becomes the attribute; None where it is the attribute already."""
    kind = annotation
    if isinstance(annotation, UnionType):
        kind = next(member for member in get_args(annotation) if member is not type(None))
    kind = get_origin(kind) or kind
    if kind is bool:
        return bool
    if kind in (list, dict) or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return _from_json
    return None


def _admits_none(annotation: object) -> bool:
    return type(None) in get_args(annotation)


def _from_json(value: str | list[Any] | dict[str, Any]) -> Any:
    return json.loads(value) if isinstance(value, str) else value
