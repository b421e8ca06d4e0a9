"""A form's nested text into typed values, as the facts of an operation have them.

The first parameter that does not fit, in the order of the facts, is the one that is named. A value
that is blank counts as None: missing where one is required, and cleared by an update. In a row or
a list a blank is as good as nothing.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any, Final

from mock_server.contract.facts import Field, Type
from mock_server.wire import email_address, errors
from mock_server.wire.form import Nested, bracketed

MAX_ROWS: Final = 1000
"""Indexes of a group of rows or of a list are below this: `coupon_ids[0]`."""
MAX_LEVELS: Final = 32
"""How deep JSON may be nested, so that whoever writes it again has room to."""
CUSTOM: Final = "cf_"
"""How the name of a field begins that a site has declared itself."""

_DIGITS: Final = re.compile(r"-?[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,2}")
_EMAIL: Final = re.compile(email_address.PATTERN)
_ESCAPE: Final = r"\\(?:[\\'\"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})"
_PYTHON_ITEM: Final = re.compile(
    rf"\s*('[^'\\]*(?:{_ESCAPE}[^'\\]*)*'|\"[^\"\\]*(?:{_ESCAPE}[^\"\\]*)*\""
    r"|-?[0-9]{1,19}(?:\.[0-9]{1,19})?)\s*(?:,|$)"
)
_HALF: Final = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which is no text."""
_INT64: Final = 2**63 - 1
_LATEST: Final = 253_402_300_799
"""The end of the year 9999."""


def read(
    fields: Sequence[Field], sent: Nested, ignored: list[str], *, takes_more: bool = False
) -> dict[str, Any]:
    """The typed values of what was sent; names that the facts do not know are added to `ignored`.

    Raises the ApiError of the first that is missing or does not fit, with the names added all the
    same: one of them may be the missing parameter, mistyped. With `takes_more`, custom fields are
    texts.
    """
    custom = [name for name in sent if takes_more and name.startswith(CUSTOM)]
    ignored.extend(_unknown(fields, {k: v for k, v in sent.items() if k not in custom}, ()))
    more = [Field(name, "string") for name in custom]
    return _read_group((*fields, *more), sent, ())


def read_text(field: Field, text: str, param: str) -> Any:
    """One value as its field has it; the ApiError that names `param` where it does not fit."""
    if not text.isascii() and _HALF.search(text):
        raise errors.wrong_format(param)
    return _READERS.get(field.type, _read_string)(field, text, param)


def read_json_list(text: str, param: str) -> list[str]:
    """The texts of a list as clients write it: `["a","b"]`, `['a', 'b']` or `[1, 2]`."""
    listed = _read_json_items(text, param)
    if not all(isinstance(item, str | int | float) for item in listed):
        raise errors.wrong_format(param)
    return [item if isinstance(item, str) else json.dumps(item) for item in listed]


def _read_group(fields: Sequence[Field], sent: Nested, path: tuple[str, ...]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for field in fields:
        value, place = _unless_blank(sent.get(field.name)), (*path, field.name)
        if value is not None:
            typed[field.name] = _read_field(field, value, place)
            continue
        _demand(field, place)
        if field.name in sent:
            typed[field.name] = None
    return typed


def _read_field(field: Field, value: str | Nested, path: tuple[str, ...]) -> Any:
    if field.many and field.type != "group":
        return _read_list(field, value, path)
    if isinstance(value, str) is (field.type == "group"):
        raise errors.wrong_format(bracketed(path))
    if isinstance(value, str):
        return read_text(field, value, bracketed(path))
    return (_read_rows if field.many else _read_group)(field.fields, value, path)


def _demand(field: Field, path: tuple[str, ...]) -> None:
    """Refuse that a field is blank: where it is required, or one of a group that it is.

    Rows may be missing altogether; what they require counts for each row that is there.
    """
    if field.required:
        raise errors.cannot_be_blank(bracketed(path))
    if field.type == "group" and not field.many:
        for inner in field.fields:
            _demand(inner, (*path, inner.name))


def _read_rows(
    fields: Sequence[Field], columns: Nested, path: tuple[str, ...]
) -> list[dict[str, Any]]:
    """`addons[id][0]=a&addons[id][1]=b` is sent by column and meant by row."""
    sent = {field.name: _column(columns, (*path, field.name)) for field in fields}
    indexes = {index for column in sent.values() for index in column}
    rows = (_read_row(fields, sent, index, path) for index in sorted(indexes, key=int))
    return [row for row in rows if row]


def _column(columns: Nested, path: tuple[str, ...]) -> Nested:
    """What was sent of one field of all rows, by index."""
    column = _unless_blank(columns.get(path[-1]))
    if column is None:
        return {}
    if isinstance(column, str):
        raise errors.wrong_format(bracketed(path))
    return _indexed(column, path)


def _read_row(
    fields: Sequence[Field], columns: Mapping[str, Nested], index: str, path: tuple[str, ...]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for field in fields:
        value = _unless_blank(columns[field.name].get(index))
        place = (*path, field.name, index)
        if value is not None:
            row[field.name] = _read_field(field, value, place)
        elif field.required:
            raise errors.cannot_be_blank(bracketed(place))
    return row


def _read_list(field: Field, value: str | Nested, path: tuple[str, ...]) -> list[Any]:
    """`coupon_ids[0]=a&coupon_ids[1]=b`, or the same as JSON text."""
    if isinstance(value, str) and field.type in ("map", "any"):
        return _read_json_items(value, bracketed(path))
    if isinstance(value, str):
        texts = read_json_list(value, bracketed(path))
        value = {str(index): text for index, text in enumerate(texts)}
    listed = []
    for index in sorted(_indexed(value, path), key=int):
        item, place = value[index], bracketed((*path, index))
        if not isinstance(item, str):
            raise errors.wrong_format(place)
        if item.strip():
            listed.append(read_text(field, item, place))
    if field.required and not listed:
        raise errors.cannot_be_blank(bracketed(path))
    return listed


def _read_string(field: Field, text: str, param: str) -> str:
    if field.limit is not None and len(text) > field.limit:
        raise errors.wrong_value(param, f"cannot be longer than {field.limit} characters")
    if len(text) < field.shortest:
        raise errors.wrong_value(param, f"cannot be shorter than {field.shortest} characters")
    return text


def _read_email(field: Field, text: str, param: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise errors.wrong_format(param)
    return _read_string(field, text, param)


def _read_enum(field: Field, text: str, param: str) -> str:
    if text not in field.values:
        allowed = ", ".join(field.values)
        raise errors.wrong_value(param, f"The value {text} is not one of {allowed}")
    return text


def _read_boolean(field: Field, text: str, param: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise errors.wrong_format(param)
    return text.lower() == "true"


def _read_integer(field: Field, text: str, param: str) -> int:
    if not _DIGITS.fullmatch(text):
        raise errors.wrong_format(param)
    number = int(text)
    _check_bounds(number, -_INT64 - 1, _INT64, param)
    _check_bounds(number, field.low, field.high, param)
    return number


def _read_time(field: Field, text: str, param: str) -> int:
    number = _read_integer(field, text, param)
    _check_bounds(number, 0, _LATEST, param)
    return number


def _read_decimal(field: Field, text: str, param: str) -> float:
    if not _DECIMAL.fullmatch(text):
        raise errors.wrong_format(param)
    number = float(text)
    _check_bounds(number, field.low, field.high, param)
    return number


def _check_bounds(number: float, low: float | None, high: float | None, param: str) -> None:
    if low is not None and number < low:
        raise errors.wrong_value(param, f"cannot be less than {_written(low)}")
    if high is not None and number > high:
        raise errors.wrong_value(param, f"cannot be greater than {_written(high)}")


def _written(bound: float) -> str:
    return str(int(bound) if bound == int(bound) else bound)


def _read_date(field: Field, text: str, param: str) -> str:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:  # the 31st of February
        pass
    raise errors.wrong_format(param)


def _read_map(field: Field, text: str, param: str) -> dict[str, Any]:
    value = _read_json(field, text, param)
    if not isinstance(value, dict):
        raise errors.wrong_format(param)
    return value


def _read_json(field: Field, text: str, param: str) -> Any:
    try:
        return _sound(json.loads(text))
    except (ValueError, RecursionError):
        raise errors.wrong_format(param) from None


def _read_json_items(text: str, param: str) -> list[Any]:
    """The items of a list, in JSON or in Python's notation, which is what its SDK sends."""
    try:
        try:
            listed = _sound(json.loads(text))
        except (ValueError, RecursionError):
            listed = _sound(list(islice(_python_items(text), MAX_ROWS + 1)))
    except ValueError:
        raise errors.wrong_format(param) from None
    if not isinstance(listed, list) or len(listed) > MAX_ROWS:
        raise errors.wrong_format(param)
    return listed


def _python_items(text: str) -> Iterator[Any]:
    """The texts and numbers of a list in Python's notation; ValueError where it is none."""
    inner = text.strip()
    if not (inner.startswith("[") and inner.endswith("]")):
        raise ValueError(text)
    place, end = 1, len(inner) - 1
    while place < end:
        item = _PYTHON_ITEM.match(inner, place, end)
        if item is None:
            raise ValueError(text)
        yield _python_value(item[1])
        place = item.end()


def _python_value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except SyntaxError:  # the number 01, or an escape that is no character
        raise ValueError(text) from None


def _sound(value: Any) -> Any:
    """A value that can be written as JSON again, in UTF-8; ValueError where it cannot."""
    if not _is_shallow(value, MAX_LEVELS):
        raise ValueError("nested too deep")
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    return value


def _is_shallow(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(one, levels - 1) for one in inner)


def _indexed(values: Nested, path: tuple[str, ...]) -> Nested:
    """The values, if their names are indexes; the ApiError that names the first that is none."""
    for index in values:
        if not _INDEX.fullmatch(index):
            raise errors.wrong_format(bracketed((*path, index)))
    return values


def _unknown(fields: Sequence[Field], sent: Nested, path: tuple[str, ...]) -> Iterator[str]:
    """The bracketed names of what was sent and is no field."""
    known = {field.name: field for field in fields}
    for name, value in sent.items():
        field = known.get(name)
        if field is None:
            yield from _leaves(value, (*path, name))
        elif field.type == "group" and isinstance(value, dict):
            yield from _unknown(field.fields, value, (*path, name))


def _leaves(value: str | Nested, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, str):
        yield bracketed(path)
        return
    for name, inner in value.items():
        yield from _leaves(inner, (*path, name))


def _unless_blank(value: str | Nested | None) -> str | Nested | None:
    return None if isinstance(value, str) and not value.strip() else value


_READERS: Final[Mapping[Type, Callable[[Field, str, str], Any]]] = {
    "any": _read_json,
    "boolean": _read_boolean,
    "date": _read_date,
    "decimal": _read_decimal,
    "email": _read_email,
    "enum": _read_enum,
    "integer": _read_integer,
    "map": _read_map,
    "time": _read_time,
}
