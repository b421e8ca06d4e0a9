"""What a request must be like, and in what a journalled one differs from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    model_validator,
)

from mock_server import wildcard
from mock_server.sandbox.body import Text, Wildcard
from mock_server.sandbox.requests import STATUS, headers_of, params_of, status_range
from mock_server.store.rows import Row
from mock_server.wire.form import Nested, bracketed

_SHOWN: Final = 200
"""Characters of a value that is told."""
_MOST_NAMES: Final = 100
_TESTS: Final = frozenset({"present", "absent", "matches"})
"""What tells a condition from a group; `matches`, which there was, is refused and no group."""


class Condition(BaseModel):
    """What is asked of a value that is not stated; one of the two."""

    model_config = ConfigDict(extra="forbid")

    present: Literal[True] | None = None
    absent: Literal[True] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.present is None) == (self.absent is None):
            raise ValueError("name one of present and absent")
        return self

    def __str__(self) -> str:
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
    Wildcard, BeforeValidator(_as_sent, json_schema_input_type=str | int | bool)
]


class Group(RootModel[dict[Text, "Param"]]):
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

    In `path` and in values `*` stands for any characters; `status` may be a class, such as `4xx`.
    `params` and `headers` name some of the request's, others may be there too. A parameter in a
    group is written nested, or as clients do: `shipping_address[city]`.
    """

    model_config = ConfigDict(extra="forbid")

    method: Annotated[Text, Field(pattern="^[A-Za-z]+$")] | None = None
    path: Wildcard | None = None
    operation: Text | None = None
    key_name: Text | None = None
    status: Annotated[
        Annotated[str, Field(pattern=STATUS)] | None,
        BeforeValidator(_as_text, json_schema_input_type=str | int | None),
    ] = None
    params: Annotated[dict[Text, Param], Field(max_length=_MOST_NAMES)] = {}
    headers: Annotated[dict[Text, Header], Field(max_length=_MOST_NAMES)] = {}

    def fits(self, seen: Seen) -> bool:
        return next(self.differences(seen), None) is None

    def differences(self, seen: Seen) -> Iterator[str]:
        """Each field in which the request is not what is wanted, in words; none where it fits.

        The request's parameters and headers are read last, and only where some are asked for.
        """
        yield from self._of_columns(seen.row)
        yield from self._of_params(seen)
        yield from self._of_headers(seen)

    def __str__(self) -> str:
        """`create_an_order with params.status=complete`: what is wanted, in words."""
        called = " ".join(part for part in (self._method, self.path) if part)
        details = {"key_name": self.key_name, "status": self.status}
        if self.operation is not None:
            details = {"method": self._method, "path": self.path} | details
        told = [f"{name}={value}" for name, value in details.items() if value is not None]
        params = [(f"params.{bracketed(path)}", wanted) for path, wanted in self._wanted_params]
        headers = [(f"headers.{name.lower()}", wanted) for name, wanted in self.headers.items()]
        for name, wanted in [*params, *headers]:
            told.append(f"{name}={wanted}" if isinstance(wanted, str) else f"{name} {wanted}")
        subject = self.operation or called or "any operation"
        return " with ".join([subject, *filter(None, [", ".join(told)])])

    @property
    def _method(self) -> str | None:
        return self.method and self.method.upper()

    @cached_property
    def _wanted_params(self) -> list[tuple[tuple[str, ...], str | Condition]]:
        return list(_flat(self.params))

    def _of_columns(self, row: Row) -> Iterator[str]:
        for name, wanted in (
            ("method", self._method),
            ("operation", self.operation),
            ("key_name", self.key_name),
        ):
            if wanted is not None and row[name] != wanted:
                yield f"{name}: expected {_told(wanted)}, was {_told(row[name])}"
        if self.path is not None and not wildcard.fits(self.path, row["path"]):
            yield f"path: expected {_told(self.path)}, was {_told(row['path'])}"
        if self.status is not None:
            lowest, highest = status_range(self.status)
            if not lowest <= row["status"] <= highest:
                yield f"status: expected {self.status}, was {row['status']}"

    def _of_params(self, seen: Seen) -> Iterator[str]:
        for path, wanted in self._wanted_params:
            value = _found(seen.params, path)
            if not _fits(wanted, value):
                yield _difference(f"params.{bracketed(path)}", wanted, value)

    def _of_headers(self, seen: Seen) -> Iterator[str]:
        for name, wanted in self.headers.items():
            value = seen.headers.get(name.lower())
            if not _fits(wanted, value):
                yield _difference(f"headers.{name.lower()}", wanted, value)


class Seen:
    """A request of the journal: its row without what is long, which `read` reads when it is asked.

    What a `Seen` has read it keeps; make one for as long as it is compared.
    """

    COLUMNS: Final = (
        *("seq", "id", "created_at", "started_at", "method", "path", "status"),
        *("operation", "key_name"),
    )
    """What its row has."""
    LONG_COLUMNS: Final = ("method", "query", "headers", "body")
    """What `read` reads of the row."""

    def __init__(self, row: Row, read: Callable[[Row], Row | None]) -> None:
        self.row: Final = row
        self._read = read

    @cached_property
    def params(self) -> Nested:
        return (self._whole and params_of(self._whole)) or {}

    @cached_property
    def headers(self) -> dict[str, str]:
        """By their names in lower case."""
        return headers_of(self._whole) if self._whole else {}

    @cached_property
    def _whole(self) -> Row | None:
        return self._read(self.row)


def _flat(
    params: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str | Condition]]:
    for name, wanted in params.items():
        inner = (*path, *_path(name))
        if isinstance(wanted, Group):
            yield from _flat(wanted.root, inner)
        else:
            yield inner, wanted


def _path(name: str) -> list[str]:
    """`shipping_address[city]` step by step."""
    root, bracket, steps = name.partition("[")
    return [root, *steps[:-1].split("][")] if bracket and steps.endswith("]") else [name]


def _found(params: Nested, path: tuple[str, ...]) -> str | Nested | None:
    value: str | Nested | None = params
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _difference(name: str, wanted: str | Condition, value: str | Nested | None) -> str:
    expected = _told(wanted) if isinstance(wanted, str) else str(wanted)
    return f"{name}: expected {expected}, was {_told(value)}"


def _fits(wanted: str | Condition, value: str | Nested | None) -> bool:
    if isinstance(wanted, str):
        return isinstance(value, str) and wildcard.fits(wanted, value)
    return (value is not None) == bool(wanted.present)


def _told(value: str | Nested | None) -> str:
    if value is None:
        return "absent"
    if isinstance(value, dict):
        return "a group"
    return (value if len(value) <= _SHOWN else value[:_SHOWN] + "…") or "empty"
