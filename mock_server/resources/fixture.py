"""Fixture files as text: YAML or JSON, read with the line of everything in it.

What comes out is plain JSON that a database can hold, so that nothing later on stumbles over a
date, half a character or a number without end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from yaml import Node

Path: TypeAlias = tuple[str | int, ...]
"""Where something is: `("customers", 0, "email")`."""

DEEPEST: Final = 100
TOO_DEEP: Final = f"is nested more than {DEEPEST} levels deep"

_INT64: Final = 2**63


class FixtureError(Exception):
    """A fixture cannot be used; the message says in one line where and why."""

    def __init__(self, reason: str, path: Path = (), line: int | None = None) -> None:
        self.reason = " ".join(reason.split())
        self.field = written(path)
        self.line = line
        where = [f"line {line}"] if line else []
        super().__init__(": ".join([*where, *([self.field] if path else []), self.reason]))

    def of_file(self, file: str) -> str:
        """The message with the name of the file that it is about."""
        return f"{file}{', ' if self.line else ': '}{self}"


class _RepeatedKeyError(Exception):
    """A JSON object has a key twice."""


class Fixture:
    """What a file says: `value` is plain JSON."""

    def __init__(self, text: str, value: Any, root: Node | None) -> None:
        self.value = value
        self._text = text
        self._root = root

    def error(self, reason: str, path: Path) -> FixtureError:
        """What is wrong at the path, with the line where that is or would be."""
        from mock_server.resources.yaml_text import compose, line_of

        if self._root is None:
            with suppress(FixtureError):
                self._root = compose(_as_yaml(self._text))
        return FixtureError(reason, path, line_of(self._root, path) if self._root else None)


def read(text: str, *, is_json: bool = False) -> Fixture:
    """The fixture that a text is; FixtureError where it is none. A text of nothing is empty."""
    try:
        fixture = _read_json(text) if is_json else _read_yaml(text)
    except json.JSONDecodeError as error:
        raise FixtureError(f"is no JSON: {error.msg}", line=error.lineno) from None
    except RecursionError:
        raise FixtureError(TOO_DEEP) from None
    except ValueError as error:  # a number of thousands of digits, a date that there is not
        raise FixtureError(f"cannot be read: {str(error).partition(':')[0]}") from None
    _check_plain(fixture, fixture.value, ())
    return fixture


def written(path: Iterable[str | int]) -> str:
    """The path as people write it: `customers[0].email`."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps.removeprefix(".")


def twice(key: str) -> str:
    return f"has the key {key} twice"


def _read_yaml(text: str) -> Fixture:
    from mock_server.resources.yaml_text import compose, construct

    root = compose(text)
    value = None if root is None else construct(root)
    return Fixture(text, {} if value is None else value, root)


def _read_json(text: str) -> Fixture:
    try:
        value = json.loads(text, object_pairs_hook=_once_each) if text.strip() else {}
    except _RepeatedKeyError as error:
        from mock_server.resources.yaml_text import compose

        compose(_as_yaml(text))  # which knows the line, and raises
        raise FixtureError(str(error)) from None
    return Fixture(text, value, None)


def _as_yaml(text: str) -> str:
    """JSON is YAML but for its tabs, which a string cannot hold."""
    return text.replace("\t", " ")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedKeyError(twice(next(name for name in names if names.count(name) > 1)))
    return mapping


def _check_plain(fixture: Fixture, value: Any, path: Path) -> None:
    """FixtureError where a value is none of JSON's, or none that the database can keep."""
    if len(path) > DEEPEST:
        raise FixtureError(TOO_DEEP)
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise fixture.error(f"has the key {key}, which is no text; quote it", path)
            _check_plain(fixture, key, path)
            _check_plain(fixture, item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_plain(fixture, item, (*path, index))
    elif (reason := _unfit(value)) is not None:
        raise fixture.error(reason, path)


def _unfit(value: object) -> str | None:
    """Why a single value cannot be kept; None where it can."""
    match value:
        case None | bool():
            return None
        case int():
            return None if -_INT64 <= value < _INT64 else "is a number beyond 64 bits"
        case float():
            return None if math.isfinite(value) else "is no number"
        case str():
            halved = not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value)
            return "holds half of a surrogate pair, which is no text" if halved else None
        case _:
            return f"is read as a {type(value).__name__}; put it in quotes"
