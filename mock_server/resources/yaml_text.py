"""YAML as plain values, read event by event, so that a text costs what it holds and no more.

Of YAML's types it knows those of JSON, in the spellings that its versions 1.1 and 1.2 agree on:
`off`, `1:30`, `007` and a date are texts. What `dump` writes comes out as it went in.

Imported when the first fixture is read: PyYAML is not needed before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import yaml

from mock_server.resources.fixture import DEEPEST, MOST_VALUES, TOO_DEEP, FixtureError, Path, twice

_Dumper: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = object()
"""The key `<<`, whose value is a mapping to start from, or a list of them."""
_NO_KEY: Final = object()

_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    "<<": _MERGE,
}
_LONGEST_NUMBER: Final = 400
"""Characters of a number that is worked out."""
_BEYOND: Final = 10**_LONGEST_NUMBER
"""What stands for integers that are longer: none of them can be kept, not even as a float."""
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"([-+]?[0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")


def parse(text: str) -> Any:
    """The values of the text, None where it is empty; FixtureError where it is no YAML of ours."""
    return _Composer(text).compose()


def line_of(text: str, path: Path) -> int | None:
    """The line at which the value at the path begins, or would: then its parent's."""
    composer = _Composer(text, sought=path)
    with suppress(FixtureError):
        composer.compose()
    return composer.line


def dump(values: Any) -> str:
    """Plain values as YAML, in their order."""
    text: str = yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text


@dataclass(slots=True)
class _Anchored:
    """A value with a name, and how many values it holds; None for one that is not complete."""

    value: Any
    size: int | None


class _Group:
    """A mapping or a list that is being read. `sought` says that what is sought is in it."""

    def __init__(self, anchor: _Anchored | None, line: int, sought: bool, is_list: bool) -> None:
        self.anchor = anchor
        self.line = line
        self.sought = sought
        self.items: list[Any] | None = [] if is_list else None
        self.mapping: dict[Any, Any] = {}
        self.starts: list[dict[Any, Any]] = []
        self.key: Any = _NO_KEY
        self.size = 1

    @property
    def value(self) -> Any:
        if self.items is not None:
            return self.items
        if not self.starts:
            return self.mapping
        whole: dict[Any, Any] = {}
        for start in reversed(self.starts):
            whole |= start
        return whole | self.mapping


class _Composer:
    """Reads one text; `line` is that of the value at the path `sought`, once it was read."""

    def __init__(self, text: str, sought: Path | None = None) -> None:
        self.line: int | None = None
        self._text = text
        self._sought = sought
        self._groups: list[_Group] = []
        self._anchors: dict[str, _Anchored] = {}
        self._root: Any = None
        self._documents = 0

    def compose(self) -> Any:
        for event in self._events():
            line = event.start_mark.line + 1 if event.start_mark else 1
            match event:
                case yaml.ScalarEvent():
                    value = self._scalar(event, line)
                    if value is _MERGE and event.anchor is not None:
                        raise FixtureError("has an anchor at a <<, which is no value", line=line)
                    self._put(value, line, self._anchor(event), 1)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._begin(event, line)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    group = self._groups.pop()
                    self._put(group.value, group.line, group.anchor, group.size)
                case yaml.AliasEvent():
                    self._repeat(str(event.anchor), line)
                case yaml.DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        raise FixtureError("is no YAML: has a second document", line=line)
        return self._root

    def _events(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self._text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reason = f"is no YAML: {error.problem or error.context}"
            raise FixtureError(reason, line=mark.line + 1 if mark else None) from None
        except yaml.YAMLError as error:
            raise FixtureError(f"is no YAML: {error}") from None

    def _anchor(self, event: Any) -> _Anchored | None:
        if event.anchor is None:
            return None
        self._anchors[event.anchor] = anchored = _Anchored(None, None)
        return anchored

    def _begin(self, event: Any, line: int) -> None:
        if len(self._groups) == DEEPEST:
            raise FixtureError(TOO_DEEP, line=line)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        usual = f"{_TAG}{'seq' if is_list else 'map'}"
        if event.tag not in (None, "!", usual):
            raise FixtureError(f"has the tag {event.tag}, which is not known here", line=line)
        if self._groups and self._is_at_key():
            raise FixtureError("has a key that is no text", line=line)
        sought = self._step(line)
        self._groups.append(_Group(self._anchor(event), line, sought, is_list))

    def _repeat(self, anchor: str, line: int) -> None:
        anchored = self._anchors.get(anchor)
        if anchored is None:
            raise FixtureError(f"is no YAML: there is no anchor {anchor}", line=line)
        if anchored.size is None:
            raise FixtureError("refers to itself", line=line)
        self._put(anchored.value, line, None, anchored.size)

    def _put(self, value: Any, line: int, anchor: _Anchored | None, size: int) -> None:
        """A value that is complete goes where it belongs."""
        if anchor is not None:
            anchor.value, anchor.size = value, size
        if not self._groups:
            self._root = value
            return
        group = self._groups[-1]
        if self._is_at_key():
            self._name(group, value, line)
            return
        group.size += size
        if group.size > MOST_VALUES:
            raise FixtureError(f"holds more than {MOST_VALUES} values", line=group.line)
        if not isinstance(value, dict | list):
            self._step(line)
        if group.items is not None:
            group.items.append(value)
        elif group.key is _MERGE:
            group.starts += _mappings(value, line)
        else:
            group.mapping[group.key] = value
        group.key = _NO_KEY

    def _is_at_key(self) -> bool:
        group = self._groups[-1]
        return group.items is None and group.key is _NO_KEY

    def _name(self, group: _Group, key: Any, line: int) -> None:
        if key is not _MERGE and not isinstance(key, str):
            if isinstance(key, dict | list):
                raise FixtureError("has a key that is no text", line=line)
            raise FixtureError(f"has the key {key}, which is no text; quote it", line=line)
        if key in group.mapping:
            raise FixtureError(twice(str(key)), line=line)
        group.key = key
        if group.sought and self._is_sought(key):
            self.line = line

    def _step(self, line: int) -> bool:
        """Whether the value that comes next is on the way to what is sought; its line, if so."""
        if not self._groups:
            self.line = line
            return self._sought is not None
        group = self._groups[-1]
        step = group.key if group.items is None else len(group.items)
        on_the_way = group.sought and self._is_sought(step)
        if on_the_way and group.items is not None:
            self.line = line
        return on_the_way

    def _is_sought(self, step: Any) -> bool:
        depth = len(self._groups) - 1
        return self._sought is not None and self._sought[depth : depth + 1] == (step,)

    def _scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        if event.tag in (None, "!"):
            is_plain = event.implicit[0] and event.tag is None
            value = _plain(text) if is_plain else text
            return text if value is _MERGE and not self._may_merge() else value
        kind = event.tag.removeprefix(_TAG)
        if kind == "str":
            return text
        value = _plain(text)
        if kind not in _KINDS:
            raise FixtureError(f"has the tag {event.tag}, which is not known here", line=line)
        if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            try:
                value = float(value)
            except OverflowError:
                raise FixtureError("is a number that no float can hold", line=line) from None
        if type(value) is not _KINDS[kind]:
            raise FixtureError(f"is no {kind}", line=line)
        return value

    def _may_merge(self) -> bool:
        return bool(self._groups) and self._is_at_key()


_KINDS: Final = {"null": type(None), "bool": bool, "int": int, "float": float}


def _plain(text: str) -> Any:
    """What a scalar without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if len(text) <= _LONGEST_NUMBER else _BEYOND
    if len(text) <= _LONGEST_NUMBER and _FLOAT.fullmatch(text):
        return float(text)
    return text


def _mappings(value: Any, line: int) -> list[dict[Any, Any]]:
    starts = value if isinstance(value, list) else [value]
    if not all(isinstance(start, dict) for start in starts):
        raise FixtureError("has a << that is no mapping", line=line)
    return starts
