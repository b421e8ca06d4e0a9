"""What all resources share: declared attributes, and how a row is shown with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from types import UnionType
from typing import Annotated, Any, ClassVar, Final, TypeAlias, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mock_server.store.rows import Row, read_json
from mock_server.wire import email_address

Moment: TypeAlias = Annotated[int, Field(ge=0, json_schema_extra={"format": "unix-time"})]
"""Whole seconds since 1970, UTC."""

Cents: TypeAlias = Annotated[int, Field(ge=0)]
"""An amount in the currency's smallest unit."""

Map: TypeAlias = dict[str, Any]
"""Free JSON that an integration attached."""

_Part = TypeVar("_Part", bound="Attributes")
Parts: TypeAlias = Annotated[list[_Part], Field(fail_fast=True)]
"""A list of groups; the first that does not fit is not followed by others."""


Given: TypeAlias = Mapping[str, Any]
"""An operation's parameters by name, typed as the contract has them; a blank one is None."""

_EMAIL_FORMAT: Final[dict[str, Any]] = {"format": "email"}


def required(limit: int) -> Any:
    """Field of a string that must be there, of at most `limit` characters."""
    return Field(max_length=limit)


def text(limit: int) -> Any:
    """Field of an optional string of at most `limit` characters."""
    return Field(default=None, max_length=limit)


def email(limit: int) -> Any:
    """Field of an optional e-mail address."""
    return Field(
        default=None,
        max_length=limit,
        pattern=email_address.PATTERN,
        json_schema_extra=_EMAIL_FORMAT,
    )


def required_email(limit: int) -> Any:
    return Field(max_length=limit, pattern=email_address.PATTERN, json_schema_extra=_EMAIL_FORMAT)


def number(low: int, high: int) -> Any:
    """Field of an optional number from `low` to `high`."""
    return Field(default=None, ge=low, le=high)


class Attributes(BaseModel):
    """A group of attributes, in the order in which Chargebee shows them.

    A group that says what it is has an attribute `object` with that as its default, in its place.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid")

    @classmethod
    def show(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The group as an answer shows it: attributes without a value are left out."""
        return {
            name: value if restore is None else restore(value)
            for name, restore, fixed in _attributes(cls)
            if (value := values.get(name, fixed)) is not None
        }

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
    """A resource. An attribute that is not a plain value is kept as JSON in its column."""

    kind: ClassVar[str]
    """The resource's name: the key of its wrapper and its `object` attribute."""

    derived: ClassVar[frozenset[str]] = frozenset()
    """The attributes that follow from others, so that no column keeps them."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The attributes and, in answers, the `object` that `show` ends with if it has no place."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        if handler.mode == "validation":
            return schema
        described = handler.resolve_ref_schema(schema)
        if "object" not in described["properties"]:
            described["properties"]["object"] = {"type": "string", "const": cls.kind}
            described["required"].append("object")
        return schema

    def to_row(self) -> Row:
        """The columns that keep this resource, less its site."""
        values = self.model_dump(
            mode="json", exclude_none=True, exclude={"object", *type(self).derived}
        )
        return {
            name: json.dumps(value) if isinstance(value, dict | list) else value
            for name, value in values.items()
        }


_Restore: TypeAlias = Callable[[Any], Any] | None
_Shown: TypeAlias = tuple[str, _Restore, str | None]
"""An attribute's name, how a kept value becomes the shown one, and its value where it is fixed."""

_known: dict[type[Attributes], tuple[_Shown, ...]] = {}


def _attributes(group: type[Attributes]) -> tuple[_Shown, ...]:
    if group not in _known:
        shown: list[_Shown] = [
            (name, _restore(field.annotation), field.default if name == "object" else None)
            for name, field in group.model_fields.items()
        ]
        if issubclass(group, Resource) and "object" not in group.model_fields:
            shown.append(("object", None, group.kind))
        _known[group] = tuple(shown)
    return _known[group]


def _restore(annotation: object) -> _Restore:
    """How a column's value becomes the attribute; None where it is the attribute already."""
    if (part := part_of(annotation)) is not None:
        return lambda value: _show_parts(part, value)
    kind = annotation
    if isinstance(annotation, UnionType):
        kind = next(member for member in get_args(annotation) if member is not type(None))
    kind = get_origin(kind) or kind
    if kind is bool:
        return bool
    return partial(_read, kind) if kind in (list, dict) else None


def part_of(annotation: object) -> type[Attributes] | None:
    """The group that an attribute is, or has a list of; None where it has none."""
    if isinstance(annotation, type) and issubclass(annotation, Attributes):
        return annotation
    return next(filter(None, map(part_of, get_args(annotation))), None)


def _show_parts(part: type[Attributes], value: Any) -> Any:
    values = read_json(value, object) if isinstance(value, str) else value
    if isinstance(values, list):
        return [part.show(_read(dict, one)) for one in values]
    return part.show(_read(dict, values))


def _admits_none(annotation: object) -> bool:
    return type(None) in get_args(annotation)


def _read(kind: type, value: Any) -> Any:
    return value if isinstance(value, kind) else read_json(value, kind)
