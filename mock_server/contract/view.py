"""Documents as a version of the API shows them: its attributes, its names, their recorded order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, Final, TypeAlias

from mock_server.contract.facts import Facts, Field, facts
from mock_server.contract.ours import OurFacts, our_facts
from mock_server.contract.values import CUSTOM

Document: TypeAlias = dict[str, Any]
"""A resource with all of its attributes, in the names of API v2."""

_OBJECT: Final = "object"
_PLACED: Final = (_OBJECT, CUSTOM)
"""What an order has beside attributes; both stand at the end unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """What an answer shows as `name`: a value of the document, or parts that have a view."""

    name: str
    source: str
    field: Field
    part: View | None = None


class View:
    """A resource, or a part of one, as a version shows it. Made by `view`."""

    def __init__(
        self, order: Sequence[Attribute | str], object: str | None, *, custom: bool
    ) -> None:
        """`order` has attributes, and the texts `object` and `cf_` where such keys stand.

        `object` is what the view says that it shows; None where it does not say so.
        """
        self.attributes: Final = tuple(one for one in order if isinstance(one, Attribute))
        self._steps: dict[str, tuple[int, str, View | None]] = {}
        self._object: list[tuple[int, str, Any]] = []
        self._custom: int | None = None
        for place, one in enumerate(order):
            if isinstance(one, Attribute):
                self._steps[one.source] = (place, one.name, one.part)
            elif one == _OBJECT and object is not None:
                self._object = [(place, one, object)]
            elif one == CUSTOM and custom:
                self._custom = place

    @property
    def object(self) -> str | None:
        """What it says that it shows; None where it does not say so."""
        return self._object[0][2] if self._object else None

    def show(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """What an answer has of the document: attributes without a value are left out."""
        found = self._object.copy()
        for source, value in document.items():
            if value is None:
                continue
            step = self._steps.get(source)
            if step is not None:
                place, name, part = step
                found.append((place, name, value if part is None else part.show_inside(value)))
            elif self._custom is not None and source.startswith(CUSTOM):
                found.append((self._custom, source, value))
        found.sort(key=itemgetter(0))  # custom fields have one place, and stay as they are
        return {name: value for _, name, value in found}

    def show_inside(self, value: Any) -> Any:
        """The parts that an attribute has: one, or a list of them."""
        if isinstance(value, list):
            return [self.show_inside(part) for part in value]
        return self.show(value) if isinstance(value, dict) else value


@cache
def view(version: str, kind: str) -> View:
    """How a version shows resources of a kind; KeyError where it has none of that kind."""
    return Views(facts(version), our_facts(version)).of_resource(kind)


class Views:
    """Makes the views of one version."""

    def __init__(self, vendor: Facts, ours: OurFacts) -> None:
        self._vendor = vendor
        self._ours = ours

    def of_resource(self, kind: str, depth: int = 0) -> View:
        recorded = self._ours.order.get(kind)
        object = kind if recorded is None or _OBJECT in recorded else None
        return self._made(self._vendor.resource(kind), kind, object, depth, custom=True)

    def _made(
        self,
        fields: Sequence[Field],
        path: str,
        object: str | None,
        depth: int,
        *,
        custom: bool = False,
    ) -> View:
        names = self._ours.names.get(path, {})
        added = self._vendor.fields("\n".join(self._ours.added.get(path, [])))
        known = {field.name: field for field in (*fields, *added)}
        order: list[Attribute | str] = []
        for name in self._ordered(known, path):
            field = known.get(name)
            if field is None:
                order.append(name)
            else:
                part = self._part(field, f"{path}.{name}", depth)
                order.append(Attribute(name, names.get(name, name), field, part))
        return View(order, object, custom=custom)

    def _part(self, field: Field, path: str, depth: int) -> View | None:
        """The view of an attribute that is a group, or holds another resource."""
        if field.type != "group" or depth == _DEEPEST:
            return None
        if field.resource is not None:
            return self.of_resource(field.resource, depth + 1)
        return self._made(field.fields, path, self._ours.parts.get(path), depth + 1)

    def _ordered(self, known: Mapping[str, Field], path: str) -> list[str]:
        """The recorded order; what was never recorded follows what it follows in the facts."""
        recorded = self._ours.order.get(path, [])
        order = [name for name in recorded if name in known or name in _PLACED]
        place = 0
        for name in known:
            if name in order:
                place = order.index(name) + 1
            else:
                order.insert(place, name)
                place += 1
        return order + [name for name in _PLACED if name not in order]


_DEEPEST: Final = 4
"""Resources may hold resources of their own kind; what is deeper is shown as it is kept."""
