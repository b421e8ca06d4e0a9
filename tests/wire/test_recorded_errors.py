"""The recorded errors of which the situation exists here, each brought about and compared."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import httpx2
import pytest

from tests import recordings

FIDELITY: Final = Path(__file__).parents[2] / "docs" / "fidelity.md"
ORDER: Final = {"invoice_id": "__demo_inv__1"}
KEY: Final = {"chargebee-idempotency-key": "k"}

Site: TypeAlias = tuple[httpx2.Client, httpx2.Client]
"""A client of a site's API, and one of what is ours."""


class Situation(NamedTuple):
    """How a recorded situation is made here, and in what our words for it differ.

    `renamed` are parameters that have another name here. `deviates` is why the answer is another,
    where it is.
    """

    answer: Callable[[Site], httpx2.Response]
    renamed: tuple[str, str] = ("", "")
    deviates: str | None = None


def taken_id(site: Site) -> httpx2.Response:
    order = ORDER | {"id": "example-user-demo-001"}
    site[0].post("/orders", data=order)
    return site[0].post("/orders", data=order)


def malformed_email(site: Site) -> httpx2.Response:
    site[0].post("/orders", data=ORDER | {"id": "o"})
    return site[0].post("/orders/o", data={"shipping_address[email]": "ada"})


def json_body(site: Site) -> httpx2.Response:
    return site[0].post("/invoices/charge?description=x", json={"customer_id": "x", "amount": 1})


def reused_key(site: Site) -> httpx2.Response:
    site[0].post("/orders", data=ORDER, headers=KEY)
    return site[0].post("/orders", data=ORDER | {"note": "x"}, headers=KEY)


def key_in_flight(site: Site) -> httpx2.Response:
    api, mock = site
    made = mock.post("/faults", json={"delay": 1.0, "times": 1, "headers": KEY}).json()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(api.post, "/orders", data=ORDER, headers=KEY)
        while not mock.get(f"/faults/{made['fault']['id']}").json()["fault"]["fired"]:
            time.sleep(0.01)
        return api.post("/orders", data=ORDER, headers=KEY)


def too_many(site: Site) -> httpx2.Response:
    site[1].put("/rate_limit", json={"requests": 1, "seconds": 60})
    site[0].get("/orders")
    return site[0].get("/orders")


def unknown_customer(site: Site) -> httpx2.Response:
    return site[0].get("/customers/another_customer_id")


def unknown_key(site: Site) -> httpx2.Response:
    return site[0].get("/orders", auth=("unknown", ""))


SITUATIONS: Final = {
    "customer create with an id already taken": Situation(taken_id),
    "payment source create with a JSON body: no parameter is read, the first required one counts "
    "as blank": Situation(json_body, deviates="v1 names the code param_wrong_value"),
    "POST on an invoice id that does not exist": Situation(
        lambda site: site[0].get("/invoices/draft_inv23423/orders")
    ),
    "GET on a customer id that does not exist": Situation(unknown_customer),
    "GET on a customer id that does not exist (stub of a project, same text as the recorded one)": (
        Situation(unknown_customer)
    ),
    "e-mail address malformed": Situation(
        malformed_email, renamed=("email", "shipping_address[email]")
    ),
    "idempotency key used again for another request (status 400 by the author's error table, 422 "
    "in the spec)": Situation(reused_key, deviates="the status is the spec's"),
    "unknown API key": Situation(unknown_key),
    "unknown API key (old body)": Situation(unknown_key, deviates="the body is older than v1's"),
    "key without the right": Situation(
        lambda site: site[0].post("/orders", data=ORDER, auth=("test_read_only", ""))
    ),
    "unknown id in a parameter": Situation(
        lambda site: site[0].post("/orders", data={"invoice_id": "82sa2Sqa5"}),
        renamed=("item_id", "invoice_id"),
    ),
    "a second request with the idempotency key of one still in flight": Situation(key_in_flight),
    "too many requests": Situation(too_many),
}


@recordings.needed
@pytest.mark.parametrize("name", SITUATIONS)
def test_an_error_is_the_recorded_one(api: httpx2.Client, mock: httpx2.Client, name: str) -> None:
    (recorded,) = (error for error in recordings.errors() if error["situation"] == name)
    situation = SITUATIONS[name]

    answer = situation.answer((api, mock))

    wanted = _renamed(recorded["body"], *situation.renamed)
    known = {key: value for key, value in answer.json().items() if key in wanted}
    is_same = (answer.status_code, list(known.items())) == (recorded["status"], [*wanted.items()])
    if "note" not in recorded:  # the body was seen whole
        is_same = is_same and known == answer.json()
    assert is_same is (situation.deviates is None), (answer.text, recorded)


@recordings.needed
def test_the_score_is_the_one_that_the_documents_tell() -> None:
    told = re.search(
        r"Of (\d+) recorded errors (\d+) are of situations that exist here; (\d+) of those",
        " ".join(FIDELITY.read_text("utf-8").split()),
    )
    assert told is not None
    existing = [error for error in recordings.errors() if error["situation"] in SITUATIONS]
    held = [name for name, situation in SITUATIONS.items() if situation.deviates is None]

    score = (len(recordings.errors()), len(existing), len(held))
    assert tuple(map(int, told.groups())) == score


def _renamed(body: dict[str, Any], recorded: str, here: str) -> dict[str, Any]:
    """The body with the name of a parameter as it is here."""
    return {
        key: value.replace(recorded, here) if recorded and isinstance(value, str) else value
        for key, value in body.items()
    }
