"""Each line of our own facts is understood, says why it is there, and is still needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from mock_server import contract
from mock_server.contract.facts import VERSIONS, Field, facts
from mock_server.contract.ours import OurFacts, our_facts, read_ours
from mock_server.contract.values import CUSTOM
from mock_server.contract.view import View, Views

TEXT: Final = Path(contract.__file__).with_name("ours.facts").read_text("utf-8")


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    named: str = request.param
    return named


def fields_at(version: str, path: str) -> tuple[Field, ...]:
    """The vendor's attributes of a resource, or of a part of one; KeyError where there is none."""
    kind, *steps = path.split(".")
    fields = facts(version).resource(kind)
    for step in steps:
        fields = next((field.fields for field in fields if field.name == step), ())
        if not fields:
            raise KeyError(path)
    return fields


def names_at(version: str, path: str) -> set[str]:
    """All attributes of a resource, or of a part of one."""
    added = facts(version).fields("\n".join(our_facts(version).added.get(path, [])))
    return {field.name for field in (*fields_at(version, path), *added)}


def lines(section: str) -> list[str]:
    _, _, text = TEXT.partition(f"# {section}\n")
    return [line for line in text.partition("\n# ")[0].splitlines() if line]


def test_every_line_is_read() -> None:
    ours = [our_facts(version) for version in VERSIONS]

    assert len(lines("adds")) == sum(len(each) for one in ours for each in one.added.values())
    assert len(lines("values")) == sum(len(one.values) for one in ours)
    assert len(lines("names")) == sum(len(each) for one in ours for each in one.names.values())
    assert len(lines("order")) == sum(len(one.order) for one in ours)
    blank_or_head = [line for line in TEXT.splitlines() if not line or line.startswith("# ")]
    told = sum(len(lines(section)) for section in ("adds", "values", "names", "order"))
    assert len(TEXT.splitlines()) == told + len(blank_or_head)


@pytest.mark.parametrize(
    "text",
    [
        "# adds\nv1 order.size i",
        "# adds\nv1 order.size i  because",
        "# adds\nv1 order.size i C: one blank",
        "# adds\nv3 order.size i  C: seen",
        "# adds\norder.size i  C: seen",
        "# values\nv1 @E_status lost",
        "# values\nv1 status lost  A: ours",
        "# names\ninvoice.amount total",
        "# names\nv1 invoice.amount total  C: seen",
        "# order\nv1 order id status",
        "# order\nv1 order: id  status",
        "# order\nv1 order:",
        "# sizes\nv1 order: id",
        "v1 order: id",
    ],
)
def test_a_line_of_another_form_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no line of ours\.facts"):
        read_ours("v1", text)


def test_an_attribute_is_added_where_the_vendors_facts_have_none(version: str) -> None:
    for path, added in our_facts(version).added.items():
        vendors = {field.name for field in fields_at(version, path)}
        names = [field.name for field in facts(version).fields("\n".join(added))]
        assert vendors.isdisjoint(names), path
        assert len(set(names)) == len(names), path


def test_a_name_of_v1_stands_for_an_attribute_of_documents_that_v1_has_not() -> None:
    for path, names in our_facts("v1").names.items():
        for name, source in names.items():
            assert name in names_at("v1", path), (path, name)
            assert source in names_at("v2", v2_path(path)), (path, source)
            assert source not in names_at("v1", path), (path, source)
            assert name not in names_at("v2", v2_path(path)), (path, name)


def v2_path(path: str) -> str:
    """What documents call a part of a resource of v1."""
    kind, *steps = path.split(".")
    named, there = kind, kind
    for step in steps:
        there += "." + our_facts("v1").names.get(named, {}).get(step, step)
        named += f".{step}"
    return there


def test_only_v1_has_names_of_its_own() -> None:
    assert our_facts("v2").names == {}


def test_an_order_names_each_attribute_once_and_no_other(version: str) -> None:
    ours = our_facts(version)
    for path, order in ours.order.items():
        is_part = "." in path
        allowed = names_at(version, path)
        if not is_part or path in ours.parts:
            allowed.add("object")
        if not is_part:
            allowed.add(CUSTOM)
        assert set(order) <= allowed, path
        assert len(set(order)) == len(order), path
        assert is_part or path not in ours.parts, path


def test_an_order_is_another_than_there_is_without_it(version: str) -> None:
    needless = []
    for path, without in without_each_order(version):
        kind = path.split(".")[0]
        if shape(version, kind, without) == shape(version, kind, our_facts(version)):
            needless.append(path)
    assert needless == []


def without_each_order(version: str) -> Iterator[tuple[str, OurFacts]]:
    ours = our_facts(version)
    for path in ours.order:
        order = {other: keys for other, keys in ours.order.items() if other != path}
        parts = {other: name for other, name in ours.parts.items() if other != path}
        yield path, replace(ours, order=order, parts=parts)


def shape(version: str, kind: str, ours: OurFacts) -> str:
    """A resource of a kind with all of its attributes, with our facts being these."""
    view = Views(facts(version), ours).of_resource(kind)
    return json.dumps(view.show(whole(view)))


def whole(view: View) -> dict[str, object]:
    """A document that has all that a view shows."""
    return {CUSTOM: True} | {
        attribute.source: True if attribute.part is None else whole(attribute.part)
        for attribute in view.attributes
    }
