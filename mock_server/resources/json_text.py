"""JSON as plain values, and the line at which one of them stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from mock_server.resources.fixture import MOST_VALUES, FixtureError, Path, twice

_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[{}\[\],]', re.DOTALL)
"""A text without an end goes to the end of all, or it would be begun anew at each quote in it."""
_VALUE: Final = re.compile(r"\S|$")


class _RepeatedKeyError(Exception):
    """An object has a key twice."""


def parse(text: str) -> Any:
    """The values of the text, None where it is empty; FixtureError where it is no JSON of ours.

    RecursionError and ValueError come of depths and numbers without end.
    """
    if not text.strip():
        return None
    _check_number_of_values(text)
    try:
        return json.loads(text, object_pairs_hook=_once_each)
    except json.JSONDecodeError as error:
        raise FixtureError(f"is no JSON: {error.msg}", line=error.lineno) from None
    except _RepeatedKeyError:
        raise _repeated_key(text) from None


def line_of(text: str, path: Path) -> int | None:
    """The line at which the value at the path begins, or would: then its parent's."""
    reached, at = 0, _VALUE.search(text).start()  # type: ignore[union-attr]
    for depth, step, place in _steps(text):
        if reached == len(path) or (step is None and depth == reached):
            break
        if depth == reached and step == path[depth]:
            reached, at = reached + 1, place
    return _line(text, at)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise _RepeatedKeyError
    return mapping


def _repeated_key(text: str) -> FixtureError:
    """What to say of a text in which an object has a key twice."""
    seen: list[set[str]] = []
    for depth, step, place in _steps(text):
        if step is None:
            del seen[depth:]
        elif isinstance(step, str):
            seen += (set() for _ in range(depth + 1 - len(seen)))
            if step in seen[depth]:
                return FixtureError(twice(step), line=_line(text, place))
            seen[depth].add(step)
    return FixtureError("has a key twice")


def _check_number_of_values(text: str) -> None:
    """FixtureError where there are too many for the memory that they would take."""
    signs = sum(map(text.count, ",[{"))
    if signs > MOST_VALUES:  # or it has texts with many commas
        counted = (token for token in _TOKEN.finditer(text) if token[0] in ",[{")
        signs = sum(1 for _ in islice(counted, MOST_VALUES + 1))
    if signs > MOST_VALUES:
        raise FixtureError(f"holds more than {MOST_VALUES} values", line=1)


def _steps(text: str) -> Iterator[tuple[int, str | int | None, int]]:
    """Each key and each index of a JSON text, how deep it is, and where what it names begins.

    None stands for the end of an object or a list of that depth.
    """
    indices: list[int | None] = []
    is_key = False
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{":
                indices.append(None)
                is_key = True
            case "[":
                indices.append(0)
                yield len(indices) - 1, 0, _after(text, token)
            case "}" | "]":
                indices.pop()
                is_key = False
                yield len(indices), None, token.start()
            case "," if (index := indices[-1]) is None:
                is_key = True
            case ",":
                assert index is not None
                indices[-1] = index + 1
                yield len(indices) - 1, index + 1, _after(text, token)
            case key if is_key:
                is_key = False
                yield len(indices) - 1, json.loads(key), token.start()


def _after(text: str, token: re.Match[str]) -> int:
    return _VALUE.search(text, token.end()).start()  # type: ignore[union-attr]


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
