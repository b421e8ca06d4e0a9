"""Resources are shown as the real service was seen to show them: the same keys, in their order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from mock_server.contract.facts import VERSIONS, facts
from mock_server.contract.ours import our_facts
from mock_server.contract.values import CUSTOM
from mock_server.contract.view import View, view

RECORDED: Final = Path(__file__).parents[3] / "shared" / "recorded"

with_recordings = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recorded answers are not beside this checkout"
)

ALWAYS: Final = "9999"


class Excuse(NamedTuple):
    """Why a part of a resource is shown otherwise than in recordings before `until`.

    Samples of the documentation have no date, and are older than most recordings.
    """

    path: str
    until: str
    reason: str


EXCUSES: Final = (
    Excuse("customer", "2020", "payment methods stood before credits"),
    Excuse("invoice", "2024", "the sums stood in another order"),
    Excuse("invoice.line_items", "2019", "the amount stood after the object"),
    Excuse("subscription", "2020", "the customer and the plan stood before the period"),
)
EXCUSES_OF_DOCUMENTS: Final = (
    *(excuse._replace(until=ALWAYS) for excuse in EXCUSES),
    Excuse("credit_note.line_items", ALWAYS, "the amount stood after the object"),
    Excuse("addon", ALWAYS, "one sample has type and period where three have not"),
    Excuse("plan", ALWAYS, "one sample has the charge model where a recording has not"),
    Excuse("portal_session", ALWAYS, "recordings have the redirect after the customer"),
    Excuse("usage", ALWAYS, "the only sample leaves out what it is"),
)


@dataclass(frozen=True)
class Seen:
    """A resource in an answer of the real service."""

    where: str
    when: str
    version: str
    kind: str
    body: Mapping[str, Any]


def seen(*, documents: bool) -> Iterator[Seen]:
    """Every resource in the recordings, or in the samples of the documentation.

    Without those whose keys were sorted, or chosen, by whoever wrote them down.
    """
    for path in sorted(RECORDED.rglob("*.json")):
        name = path.relative_to(RECORDED).as_posix()
        if name.startswith("docs/") != documents or path.name == "sequences.json":
            continue
        exchange = json.loads(path.read_text("utf-8"))
        answer = exchange["response"]
        if "key_order" in exchange or exchange.get("partial") or (answer["status"] or 0) >= 400:
            continue
        version, when, body = exchange["api"], exchange.get("recorded") or "", answer["body"]
        holder = {"event": body} if body.get("object") == "event" else body  # a webhook is an event
        for kind, resource in resources(version, holder):
            yield Seen(name, when, version, kind, resource)


def resources(version: str, holder: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The resources of an answer, a page of a list, an event or a hosted page, by their kinds."""
    kinds = facts(version).kinds
    for name, held in holder.items():
        singular = f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
        for body in held if isinstance(held, list) else [held]:
            if not isinstance(body, dict):
                continue
            if name == "list":
                yield from resources(version, body)
            elif (kind := name if name in kinds else singular) in kinds:
                yield kind, body
                if kind in ("event", "hosted_page"):
                    yield from resources(version, body.get("content", {}))


def document_of(shown: Any, view: View | None) -> Any:
    """The document of which the view shows this, in the order of the alphabet."""
    if isinstance(shown, list):
        return [document_of(one, view) for one in shown]
    if view is None or not isinstance(shown, dict):
        return shown
    attributes = {attribute.name: attribute for attribute in view.attributes}
    document = {name: value for name, value in shown.items() if name.startswith(CUSTOM)}
    for name in sorted(shown.keys() & attributes.keys()):
        attribute = attributes[name]
        document[attribute.source] = document_of(shown[name], attribute.part)
    return document


def differences(theirs: Any, ours: Any, view: View | None, path: str) -> Iterator[tuple[str, str]]:
    """The parts of a resource that have other keys, or another order of them."""
    if isinstance(theirs, list):
        assert len(theirs) == len(ours), path
        for one, other in zip(theirs, ours, strict=True):
            yield from differences(one, other, view, path)
    elif isinstance(theirs, dict) and view is not None:
        if list(theirs) != list(ours):
            yield path, f"{path} is not {' '.join(theirs)}, but {' '.join(ours)}"
        for attribute in view.attributes:
            if attribute.name in theirs and attribute.name in ours:
                inner = attribute.field.resource or f"{path}.{attribute.name}"
                their, our = theirs[attribute.name], ours[attribute.name]
                yield from differences(their, our, attribute.part, inner)
    else:
        assert theirs == ours, path


def compare(excuses: tuple[Excuse, ...], *, documents: bool) -> None:
    """Each resource is shown as it was seen, or there is an excuse; no excuse is left over."""
    told, used, alike, number = [], set(), 0, 0
    for one in seen(documents=documents):
        shown_by = view(one.version, one.kind)
        ours = shown_by.show(document_of(one.body, shown_by))
        found = list(differences(one.body, ours, shown_by, one.kind))
        number += 1
        alike += not found
        for path, difference in found:
            excuse = next((it for it in excuses if it.path == path and one.when < it.until), None)
            used.add(excuse)
            if excuse is None:
                told.append(f"{one.where}: {difference}")

    print(f"{alike} of {number} are shown key by key as they were seen")  # noqa: T201 # -rP shows it
    assert told == []
    assert [excuse.reason for excuse in excuses if excuse not in used] == []
    assert number > 400


@with_recordings
def test_resources_are_shown_as_they_were_recorded() -> None:
    compare(EXCUSES, documents=False)


@with_recordings
def test_resources_are_shown_as_the_documentation_shows_them() -> None:
    compare(EXCUSES_OF_DOCUMENTS, documents=True)


@with_recordings
def test_what_is_added_to_the_vendors_attributes_was_seen() -> None:
    shown = {
        (one.version, path)
        for documents in (False, True)
        for one in seen(documents=documents)
        for path in paths_of(one.body, view(one.version, one.kind), one.kind)
    }

    for version in VERSIONS:
        for path, added in our_facts(version).added.items():
            for field in facts(version).fields("\n".join(added)):
                assert (version, f"{path}.{field.name}") in shown


def paths_of(body: Any, view: View | None, path: str) -> Iterator[str]:
    if isinstance(body, list):
        for one in body:
            yield from paths_of(one, view, path)
    elif view is not None and isinstance(body, dict):
        for attribute in view.attributes:
            if attribute.name in body:
                yield f"{path}.{attribute.name}"
                inner = attribute.field.resource or f"{path}.{attribute.name}"
                yield from paths_of(body[attribute.name], attribute.part, inner)


# What holds for every user, without the recordings.


def test_keys_have_their_order_whatever_the_documents_have() -> None:
    document = {"status": "new", "note": "x", "id": "1", "invoice_id": "2", "created_at": 3}

    shown = view("v1", "order").show(document)

    assert list(shown) == ["id", "invoice_id", "status", "note", "created_at", "object"]
    assert shown["object"] == "order"


def test_an_attribute_without_a_value_is_left_out() -> None:
    shown = view("v2", "customer").show({"id": "1", "email": None, "cf_size": None})

    assert shown == {"id": "1", "object": "customer"}


def test_an_attribute_that_the_version_has_not_is_left_out() -> None:
    document = {"id": "1", "deleted": False, "resource_version": 2, "_own": 3}

    assert view("v1", "order").show(document) == {"id": "1", "object": "order"}


def test_v1_has_its_own_names() -> None:
    document = {"id": "1", "total": 100, "line_items": [{"tax_amount": 7, "description": "a"}]}

    shown = view("v1", "invoice").show(document)

    assert shown["amount"] == 100
    assert shown["line_items"] == [{"tax": 7, "object": "line_item", "description": "a"}]
    assert view("v2", "invoice").show(document)["total"] == 100


def test_custom_fields_have_their_place_and_stay_as_they_are() -> None:
    document = {"meta_data": {}, "cf_size": 1, "mrr": 0, "cf_age": 2, "id": "1"}

    shown = view("v2", "customer").show(document)

    assert list(shown) == ["id", "object", "mrr", "cf_size", "cf_age", "meta_data"]


def test_a_resource_inside_another_is_shown_as_one() -> None:
    customer = {"cf_size": 1, "billing_address": {"city": "Oslo"}, "id": "2"}

    shown = view("v2", "hosted_page").show({"id": "1", "content": {"customer": customer}})

    assert shown["content"] == {"customer": view("v2", "customer").show(customer)}
    assert list(shown["content"]["customer"]) == ["id", "object", "billing_address", "cf_size"]


def test_what_is_no_part_is_shown_as_it_is() -> None:
    document = {"id": "1", "billing_address": "Oslo", "contacts": ["Jane", {"id": "2"}]}

    shown = view("v2", "customer").show(document)

    assert shown["billing_address"] == "Oslo"
    assert shown["contacts"] == ["Jane", {"id": "2", "object": "contact"}]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_kind_of_resource_has_a_view(version: str) -> None:
    for kind in facts(version).kinds:
        shown = view(version, kind).show({"object": "something else"})
        assert shown == ({} if kind == "content" else {"object": kind})


def test_a_kind_that_a_version_has_not_has_no_view() -> None:
    with pytest.raises(KeyError):
        view("v1", "item_price")
