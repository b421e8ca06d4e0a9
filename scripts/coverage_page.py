"""Writes docs/coverage.md: which of Chargebee's operations the sandbox carries out."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

from mock_server.app import VERSIONS
from mock_server.contract.facts import Operation, facts

PAGE: Final = Path(__file__).parent.parent / "docs" / "coverage.md"

_HEAD: Final = """# What is there

Chargebee's operations by the resource that they answer with. What is not there answers 501, in
Chargebee's form of an error, and is marked in the journal. `GET /_mock/coverage` says the same of a
running server. This page is written by `make coverage-page`.
"""


def page() -> str:
    """The page, of the application as it is."""
    parts = [_HEAD, _totals()]
    for version in VERSIONS:
        parts += [f"## API {version}\n", _table(version)]
    return "\n".join(parts)


def _totals() -> str:
    lines = ["| API | operations | there |", "| --- | --- | --- |"]
    for version, carried_out in VERSIONS.items():
        lines.append(f"| {version} | {len(facts(version).operations)} | {len(carried_out)} |")
    return "\n".join([*lines, ""])


def _table(version: str) -> str:
    there = {operation.name for operation in VERSIONS[version]}
    by_resource: dict[str, list[Operation]] = defaultdict(list)
    for operation in facts(version).operations:
        resource = operation.shown[0].kind if operation.shown else "nothing"
        by_resource[resource].append(operation)
    lines = ["| answers with | there | not there |", "| --- | --- | --- |"]
    for resource, operations in sorted(by_resource.items()):
        done = [one for one in operations if one.name in there]
        missing = [one for one in operations if one.name not in there]
        lines.append(f"| {resource} | {_named(done)} | {_named(missing)} |")
    return "\n".join([*lines, ""])


def _named(operations: list[Operation]) -> str:
    return "<br>".join(f"`{operation.method} {operation.path}`" for operation in operations)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
