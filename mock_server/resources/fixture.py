"""Fixture files as text: YAML or JSON, and the line of everything in them.

What comes out is plain JSON that a database can hold, so that nothing later on stumbles over a
date, half a character or a number without end. What it costs is in proportion to the text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where something is: `("customers", 0, "email")`."""

DEEPEST: Final = 100
TOO_DEEP: Final = f"is nested more than {DEEPEST} levels deep"
MOST_VALUES: Final = 1_000_000
"""Values in a file, those behind aliases counted each time."""

_INT64: Final = 2**63
_LONGEST_REASON: Final = 500
_LONGEST_FIELD: Final = 200


class FixtureError(Exception):
    """A fixture cannot be used; the message says in one line where and why."""

    def __init__(self, reason: str, path: Path = (), line: int | None = None) -> None:
        self.reason = shortened(" ".join(reason[: 2 * _LONGEST_REASON].split()), _LONGEST_REASON)
        self.field = shortened(written(path), _LONGEST_FIELD)
        self.line = line
        where = [f"line {line}"] if line else []
        super().__init__(": ".join([*where, *([self.field] if path else []), self.reason]))

    def of_file(self, file: str) -> str:
        """The message with the name of the file that it is about."""
        return f"{file}{', ' if self.line else ': '}{self}"


class Fixture:
    """What a file says: `value` is plain JSON."""

    def __init__(self, text: str, value: Any, *, is_json: bool) -> None:
        self.value = value
        self._text = text
        self._is_json = is_json

    def value_at(self, path: Path) -> Any:
        """What is there; KeyError or IndexError where nothing is."""
        value = self.value
        for step in path:
            value = value[step]
        return value

    def error(self, reason: str, path: Path) -> FixtureError:
        """What is wrong at the path, with the line where that is or would be."""
        if self._is_json:
            from mock_server.resources.json_text import line_of
        else:
            from mock_server.resources.yaml_text import line_of
        return FixtureError(reason, path, line_of(self._text, path))


def read(text: str, *, is_json: bool = False) -> Fixture:
    """The fixture that a text is; FixtureError where it is none. A text of nothing is empty."""
    if is_json:
        from mock_server.resources.json_text import parse
    else:
        from mock_server.resources.yaml_text import parse
    try:
        value = parse(text)
    except RecursionError:
        raise FixtureError(TOO_DEEP) from None
    except ValueError as error:  # a number of thousands of digits
        raise FixtureError(f"cannot be read: {str(error).partition(':')[0]}") from None
    fixture = Fixture(text, {} if value is None else value, is_json=is_json)
    _check_plain(fixture, fixture.value, ())
    return fixture


def written(path: Iterable[str | int]) -> str:
    """The path as people write it: `customers[0].email`."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps.removeprefix(".")


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def twice(key: str) -> str:
    return f"has the key {key} twice"


def _check_plain(fixture: Fixture, value: Any, path: Path) -> None:
    """FixtureError where a value is none of JSON's, or none that the database can keep."""
    if len(path) > DEEPEST:
        raise FixtureError(TOO_DEEP)
    if isinstance(value, dict):
        for key, item in value.items():
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
        case int():
            return None if -_INT64 <= value < _INT64 else "is a number beyond 64 bits"
        case float():
            return None if math.isfinite(value) else "is no number"
        case str() if not value.isascii():
            with suppress(UnicodeEncodeError):
                value.encode()
                return None
            return "holds half of a surrogate pair, which is no text"
        case None | str():
            return None
        case _:
            return "is no value that JSON has"
