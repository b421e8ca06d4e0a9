"""What a request must be like, and in what a journalled one differs from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    field_validator,
    model_validator,
)
from pydantic_core import SchemaError, SchemaValidator, core_schema

from mock_server.sandbox.requests import MAX_PATH, STATUS, headers_of, params_of, status_range
from mock_server.store.rows import Row
from mock_server.wire.form import Nested
from mock_server.wire.parameters import bracketed

_SHOWN: Final = 200
"""Characters of a value that a difference shows."""
_TESTS: Final = frozenset({"matches", "present", "absent"})


class Condition(BaseModel):
    """What a value must be like where it is not simply stated; one of the three.

    `matches` is a regular expression for the whole value. It is Rust's kind, which takes linear
    time, so that none can hold the server up; it has no look-around and no back-references.
    """

    model_config = ConfigDict(extra="forbid")

    matches: str | None = None
    present: Literal[True] | None = None
    absent: Literal[True] | None = None

    @field_validator("matches")
    @classmethod
    def _is_regular(cls, matches: str | None) -> str | None:
        if matches is not None:
            _regex(matches)
        return matches

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("name one of matches, present and absent")
        return self

    def __str__(self) -> str:
        if self.matches is not None:
            return f"to match {self.matches}"
        return "to be there" if self.present else "to be absent"


def _as_sent(given: object) -> object:
    """A value as it travels in a form: always text."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str | int):
        return str(given)
    raise ValueError("expected a text, a number, true or false, or an object")


def _as_text(given: object) -> object:
    return str(given) if isinstance(given, int) else given


def _kind(given: object) -> str:
    if not isinstance(given, Mapping):
        return "value"
    return "condition" if given.keys() & _TESTS else "group"


Value: TypeAlias = Annotated[
    str,
    BeforeValidator(_as_sent, json_schema_input_type=str | int | bool),
    Field(description="The value itself."),
]


class Group(RootModel[dict[str, "Param"]]):
    """Parameters inside a parameter, such as the lines of a shipping_address."""


Header: TypeAlias = Annotated[
    Annotated[Value, Tag("value")] | Annotated[Condition, Tag("condition")],
    Discriminator(lambda given: "condition" if isinstance(given, Mapping) else "value"),
]
Param: TypeAlias = Annotated[
    Annotated[Value, Tag("value")]
    | Annotated[Condition, Tag("condition")]
    | Annotated[Group, Tag("group")],
    Discriminator(_kind),
]
Group.model_rebuild()


class Pattern(BaseModel):
    """A request that must have been made; what is not named may be anything.

    In `path`, `*` stands for any characters; `status` may be a class, such as `4xx`. `params` and
    `headers` name some of the request's, others may be there too. A parameter in a group is
    written nested, or as clients do: `shipping_address[city]`.
    """

    model_config = ConfigDict(extra="forbid")

    method: str | None = Field(default=None, pattern="^[A-Za-z]+$")
    path: str | None = Field(default=None, max_length=MAX_PATH)
    operation: str | None = None
    key_name: str | None = None
    status: Annotated[
        Annotated[str, Field(pattern=STATUS)] | None,
        BeforeValidator(_as_text, json_schema_input_type=str | int | None),
    ] = None
    params: dict[str, Param] = {}
    headers: dict[str, Header] = {}

    def differences(self, seen: Seen) -> list[str]:
        """Each field in which the request is not what is wanted, in words; none where it fits."""
        return [*self._of_columns(seen.row), *self._of_params(seen), *self._of_headers(seen)]

    def __str__(self) -> str:
        """`create_an_order with params.status=complete`: what is wanted, in words."""
        called = " ".join(part for part in (self._method, self.path) if part)
        details = {"key_name": self.key_name, "status": self.status}
        if self.operation is not None:
            details = {"method": self._method, "path": self.path} | details
        told = [f"{name}={value}" for name, value in details.items() if value is not None]
        for name, wanted in [*self._wanted_params, *self._wanted_headers]:
            told.append(f"{name}={wanted}" if isinstance(wanted, str) else f"{name} {wanted}")
        subject = self.operation or called or "any operation"
        return " with ".join([subject, *filter(None, [", ".join(told)])])

    @property
    def _method(self) -> str | None:
        return self.method and self.method.upper()

    @cached_property
    def _wanted_params(self) -> list[tuple[str, str | Condition]]:
        return [(f"params.{name}", wanted) for name, wanted in _flat(self.params)]

    @cached_property
    def _wanted_headers(self) -> list[tuple[str, str | Condition]]:
        return [(f"headers.{name.lower()}", wanted) for name, wanted in self.headers.items()]

    def _of_columns(self, row: Row) -> Iterator[str]:
        for name, wanted in (
            ("method", self._method),
            ("operation", self.operation),
            ("key_name", self.key_name),
        ):
            if wanted is not None and row[name] != wanted:
                yield f"{name}: expected {wanted}, was {_told(row[name])}"
        if self.path is not None and not _glob(self.path).isinstance_python(row["path"]):
            yield f"path: expected {self.path}, was {_told(row['path'])}"
        if self.status is not None:
            lowest, highest = status_range(self.status)
            if not lowest <= row["status"] <= highest:
                yield f"status: expected {self.status}, was {row['status']}"

    def _of_params(self, seen: Seen) -> Iterator[str]:
        for name, wanted in self._wanted_params:
            yield from _difference(name, wanted, seen.params)

    def _of_headers(self, seen: Seen) -> Iterator[str]:
        for name, wanted in self._wanted_headers:
            yield from _difference(name, wanted, seen.headers)


class Seen:
    """A request of the journal; its parameters and headers are read once they are asked for."""

    def __init__(self, row: Row) -> None:
        self.row: Final = row

    @property
    def id(self) -> str:
        id: str = self.row["id"]
        return id

    @property
    def started_at(self) -> float:
        """In seconds since 1970; of an entry of an older journal, only the second is known."""
        return float(self.row["started_at"] or self.row["created_at"])

    @property
    def summary(self) -> dict[str, Any]:
        return {name: self.row[name] for name in ("id", "created_at", "method", "path", "status")}

    @cached_property
    def params(self) -> dict[str, str | None]:
        """By `params.` and their bracketed names; None for a group's own name."""
        return dict(_leaves("params.", params_of(self.row) or {}))

    @cached_property
    def headers(self) -> dict[str, str | None]:
        """By `headers.` and their names in lower case."""
        return {f"headers.{name}": value for name, value in headers_of(self.row).items()}


def _flat(
    params: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, str | Condition]]:
    for name, wanted in params.items():
        if isinstance(wanted, Group):
            yield from _flat(wanted.root, (*path, name))
        else:
            yield bracketed((*path, name)), wanted


def _leaves(
    prefix: str, values: Nested, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, str | None]]:
    for name, value in values.items():
        place = (*path, name)
        if isinstance(value, str):
            yield prefix + bracketed(place), value
        else:
            yield prefix + bracketed(place), None
            yield from _leaves(prefix, value, place)


def _difference(
    name: str, wanted: str | Condition, actual: Mapping[str, str | None]
) -> Iterator[str]:
    is_there = name in actual
    value = actual.get(name)
    if not _fits(wanted, is_there, value):
        expected = _told(wanted) if isinstance(wanted, str) else str(wanted)
        was = "a group" if is_there and value is None else _told(value)
        yield f"{name}: expected {expected}, was {was}"


def _fits(wanted: str | Condition, is_there: bool, value: str | None) -> bool:
    if isinstance(wanted, str):
        return value == wanted
    if wanted.matches is not None:
        return value is not None and _regex(wanted.matches).isinstance_python(value)
    return is_there if wanted.present else not is_there


def _told(value: str | None) -> str:
    if value is None:
        return "absent"
    return (value if len(value) <= _SHOWN else value[:_SHOWN] + "…") or "empty"


@lru_cache
def _glob(path: str) -> SchemaValidator:
    """What accepts the paths that `path` stands for."""
    return _regex(".*".join(map(re.escape, path.split("*"))))


@lru_cache
def _regex(pattern: str) -> SchemaValidator:
    """What accepts the texts that match as a whole; ValueError where there is no such pattern."""
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
        return SchemaValidator(core_schema.str_schema(pattern=f"^(?:{pattern})$"))
    except SchemaError as error:
        reason = str(error).strip().splitlines()[-1].strip().removeprefix("error: ")
        raise ValueError(f"not a regular expression: {reason}") from None
