"""`make contract SPEC=path`: write v1.facts again, from Chargebee's OpenAPI description of API v1.

Only facts are taken over: names, types, limits, values. What several operations or resources have
in common becomes a shape; README.md beside the facts explains the notation.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from mock_server import contract

FACTS: Final = Path(contract.__file__).with_name("v1.facts")

Schema: TypeAlias = dict[str, Any]

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_PAGING: Final = frozenset({"limit", "offset"})
_LONG: Final = 5
"""From so many values on, an enum that several fields have becomes a shape."""
_FORMATS: Final = {"int32": "i", "int64": "i64", "unix-time": "ts", "double": "n:double"}
_TYPES: Final = {"boolean": "b", "object": "map"}


Shape: TypeAlias = "tuple[Line, ...] | tuple[str, ...]"
"""The lines of a group, or the values of an enum."""


@dataclass(frozen=True)
class Line:
    """A field: with its type as it is written, or its values, or the lines of a group."""

    name: str
    required: bool
    type: str = ""
    values: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    many: bool = False
    """Rows of the group."""
    default: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", type=Path, help="the OpenAPI description, as JSON")
    arguments = parser.parse_args()
    FACTS.write_text(facts_of(json.loads(arguments.spec.read_text("utf-8"))), "utf-8")


def facts_of(spec: Schema) -> str:
    """The file of facts of an OpenAPI description."""
    schemas = spec["components"]["schemas"]
    operations = [
        (_head(method.upper(), path, operation), method == "get", _parameters(operation, schemas))
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
    ]
    resources = [
        (name, tuple(_lines(schema, schemas)))
        for name, schema in schemas.items()
        if _is_resource(name, schema)
    ]
    writer = _Writer([*(lines for _, _, lines in operations), *(lines for _, lines in resources)])
    text = ["# operations"]
    for head, query, lines in operations:
        text += [head, *writer.written(lines, "  ?" if query else "  ")]
    text.append("# resources")
    for name, lines in resources:
        text += [f"{name}:", *writer.written(lines, "  ")]
    text += ["# shapes", *writer.shapes()]
    text.append("# enums")
    text += [
        f"enum {name}: {'|'.join(schema['enum'])}"
        for name, schema in schemas.items()
        if "enum" in schema
    ]
    return "\n".join(text) + "\n"


class _Writer:
    """Writes lines; groups and long enums that occur more than once as shapes, which it names."""

    def __init__(self, fields: list[tuple[Line, ...]]) -> None:
        self._times = Counter(shape for lines in fields for shape in _shapes(lines))
        self._names: dict[Shape, str] = {}
        self._shapes: list[list[str]] = []

    def written(self, lines: tuple[Line, ...], indent: str) -> Iterator[str]:
        for line in lines:
            head = f"{indent}{line.name}{'[]' if line.many else ''}{'!' if line.required else ''}"
            if line.type == "*":
                yield f"{indent}*"
            elif line.lines and self._times[line.lines] == 1:
                yield head
                yield from self.written(line.lines, f"{indent}  ")
            else:
                yield f"{head} {self._type(line)}{line.default}"

    def shapes(self) -> Iterator[str]:
        """The shapes that what was written has named."""
        for lines in self._shapes:
            yield from lines

    def _type(self, line: Line) -> str:
        if line.lines:
            return self._named(line.lines, line.name)
        if len(line.values) >= _LONG and self._times[line.values] > 1:
            return self._named(line.values, f"E_{line.name}")
        return "|".join(line.values) or line.type

    def _named(self, shape: Shape, name: str) -> str:
        """The name of a shape, which is written when it is named first."""
        if shape not in self._names:
            taken = sum(other.rstrip("0123456789") == f"@{name}" for other in self._names.values())
            self._names[shape] = f"@{name}{taken + 1 if taken else ''}"
            lines = [self._names[shape]]
            self._shapes.append(lines)
            if isinstance(shape[0], Line):
                lines += self.written(shape, "  ")
            else:
                lines.append(f"  {'|'.join(shape)}")
        return self._names[shape]


def _shapes(lines: tuple[Line, ...]) -> Iterator[Shape]:
    for line in lines:
        if line.lines:
            yield line.lines
            yield from _shapes(line.lines)
        elif line.values:
            yield line.values


def _head(method: str, path: str, operation: Schema) -> str:
    answer = operation["responses"]["200"]["content"][_JSON]["schema"]
    listed = answer["properties"].get("list")
    shown = _answer(listed["items"] if listed else answer)
    return f"{method} {path}  {operation['operationId']} -> {f'list({shown})' if listed else shown}"


def _answer(schema: Schema) -> str:
    required = schema.get("required", ())
    return ", ".join(name if name in required else f"{name}?" for name in schema["properties"])


def _parameters(operation: Schema, schemas: Schema) -> tuple[Line, ...]:
    lines = [
        replace(line, required=parameter["required"])
        for parameter in operation["parameters"]
        if parameter["in"] == "query" and parameter["name"] not in _PAGING
        for line in [_line(parameter["name"], parameter["schema"], schemas)]
    ]
    form = operation.get("requestBody", {}).get("content", {}).get(_FORM, {}).get("schema", {})
    lines += _lines(form, schemas)
    if form.get("additionalProperties"):
        lines.append(Line("", False, "*"))
    return tuple(lines)


def _lines(schema: Schema, schemas: Schema) -> Iterator[Line]:
    for name, inner in schema.get("properties", {}).items():
        yield replace(_line(name, inner, schemas), required=name in schema.get("required", ()))


def _line(name: str, schema: Schema, schemas: Schema) -> Line:
    schema = _resolve(schema, schemas)
    line = Line(name, False, default=_default(schema))
    if schema["type"] == "array":
        items = _resolve(schema["items"], schemas)
        if items["type"] == "object":
            return replace(line, lines=tuple(_lines(items, schemas)), many=True)
        return replace(line, type=f"[{'|'.join(items.get('enum', ())) or _type(items)}]")
    if "properties" in schema:
        return replace(line, **_group(schema, schemas))
    return replace(line, type=_type(schema), values=tuple(schema.get("enum", ())))


def _group(schema: Schema, schemas: Schema) -> dict[str, Any]:
    """The lines of a group; a form has rows as columns, each a list."""
    columns = schema["properties"].values()
    if not all(_resolve(column, schemas)["type"] == "array" for column in columns):
        return {"lines": tuple(_lines(schema, schemas))}
    rows = {name: column["items"] for name, column in schema["properties"].items()}
    return {"lines": tuple(_lines(schema | {"properties": rows}, schemas)), "many": True}


def _type(schema: Schema) -> str:
    low, high = schema.get("minimum", ""), schema.get("maximum", "")
    bounds = f"[{low}..{high}]" if low != "" or high != "" else ""
    if schema["type"] == "string":
        kind = "email" if schema.get("format") == "email" else "s"
        shortest = f"(min {schema['minLength']})" if "minLength" in schema else ""
        return f"{kind}{schema.get('maxLength', '')}{shortest}"
    return (_FORMATS.get(schema.get("format", "")) or _TYPES[schema["type"]]) + bounds


def _default(schema: Schema) -> str:
    return f"={json.dumps(schema['default'])}" if "default" in schema else ""


def _resolve(schema: Schema, schemas: Schema) -> Schema:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def _is_resource(name: str, schema: Schema) -> bool:
    """Errors are called by their status, payloads of webhooks by their event."""
    if name.isdigit() or "enum" in schema:
        return False
    return name == "Event" or not name.endswith("Event")


if __name__ == "__main__":
    main()
