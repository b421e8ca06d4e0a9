"""The facts of API v2 are what the official SDKs of Python and Node know: all of it, no more.

The SDKs are of different age and make. Where they differ, the facts have what either knows, a
parameter is required where one of them requires it, and an answer may lack what one says may be
missing. JSON in one of them says nothing of what is in it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from filelock import FileLock

from mock_server.contract.facts import Field, Shown, facts
from tests.clients import node
from tests.contract import sdks
from tests.contract.sdks import Call, Kind, Known, Part, Parts

SDKS: Final[Mapping[str, tuple[Callable[[Path], None], Callable[[Path], Known]]]] = {
    "python": (sdks.install_python, sdks.read_python),
    "node": (sdks.install_node, sdks.read_node),
}
KINDS: Final[Mapping[str, Kind]] = {
    "any": "json",
    "boolean": "boolean",
    "date": "text",
    "decimal": "number",
    "email": "text",
    "enum": "text",
    "filter": "filter",
    "integer": "number",
    "map": "json",
    "string": "text",
    "time": "number",
}
TEXTS: Final = {"is", "is_not", "in", "not_in", "starts_with", "is_present"}
NUMBERS: Final = {"lt", "lte", "gt", "gte", "between", "after", "before", "on"}
OPERATORS: Final = TEXTS | NUMBERS | {"asc", "desc"}
BOUNDS: Final = ("limit", "shortest", "pattern", "low", "high")


@pytest.fixture(scope="session")
def known(run_folder: Path) -> Callable[[str], Known]:
    """What an SDK knows; the workers of a run install and read it once, or skip it by its name."""

    @cache
    def know(name: str) -> Known:
        if name == "node":
            node.skip_without_node()
        install, read = SDKS[name]
        folder = run_folder / f"sdk-{name}"
        done, failed = folder.with_suffix(".json"), folder.with_suffix(".failed")
        with FileLock(f"{folder}.lock"):
            if not done.exists() and not failed.exists():
                try:
                    install(folder)
                except subprocess.SubprocessError as error:
                    failed.write_text(str(error), "utf-8")
                else:
                    done.write_text(read(folder).as_json(), "utf-8")
        if failed.exists():
            pytest.skip(f"The SDK of {name} could not be installed: {failed.read_text('utf-8')}")
        return Known.from_json(done.read_text("utf-8"))

    return know


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest, known: Callable[[str], Known]) -> Known:
    return known(request.param)


@pytest.fixture
def both(known: Callable[[str], Known]) -> list[Known]:
    return [known(name) for name in SDKS]


@cache
def ours() -> Known:
    """The facts in the form of an SDK."""
    read = facts("v2")
    return Known(
        {
            one.name: Call(
                one.method,
                one.template,
                one.lists,
                dict(parts_of(one.fields)),
                {shown.name: part_shown(shown) for shown in one.shown},
            )
            for one in read.operations
        },
        {kind: dict(parts_of(read.resource(kind))) for kind in read.kinds},
    )


def parts_of(fields: Sequence[Field], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Part]]:
    for field in fields:
        place = (*path, field.name)
        yield ".".join(place), part_of(field)
        yield from parts_of(field.fields, place)


def part_of(field: Field) -> Part:
    kind: Kind = "resource" if field.resource else KINDS.get(field.type, "group")
    if field.fields and OPERATORS.issuperset(inner.name for inner in field.fields):
        kind = "filter"
    return Part(
        kind,
        field.many,
        field.required,
        list(field.values),
        field.resource,
        field.limit,
        field.shortest or None,
        field.pattern,
        field.low,
        field.high,
    )


def part_shown(shown: Shown) -> Part:
    if shown.field is not None:
        return Part(part_of(shown.field).kind, shown.many, not shown.optional)
    return Part("resource", shown.many, not shown.optional, resource=shown.kind)


def differences(theirs: Parts, ours: Parts) -> Iterator[str]:
    """What the facts have otherwise than an SDK, of what it has."""
    for path, part in theirs.items():
        fact = ours.get(path)
        if fact is None:
            yield f"{path} is missing"
        elif part.kind != "json":
            if (part.kind, part.many, part.resource) != (fact.kind, fact.many, fact.resource):
                yield f"{path} is another: {fact}"
            if not set(part.values) <= set(fact.values):
                yield f"{path} lacks {set(part.values) - set(fact.values)}"


def test_every_operation_is_in_the_facts(sdk: Known) -> None:
    for name, call in sdk.calls.items():
        fact = ours().calls[name]
        assert (fact.method, fact.path, fact.lists) == (call.method, call.path, call.lists), name


def test_every_parameter_is_in_the_facts(sdk: Known) -> None:
    found = {
        name: list(differences(call.parameters, ours().calls[name].parameters))
        for name, call in sdk.calls.items()
    }

    assert {name: listed for name, listed in found.items() if listed} == {}


def test_every_bound_of_a_parameter_is_in_the_facts(sdk: Known) -> None:
    for name, call in sdk.calls.items():
        for path, part in call.parameters.items():
            fact = ours().calls[name].parameters[path]
            for bound in BOUNDS:
                if getattr(part, bound) is not None:
                    assert getattr(fact, bound) == getattr(part, bound), (name, path)


def test_every_attribute_is_in_the_facts(sdk: Known) -> None:
    found = {
        kind: list(differences(parts, ours().resources[kind]))
        for kind, parts in sdk.resources.items()
    }

    assert {kind: listed for kind, listed in found.items() if listed} == {}


def test_every_answer_is_in_the_facts(sdk: Known) -> None:
    found = {
        name: list(differences(call.answer, ours().calls[name].answer))
        for name, call in sdk.calls.items()
    }

    assert {name: listed for name, listed in found.items() if listed} == {}


def test_every_value_of_an_enum_is_in_the_facts(sdk: Known) -> None:
    """The SDKs have enums of the whole API, which the facts have by name, and of a resource."""
    everywhere = {value for kind in ours().resources for value in values_of(kind)}
    for name, values in sdk.enums.items():
        kind, _, of_resource = name.rpartition(".")
        if of_resource and kind:
            assert set(values) <= values_of(kind), name
        else:
            assert set(values) <= everywhere | set(named(name)), name


def named(enum: str) -> tuple[str, ...]:
    try:
        return facts("v2").fields(f"  it enum:{enum}Enum")[0].values
    except KeyError:
        return ()


@cache
def values_of(kind: str) -> frozenset[str]:
    """What a resource, those that it holds, and the parameters of its operations may say."""
    found: set[str] = set()
    waiting, seen = [kind], {kind}
    while waiting:
        for part in ours().resources.get(waiting.pop(), {}).values():
            found.update(part.values)
            if part.resource is not None and part.resource not in seen:
                seen.add(part.resource)
                waiting.append(part.resource)
    for name, call in ours().calls.items():
        if name.startswith(f"{kind}."):
            for part in call.parameters.values():
                found.update(part.values)
    return frozenset(found)


def test_the_facts_have_nothing_that_no_sdk_has(both: list[Known]) -> None:
    for name, call in ours().calls.items():
        calls = [known.calls[name] for known in both if name in known.calls]
        assert calls, name
        assert not call.answer.keys() - {key for one in calls for key in one.answer}, name
        assert not call.parameters.keys() - {path for one in calls for path in one.parameters}, name
    for kind, parts in ours().resources.items():
        attributes = {path for known in both for path in known.resources.get(kind, ())}
        assert not parts.keys() - attributes, kind


def test_a_parameter_is_required_where_an_sdk_requires_it(both: list[Known]) -> None:
    for name, call in ours().calls.items():
        for path, fact in call.parameters.items():
            said = [
                known.calls[name].parameters[path].required
                for known in both
                if name in known.calls and path in known.calls[name].parameters
            ]
            assert fact.required == any(said), (name, path)


def test_an_answer_may_lack_what_an_sdk_says_may_be_missing(both: list[Known]) -> None:
    for name, call in ours().calls.items():
        for key, fact in call.answer.items():
            said = [
                known.calls[name].answer[key].required
                for known in both
                if name in known.calls and key in known.calls[name].answer
            ]
            assert fact.required == all(said), (name, key)
