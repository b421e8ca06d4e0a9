"""The facts of an API version: its operations at once, their parameters when they are asked for.

A file of facts has a line an operation, its parameters indented below it, then the attributes of
each resource, the groups that several of them share, and the enums. README.md beside it explains
the notation. A line that does not keep to it is a ValueError where it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from mock_server.contract.ours import our_facts

VERSIONS: Final = ("v1", "v2")

Type: TypeAlias = Literal[
    "any",
    "boolean",
    "date",
    "decimal",
    "email",
    "enum",
    "filter",
    "group",
    "integer",
    "map",
    "string",
    "time",
]

_FOLDER: Final = Path(__file__).parent
_OPERATION: Final = re.compile(r"^(GET|POST) (\S+)  (\S+) -> ?([^~\n]*?)( ~)?$", re.M)
_SECTION: Final = re.compile(r"^# (\w+)$", re.M)
_BLOCK: Final = re.compile(r"^(@?\w+):?$", re.M)
_ENUM: Final = re.compile(r"^enum (\w+): (\S+)$", re.M)
_SHOWN: Final = re.compile(r"(?P<name>\w+)(?P<many>\[\])?(?P<optional>\?)?(?: (?P<type>\S+))?")
_LINE: Final = re.compile(
    r"(?P<indent> *)(?:\?(?P<inner> *))?(?P<name>[\w-]+)(?P<many>\[\])?(?P<required>!)?"
    r"(?: (?P<type>[^~ ].*?)(?:=(?P<default>\"[^\"]*\"|[\w.-]+))?)?(?P<old> ~)?"
)
_TYPE: Final = re.compile(
    r"(?P<kind>s|email|i64|i|n:double|n:decimal|n|ts|date|b|map|any|filter)(?P<limit>\d+)?"
    r"(?:\(min (?P<shortest>\d+)\))?"
    r"(?:\[(?P<low>-?[\d.]+?)?\.\.(?P<high>-?[\d.]+?)?\])?"
    r"(?: /(?P<pattern>.*)/)?"
)
_RESOURCE: Final = re.compile(r"[A-Z]\w*")
_VALUES: Final = re.compile(r"[^\s|\"]+(\|[^\s|\"]+)+")
_ONE_VALUE: Final = re.compile(r"\"([^\s|\"]+)\"")
_TYPES: Final[dict[str, Type]] = {
    "s": "string",
    "email": "email",
    "i": "integer",
    "i64": "integer",
    "n": "decimal",
    "n:double": "decimal",
    "n:decimal": "decimal",
    "ts": "time",
    "date": "date",
    "b": "boolean",
    "map": "map",
    "any": "any",
    "filter": "filter",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of an operation or an attribute of a resource.

    `many` is a list: of texts where `type` is "string", of rows where it is "group". `shortest` and
    `limit` count characters, `low` and `high` bound a number. `pattern` is a regular expression
    for the text of a filter. `resource` names the kind of resource that an attribute holds.
    """

    name: str
    type: Type
    required: bool = False
    many: bool = False
    shortest: int = 0
    limit: int | None = None
    low: float | None = None
    high: float | None = None
    pattern: str | None = None
    values: tuple[str, ...] = ()
    default: str | None = None
    fields: tuple[Field, ...] = ()
    resource: str | None = None
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What an answer holds under one key: one resource, or a list of them.

    An answer leaves `optional` ones out where there is none. A plain value, such as
    `scheduled_at`, has its type in `field`; its `kind` is its name, and no kind of resource.
    """

    name: str
    kind: str
    many: bool = False
    optional: bool = False
    field: Field | None = None


@dataclass(frozen=True)
class Operation:
    """An operation of one API version, as its line of facts has it."""

    version: str
    method: str
    path: str
    name: str
    """Chargebee's own name of it, such as `create_an_order` in v1 and `order.create` in v2."""
    deprecated: bool
    _answer: str
    _text: str = field(repr=False)
    _facts: Facts = field(repr=False, compare=False)

    @property
    def writes(self) -> bool:
        return self.method == "POST"

    @cached_property
    def lists(self) -> bool:
        """Whether it answers a page of a list."""
        return self._answer.startswith("list(")

    @cached_property
    def shown(self) -> tuple[Shown, ...]:
        """What its answer holds, or each entry of its list."""
        inner = self._answer
        if self.lists:
            inner = inner.removeprefix("list(").removesuffix(")")
        return self._facts.shown(inner)

    @cached_property
    def template(self) -> str:
        """The path with `{}` for each id, which is what the versions have in common."""
        return re.sub(r"{[^}]+}", "{}", self.path)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The names of the ids in the path, such as `order-id`."""
        return tuple(re.findall(r"{([^}]+)}", self.path))

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Its parameters, in the order in which Chargebee checks them."""
        return self._facts.fields(self._text)

    @cached_property
    def takes_more(self) -> bool:
        """Whether it takes parameters that a site has declared itself: custom fields."""
        return any(_is_more(line) for line in self._text.splitlines())


class Facts:
    """One version's facts; `operations` are read at once, everything else when asked for."""

    def __init__(
        self, version: str, text: str, more: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        """`more` has values that are added to enums, by the names of their shapes."""
        self.version: Final = version
        self._more = more or {}
        self._parts = _sections(text)
        self._groups: dict[str, tuple[Field, ...]] = {}
        self.operations: Final = tuple(
            Operation(version, line[1], line[2], line[3], line[5] is not None, line[4], text, self)
            for line, text in _pieces(_OPERATION, self._parts["operations"])
        )

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kinds of resources, such as `item_price`, and the name of each one's block."""
        names = _BLOCK.finditer(self._parts["resources"])
        return {_snake(name[1]): name[1] for name in names}

    def resource(self, kind: str) -> tuple[Field, ...]:
        """The attributes of a resource of that kind; KeyError where the version has none."""
        return self._group(self.kinds[kind])

    def fields(self, text: str) -> tuple[Field, ...]:
        """What lines of facts declare."""
        lines = [_understood(_LINE, line) for line in text.splitlines() if not _is_more(line)]
        return tuple(self._nested(lines))

    def shown(self, answer: str) -> tuple[Shown, ...]:
        """What an answer holds: `subscription, card?, invoices[]`, or plain values with types."""
        return tuple(self._shown(part) for part in answer.split(", ") if part)

    def _group(self, name: str) -> tuple[Field, ...]:
        if name not in self._groups:
            self._groups[name] = self.fields(self._blocks[name])
        return self._groups[name]

    @cached_property
    def _blocks(self) -> dict[str, str]:
        blocks = _pieces(_BLOCK, self._parts["resources"] + self._parts["shapes"])
        return {name[1]: text for name, text in blocks}

    @cached_property
    def _enums(self) -> dict[str, tuple[str, ...]]:
        return {enum[1]: tuple(enum[2].split("|")) for enum in _ENUM.finditer(self._parts["enums"])}

    def _shown(self, part: str) -> Shown:
        match = _understood(_SHOWN, part)
        name, many, optional = match["name"], bool(match["many"]), bool(match["optional"])
        if match["type"]:
            plain = Field(name, **self._typed(match["type"]))
            return Shown(name, name, plain.many, optional, plain)
        kind = _singular(name) if many else name
        if kind not in self.kinds:
            raise ValueError(f"{part!r} is no resource of {self.version}, and has no type")
        return Shown(name, kind, many, optional)

    def _nested(self, lines: list[re.Match[str]]) -> Iterator[Field]:
        depths = [len(line["indent"]) + len(line["inner"] or "") for line in lines]
        start = 0
        while start < len(lines):
            end = start + 1
            while end < len(lines) and depths[end] > depths[start]:
                end += 1
            yield self._field(lines[start], lines[start + 1 : end])
            start = end

    def _field(self, line: re.Match[str], inner: list[re.Match[str]]) -> Field:
        what = line["type"] or ""
        given: dict[str, Any] = {
            "name": line["name"],
            "required": line["required"] is not None,
            "many": line["many"] is not None,
            "default": line["default"] and line["default"].strip('"'),
            "deprecated": line["old"] is not None,
        }
        if inner:
            if what:
                raise ValueError(f"{line[0]!r} has a type, and lines of a group below it")
            return Field(type="group", fields=tuple(self._nested(inner)), **given)
        return Field(**given | self._typed(what))

    def _typed(self, what: str) -> dict[str, Any]:
        """What a type's notation says of a field."""
        if what.startswith("[") and what.endswith("]"):
            return self._typed(what[1:-1]) | {"many": True}
        match = _TYPE.fullmatch(what)
        if match is not None:
            low, high = (float(bound) if bound else None for bound in match.group("low", "high"))
            return {
                "type": _TYPES[match["kind"]],
                "shortest": int(match["shortest"] or 0),
                "limit": int(match["limit"]) if match["limit"] else None,
                "low": low,
                "high": high,
                "pattern": match["pattern"],
            }
        if what.startswith("@E_"):
            values = tuple(self._blocks[what].strip().split("|"))
            return {"type": "enum", "values": values + self._more.get(what, ())}
        if what.startswith("@"):
            return {"type": "group", "fields": self._group(what)}
        if what.startswith("enum:"):
            return {"type": "enum", "values": self._enums[what.removeprefix("enum:")]}
        if _RESOURCE.fullmatch(what):
            return {"type": "group", "resource": _snake(what)}
        if _VALUES.fullmatch(what):
            return {"type": "enum", "values": tuple(what.split("|"))}
        return {"type": "enum", "values": (_understood(_ONE_VALUE, what)[1],)}


@lru_cache
def facts(version: str) -> Facts:
    """The facts of `v1` or `v2`, with the values that our own facts add."""
    text = (_FOLDER / f"{version}.facts").read_text("utf-8")
    return Facts(version, text, our_facts(version).values)


def _sections(text: str) -> dict[str, str]:
    return {head[1]: text for head, text in _pieces(_SECTION, text)}


def _pieces(heads: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each head in the text, and what stands below it until the next one."""
    found = list(heads.finditer(text))
    ends = [*(head.start() for head in found[1:]), len(text)]
    for head, end in zip(found, ends, strict=False):  # a text without heads has an end, too
        yield head, text[head.end() + 1 : end]


def _understood(notation: re.Pattern[str], text: str) -> re.Match[str]:
    match = notation.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} does not keep to the notation of facts")
    return match


def _is_more(line: str) -> bool:
    return line.strip() == "*"


def _singular(name: str) -> str:
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
