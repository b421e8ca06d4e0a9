"""Answers of the API as fixtures: lists, single resources, and attributes that nothing here keeps.

A resource that names its `object` was answered by an API, Chargebee's or this server's. What it
has that cannot be kept is left out and named, where in a fixture that was written by hand it is
taken for a slip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic import AliasChoices, BaseModel

from mock_server.resources.fixture import Fixture, Path, written
from mock_server.resources.resource import Resource, part_of

_MOST_NAMED: Final = 100
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {})


class Ignored:
    """What a fixture has that is not kept."""

    def __init__(self) -> None:
        self._named: list[str] = []
        self._more = 0

    def add(self, path: Path) -> None:
        if len(self._named) < _MOST_NAMED:
            self._named.append(written(path))
        else:
            self._more += 1

    @property
    def named(self) -> list[str]:
        """The paths, or of very many the first."""
        return [*self._named, *([f"… and {self._more} more"] if self._more else [])]


class Entry(NamedTuple):
    """One thing that a fixture states, under `customers` for instance, and where it stands."""

    kind: str
    path: Path
    value: Any


def entries(
    given: Fixture, at: Path, kinds: Mapping[str, str], ignored: Ignored
) -> Iterator[Entry]:
    """What the fixture at that path states; `kinds` maps `customers` to `customer`, and so on.

    Under `customers` is a list of customers, each as it is or wrapped as in an answer; or the
    fixture is an answer as a whole: a list, or one resource.
    """
    value = given.value_at(at)
    if not isinstance(value, dict):
        raise given.error("is no mapping of names to values", at)
    wrappers = {wrapper: kind for kind, wrapper in kinds.items()}
    is_answer = "list" in value or not wrappers.keys().isdisjoint(value)
    for name, held in value.items():
        path = (*at, name)
        if name in wrappers:
            yield Entry(wrappers[name], path, held)
        elif name in kinds or name == "list":
            yield from _listed(given, path, held, name, wrappers, ignored)
        elif is_answer:
            ignored.add(path)
        else:
            raise given.error("is no attribute that is known here", path)


def _listed(
    given: Fixture,
    path: Path,
    held: Any,
    name: str,
    wrappers: Mapping[str, str],
    ignored: Ignored,
) -> Iterator[Entry]:
    """The entries of a list under that name: `list` for that of an answer, else their kind."""
    if name != "list" and isinstance(held, dict) and "list" in held:  # an answer in a kind's place
        path, held, name = (*path, "list"), held["list"], "list"
    if not isinstance(held, list):
        raise given.error("Input should be a valid list", path)
    for index, item in enumerate(held):
        place = (*path, index)
        wrapped = isinstance(item, dict) and not wrappers.keys().isdisjoint(item)
        if not wrapped and name == "list":
            raise given.error("is none of the resources that are known here", place)
        if not wrapped:
            yield Entry(name, place, item)
            continue
        for inner, value in item.items():
            if inner in wrappers:
                yield Entry(wrappers[inner], (*place, inner), value)
            else:
                ignored.add((*place, inner))


def kept(given: Fixture, entry: Entry, model: type[BaseModel], kind: str, ignored: Ignored) -> Any:
    """The entry's value without what cannot be kept; FixtureError where it names what nothing has.

    Every name is known after that, so that nobody has to look for more than one mistake.
    """
    if not isinstance(entry.value, dict):
        return entry.value
    named = entry.value.get("object")
    if named is not None and named != kind:
        raise given.error(f"is a {named}, where a {kind} is expected", (*entry.path, "object"))
    return _kept(given, entry.path, entry.value, model, ignored if named else None)


def _kept(
    given: Fixture,
    path: Path,
    value: Any,
    model: type[BaseModel],
    ignored: Ignored | None,
) -> Any:
    if isinstance(value, list):
        return [
            _kept(given, (*path, index), item, model, ignored) for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    names, derived = _names(model), _derived(model)
    result = {}
    for name, inner in value.items():
        place = (*path, name)
        if name in names and name not in derived:
            part = names[name]
            result[name] = inner if part is None else _kept(given, place, inner, part, ignored)
        elif name == "object":
            pass
        elif ignored is None:
            known = "follows from what else is stated" if name in derived else None
            raise given.error(known or "is no attribute that is known here", place)
        elif name not in derived and inner not in _NOTHING:
            ignored.add(place)
    return result


def note_derived(entry: Entry, resource: Resource, ignored: Ignored) -> None:
    """Add to `ignored` what the entry states otherwise than it follows from the rest."""
    stated = [name for name in resource.derived if entry.value.get(name) not in _NOTHING]
    if stated:
        shown = resource.show(resource.to_row())
        for name in stated:
            if shown.get(name) != entry.value[name]:
                ignored.add((*entry.path, name))


@cache
def _names(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """The names that a model takes, and the model of the part that is under each, if one is."""
    names: dict[str, type[BaseModel] | None] = {}
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [name]
        names |= {str(choice): part_of(field.annotation) for choice in choices}
    return names


def _derived(model: type[BaseModel]) -> frozenset[str]:
    return model.derived if issubclass(model, Resource) else frozenset()
