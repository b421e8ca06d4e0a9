"""What the official SDKs of API v2 know of the API: installed, and read without a call.

Python's is read as source, Node's from its table of operations, its types and its schemas. Both
come out as `Known`: names with dots for what is nested, and a loose type for each.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

PYTHON: Final = "chargebee==3.29.0"
NODE: Final = "chargebee@3.33.0"

Kind: TypeAlias = Literal["text", "number", "boolean", "json", "filter", "group", "resource"]
Parts: TypeAlias = "dict[str, Part]"


@dataclass
class Part:
    """A parameter, an attribute, or what an answer holds under one key.

    `required`, the bounds and the values are None and empty where the SDK says nothing of them.
    """

    kind: Kind
    many: bool = False
    required: bool | None = None
    values: list[str] = field(default_factory=list)
    resource: str | None = None
    limit: int | None = None
    shortest: int | None = None
    pattern: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass
class Call:
    """An operation of an SDK; `answer` is that of one entry where it lists."""

    method: str
    path: str
    lists: bool
    parameters: Parts
    answer: Parts


@dataclass
class Known:
    """All that an SDK knows: calls and enums by name, attributes by kind of resource."""

    calls: dict[str, Call] = field(default_factory=dict)
    resources: dict[str, Parts] = field(default_factory=dict)
    enums: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Known:
        read = json.loads(text)
        calls = {
            name: Call(**call | {part: _parts(call[part]) for part in ("parameters", "answer")})
            for name, call in read["calls"].items()
        }
        resources = {kind: _parts(parts) for kind, parts in read["resources"].items()}
        return cls(calls, resources, read["enums"])


def _parts(parts: dict[str, Any]) -> Parts:
    return {name: Part(**part) for name, part in parts.items()}


def install_python(folder: Path) -> None:
    """Install the Python SDK in a new folder; CalledProcessError where that fails."""
    options = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--no-deps"]
    _run([sys.executable, "-m", "pip", "install", *options, "--target", str(folder), PYTHON])


def install_node(folder: Path) -> None:
    """Install the Node SDK in a new folder; CalledProcessError where that fails."""
    folder.mkdir()
    options = ["--no-audit", "--no-fund", "--fetch-retries", "1"]
    _run(["npm", "install", *options, "--prefix", str(folder), NODE])


def _run(command: list[str]) -> None:
    subprocess.run(command, capture_output=True, timeout=120, check=True)


# The Python SDK: a package a resource, with what it takes and what it shows as classes.

_TYPES: Final[Mapping[str, Kind]] = {
    "str": "text",
    "string": "text",
    "int": "number",
    "float": "number",
    "number": "number",
    "bool": "boolean",
    "boolean": "boolean",
    "Any": "json",
    "any": "json",
    "object": "json",
    "unknown": "json",
    "Dict[Any, Any]": "json",
}
_WRAPPER: Final = re.compile(r"^(Required|NotRequired|List)\[(.*)\]$")
_ABOUT_THE_CALL: Final = frozenset({"raw_data", "is_idempotency_replayed", "next_offset"})
_PAGING: Final = frozenset({"limit", "offset"})


def read_python(folder: Path) -> Known:
    models = folder / "chargebee" / "models"
    known = Known(enums=_python_enums(ast.parse((models / "enums.py").read_text("utf-8"))))
    for package in sorted(path.parent for path in models.glob("*/operations.py")):
        _PythonResource(package).add_to(known)
    return known


class _PythonResource:
    """One package of the SDK."""

    def __init__(self, package: Path) -> None:
        self._kind = package.name
        (self._operations,) = _classes(_source(package / "operations.py")).values()
        self._inputs = _classes(self._operations)
        self._models = _classes(_source(package / "responses.py"))
        self._model = f"{_pascal(self._kind)}Response"

    def add_to(self, known: Known) -> None:
        for name, values in _python_enums(self._operations).items():
            known.enums[f"{self._kind}.{name}"] = values
        if self._model in self._models:
            known.resources[self._kind] = dict(self._attributes(self._model, ()))
        for function in self._operations.body:
            for one in ast.walk(function):
                if isinstance(one, ast.Call) and ast.unparse(one.func).startswith("request.send"):
                    assert isinstance(function, ast.FunctionDef)
                    known.calls[f"{self._kind}.{function.name}"] = self._call(function, one)

    def _call(self, function: ast.FunctionDef, sent: ast.Call) -> Call:
        method, address, answer = sent.args[0], sent.args[1], ast.unparse(sent.args[5])
        assert isinstance(address, ast.Call)
        steps = [_text(one) if isinstance(one, ast.Constant) else "{}" for one in address.args]
        given = [one.annotation for one in function.args.args if one.arg == "params"]
        inputs = dict(self._parameters(ast.unparse(given[0]), ())) if given and given[0] else {}
        entry = dict(_annotations(self._models[answer])).get("list")
        shown = answer if entry is None else _unwrap(entry[0])
        return Call(
            _text(method).upper(),
            "".join(f"/{step}" for step in steps),
            entry is not None,
            {name: part for name, part in inputs.items() if name not in _PAGING},
            {name: self._shown(*one) for name, one in _annotations(self._models[shown])},
        )

    def _parameters(self, typed: str, path: tuple[str, ...]) -> Iterator[tuple[str, Part]]:
        for name, (written, _) in _annotations(self._inputs[typed]):
            what, place = _unwrap(written), (*path, name)
            inner = what.rpartition(".")[2]
            part = Part(
                _TYPES.get(what, "text"), "List[" in written, written.startswith("Required")
            )
            if what.startswith("Filters."):
                part.kind = "filter"
            elif what.startswith(_pascal(self._kind)) and inner.endswith("Params"):
                part.kind = "group"
                yield from self._parameters(inner, place)
            yield ".".join(place), part

    def _attributes(self, model: str, path: tuple[str, ...]) -> Iterator[tuple[str, Part]]:
        for name, (written, _) in _annotations(self._models[model]):
            part, place = self._shown(written, optional=True), (*path, name)
            part.required = None  # a model says of none that it is always there
            if part.kind == "group":
                yield from self._attributes(_unwrap(written), place)
            yield ".".join(place), part

    def _shown(self, written: str, optional: bool) -> Part:
        what = _unwrap(written)
        part = Part(_TYPES.get(what, "text"), written.startswith("List["), not optional)
        module, _, name = what.rpartition(".")
        if name.endswith("Response"):
            part.kind = "resource" if module or name == self._model else "group"
            part.resource = (module or self._kind) if part.kind == "resource" else None
        return part


def _annotations(one: ast.ClassDef) -> Iterator[tuple[str, tuple[str, bool]]]:
    """The fields of a class: their types as written, and whether one may be missing."""
    for line in one.body:
        if isinstance(line, ast.AnnAssign):
            name = ast.unparse(line.target)
            if name not in _ABOUT_THE_CALL:
                yield name, (ast.unparse(line.annotation), line.value is not None)


def _unwrap(written: str) -> str:
    """`str` of `NotRequired[List[str]]`."""
    while (match := _WRAPPER.match(written)) is not None:
        written = match[2]
    return written.strip("'\"")


def _python_enums(tree: ast.Module | ast.ClassDef) -> dict[str, list[str]]:
    return {
        name: [_text(line.value) for line in one.body if isinstance(line, ast.Assign)]
        for name, one in _classes(tree).items()
        if [ast.unparse(base) for base in one.bases] == ["Enum"]
    }


def _text(written: ast.expr) -> str:
    text = ast.literal_eval(written)
    assert isinstance(text, str)
    return text


def _classes(tree: ast.Module | ast.ClassDef) -> dict[str, ast.ClassDef]:
    return {one.name: one for one in tree.body if isinstance(one, ast.ClassDef)}


def _source(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


# The Node SDK: a table of all operations, a file of types a resource, and schemas for what is sent.

_DUMP: Final = """
const fs = require("fs"), path = require("path"), { z } = require("zod");
const sdk = path.join(path.dirname(require.resolve("chargebee")));
const schemas = {}, options = { unrepresentable: "any" };
for (const file of fs.readdirSync(path.join(sdk, "schema")))
  for (const [name, schema] of Object.entries(require(path.join(sdk, "schema", file))))
    schemas[name.replace("BodySchema", "").toLowerCase()] = z.toJSONSchema(schema, options);
const { Endpoints } = require(path.join(sdk, "resources", "api_endpoints.js"));
console.log(JSON.stringify({ endpoints: Endpoints, schemas }));
"""
_ENUM: Final = re.compile(r"type (\w+Enum) =((?:\s*\|?\s*'[^']*')+);")
_INTERFACE: Final = re.compile(r"^( *)export interface (\w+) \{\n(.*?)^\1\}", re.M | re.S)
_MEMBER: Final = re.compile(r"^\s+(\w+)(\?)?:((?:[^;{}]|\{[^{}]*\})*);", re.M)
_COMMENT: Final = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
_VALUE: Final = re.compile(r"'([^']*)'")
_BOOLEAN: Final = ["true", "false"]
_SAFE: Final = 2**53 - 1
"""The bound of every whole number in a schema, which says nothing."""


def read_node(folder: Path) -> Known:
    sdk = folder / "node_modules" / "chargebee"
    dumped = subprocess.run(
        ["node", "-e", _DUMP], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    found = json.loads(dumped.stdout)
    known = Known()
    for name, values in _ENUM.findall((sdk / "types" / "core.d.ts").read_text("utf-8")):
        known.enums[name.removesuffix("Enum")] = _VALUE.findall(values)
    for path in sorted((sdk / "types" / "resources").glob("*.d.ts")):
        kind = path.name.removesuffix(".d.ts")
        if kind not in ("filter", "WebhookEvent"):
            resource = _NodeResource(kind, path.read_text("utf-8"), known.enums)
            resource.add_to(known, found["endpoints"], found["schemas"])
    return known


class _NodeResource:
    """The types of one resource."""

    def __init__(self, name: str, text: str, enums: dict[str, list[str]]) -> None:
        self._name = name
        self._enums = enums
        text = _COMMENT.sub("", text)
        self._own = {one[2]: one[3] for one in _INTERFACE.finditer(text)}

    def add_to(
        self, known: Known, endpoints: dict[str, list[Any]], schemas: dict[str, Any]
    ) -> None:
        kind = _snake(self._name)
        if self._name in self._own:
            known.resources[kind] = dict(self._parts(self._name, ()))
        for name, method, before, after, with_id, *_ in endpoints.get(_camel(kind), []):
            pascal = _pascal(_snake(name))
            parameters = dict(self._parts(f"{pascal}InputParam", ()))
            for path, schema in _walk(schemas.get(f"{pascal}{self._name}".lower(), {}), ()):
                _narrow(parameters, path, schema)
            path = before + ("/{}" if with_id else "") + (after or "")
            known.calls[f"{kind}.{_snake(name)}"] = self._call(method, path, parameters, pascal)

    def _call(self, method: str, path: str, parameters: Parts, pascal: str) -> Call:
        inner = self._own.get(f"{pascal}Response", "")  # one operation answers nothing
        entry = re.search(r"^\s+list: \{(.*?)\}\[\];", inner, re.M | re.S)
        if entry is not None:
            inner = "".join(f" {member};\n" for member in entry[1].split(";") if member.strip())
        return Call(
            method,
            path,
            entry is not None,
            {name: part for name, part in parameters.items() if name not in _PAGING},
            {name: part for name, part, _ in self._members(inner) if name not in _ABOUT_THE_CALL},
        )

    def _parts(self, interface: str, path: tuple[str, ...]) -> Iterator[tuple[str, Part]]:
        for name, part, inner in self._members(self._own.get(interface, "")):
            place = (*path, name)
            if part.kind == "group":
                yield from self._parts(inner, place)
            yield ".".join(place), part

    def _members(self, text: str) -> Iterator[tuple[str, Part, str]]:
        """The members of an interface, each with the name of its type."""
        for name, optional, written in _MEMBER.findall(text):
            what = " ".join(written.split())
            many, what = what.endswith("[]"), what.removesuffix("[]")
            part = Part(_TYPES.get(what, "json"), many, not optional, _VALUE.findall(what))
            inner = what.rpartition(".")[2]
            if part.values:
                part.kind = "text"
            elif what.startswith("filter."):
                part.kind = "filter"
            elif what.endswith("Enum"):
                part.kind, part.values = "text", self._enums[what.removesuffix("Enum")]
            elif what != inner or what.endswith("InputParam"):
                part.kind = "group"
            elif re.fullmatch(r"[A-Z]\w+", what):
                part.kind, part.resource = "resource", _snake(what)
            yield name, part, inner


def _walk(schema: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every parameter that a schema has; the columns of rows are lists there."""
    if schema.get("type") == "array":
        yield from _walk(schema["items"], path)
        return
    if path:
        yield ".".join(path), schema
    for name, inner in schema.get("properties", {}).items():
        yield from _walk(inner, (*path, name))


def _narrow(parameters: Parts, path: str, schema: dict[str, Any]) -> None:
    """Add what a schema says of a parameter; only schemas have `sort_by`, and operators."""
    group = path.rpartition(".")[0]
    if path == "sort_by":
        parameters[path] = Part("filter", required=False)
    elif group in parameters and parameters[group].kind == "filter":
        parameters[path] = Part("boolean" if schema.get("enum") == _BOOLEAN else "text")
    elif path not in parameters:
        return
    part = parameters[path]
    part.limit, part.shortest = schema.get("maxLength"), schema.get("minLength")
    low, high = schema.get("minimum"), schema.get("maximum")
    part.low = low if low != -_SAFE else None
    part.high = high if high != _SAFE else None
    if schema.get("format") != "email":
        part.pattern = schema.get("pattern")
    if part.kind == "text":
        part.values = schema.get("enum", part.values)


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _camel(name: str) -> str:
    return name[0] + _pascal(name)[1:]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
