"""`POST /api/v1/orders/{id}`: what an update changes, clears and leaves alone."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import httpx2
import pytest

from tests.server import Server, Site

LIMITS = (
    ("reference_id", 50),
    ("batch_id", 50),
    ("note", 600),
    ("tracking_id", 50),
    ("fulfillment_status", 50),
)
ADDRESS_LIMITS = (
    ("first_name", 150),
    ("last_name", 150),
    ("email", 70),
    ("company", 250),
    ("phone", 50),
    ("line1", 150),
    ("line2", 150),
    ("line3", 150),
    ("city", 50),
    ("state_code", 50),
    ("state", 50),
    ("zip", 20),
    ("country", 50),
)
LONG_AGO = 1_700_000_000


def kept_address(server: Server, site: Site, order_id: str) -> object:
    """The order's shipping address, which v1 does not show, as the database has it."""
    with closing(sqlite3.connect(server.database)) as database:
        (kept,) = database.execute(
            "SELECT shipping_address FROM orders WHERE site = ? AND id = ?", (site.name, order_id)
        ).fetchone()
    return kept and json.loads(kept)


def make_old(server: Server, site: Site) -> None:
    """Move the orders of the site to a second that is long gone."""
    with closing(sqlite3.connect(server.database, isolation_level=None)) as database:
        database.execute(
            "UPDATE orders SET created_at = :then, status_update_at = :then WHERE site = :site",
            {"then": LONG_AGO, "site": site.name},
        )


@pytest.mark.parametrize(("param", "limit"), LIMITS)
def test_a_value_as_long_as_its_limit_is_set_and_nothing_else_changes(
    api: httpx2.Client, order_id: str, param: str, limit: int
) -> None:
    before = api.get(f"/orders/{order_id}").json()["order"]

    answer = api.post(f"/orders/{order_id}", data={param: "é" * limit})

    assert answer.status_code == 200
    assert answer.json() == {"order": before | {param: "é" * limit}}
    assert api.get(f"/orders/{order_id}").json() == answer.json()


@pytest.mark.parametrize(("param", "limit"), LIMITS)
def test_a_value_longer_than_its_limit_changes_nothing(
    api: httpx2.Client, order_id: str, param: str, limit: int
) -> None:
    before = api.get(f"/orders/{order_id}").json()

    answer = api.post(f"/orders/{order_id}", data={param: "x" * (limit + 1)})

    assert answer.status_code == 400
    assert answer.json()["message"] == f"{param} : cannot be longer than {limit} characters"
    assert api.get(f"/orders/{order_id}").json() == before


@pytest.mark.parametrize("param", [param for param, _ in LIMITS])
def test_a_blank_value_clears(api: httpx2.Client, param: str) -> None:
    created = api.post("/orders", data={"invoice_id": "__demo_inv__1", param: "x"}).json()["order"]

    answer = api.post(f"/orders/{created['id']}", data={param: ""})

    assert created.pop(param) == "x"
    assert answer.json() == {"order": created}
    assert api.get(f"/orders/{created['id']}").json() == {"order": created}


@pytest.mark.parametrize("status", ["processing", "complete", "cancelled", "voided", "new"])
def test_an_order_takes_every_status(api: httpx2.Client, order_id: str, status: str) -> None:
    answer = api.post(f"/orders/{order_id}", data={"status": status})

    assert answer.status_code == 200
    assert answer.json()["order"]["status"] == status


def test_a_status_that_orders_do_not_have_is_refused(api: httpx2.Client, order_id: str) -> None:
    answer = api.post(f"/orders/{order_id}", data={"status": "lost"})

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "status : The value lost is not one of new, processing, complete, cancelled, voided"
    )


def test_a_blank_status_is_left_as_it_is(api: httpx2.Client, order_id: str) -> None:
    answer = api.post(f"/orders/{order_id}", data={"status": ""})

    assert answer.json()["order"]["status"] == "new"


@pytest.mark.parametrize("data", [{"note": "x"}, {"status": "new"}, {"status": ""}, {}])
def test_status_update_at_stays_while_the_status_does(
    server: Server, site: Site, api: httpx2.Client, order_id: str, data: dict[str, str]
) -> None:
    make_old(server, site)

    order = api.post(f"/orders/{order_id}", data=data).json()["order"]

    assert (order["created_at"], order["status_update_at"]) == (LONG_AGO, LONG_AGO)


def test_status_update_at_moves_with_the_status(
    server: Server, site: Site, api: httpx2.Client, order_id: str
) -> None:
    created_at = api.get(f"/orders/{order_id}").json()["order"]["created_at"]
    make_old(server, site)

    order = api.post(f"/orders/{order_id}", data={"status": "processing"}).json()["order"]

    assert order["created_at"] == LONG_AGO
    assert order["status_update_at"] >= created_at
    assert api.get(f"/orders/{order_id}").json() == {"order": order}


@pytest.mark.parametrize("param", ["id", "invoice_id"])
def test_an_order_keeps_its_id_and_its_invoice(
    api: httpx2.Client, order_id: str, param: str
) -> None:
    before = api.get(f"/orders/{order_id}").json()

    answer = api.post(f"/orders/{order_id}", data={param: "__demo_inv__2"})

    assert answer.status_code == 200
    assert answer.json() == before
    assert answer.headers["x-mock-ignored-params"] == param


def test_an_unknown_order_cannot_be_updated(api: httpx2.Client) -> None:
    answer = api.post("/orders/nothing", data={"note": "x"})

    assert answer.status_code == 404
    assert answer.json()["message"] == "nothing not found"
    assert "param" not in answer.json()


@pytest.mark.parametrize(("part", "limit"), ADDRESS_LIMITS)
def test_a_part_of_the_shipping_address_is_kept_up_to_its_limit(
    server: Server, site: Site, api: httpx2.Client, order_id: str, part: str, limit: int
) -> None:
    value = f"{'x' * (limit - 4)}@a.b"

    answer = api.post(f"/orders/{order_id}", data={f"shipping_address[{part}]": value})

    assert answer.status_code == 200
    assert "x-mock-ignored-params" not in answer.headers
    assert "shipping_address" not in answer.json()["order"]
    assert kept_address(server, site, order_id) == {part: value}


@pytest.mark.parametrize(("part", "limit"), ADDRESS_LIMITS)
def test_a_part_of_the_shipping_address_longer_than_its_limit_is_refused(
    server: Server, site: Site, api: httpx2.Client, order_id: str, part: str, limit: int
) -> None:
    value = f"{'x' * (limit - 3)}@a.b"

    answer = api.post(f"/orders/{order_id}", data={f"shipping_address[{part}]": value})

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        f"shipping_address[{part}] : cannot be longer than {limit} characters"
    )
    assert kept_address(server, site, order_id) is None


@pytest.mark.parametrize("value", ["ada", "@example.com", "ada@", "a b@example.com", "a@b@c.com"])
def test_a_shipping_address_needs_a_sound_email(
    api: httpx2.Client, order_id: str, value: str
) -> None:
    answer = api.post(f"/orders/{order_id}", data={"shipping_address[email]": value})

    assert answer.status_code == 400
    assert answer.json()["message"] == "shipping_address[email] : wrong format"
    assert answer.json()["error_code"] == "wrong_format"


def test_a_shipping_address_is_merged_and_blanks_clear_its_parts(
    server: Server, site: Site, api: httpx2.Client, order_id: str
) -> None:
    path = f"/orders/{order_id}"
    api.post(path, data={"shipping_address[city]": "Oslo", "shipping_address[zip]": "0150"})
    assert kept_address(server, site, order_id) == {"city": "Oslo", "zip": "0150"}

    api.post(path, data={"shipping_address[city]": "Bergen", "shipping_address[country]": "NO"})
    assert kept_address(server, site, order_id) == {
        "city": "Bergen",
        "zip": "0150",
        "country": "NO",
    }

    api.post(path, data={"note": "x"})
    assert kept_address(server, site, order_id) == {
        "city": "Bergen",
        "zip": "0150",
        "country": "NO",
    }

    for part in ("city", "zip", "country"):
        api.post(path, data={f"shipping_address[{part}]": ""})
    assert kept_address(server, site, order_id) is None


def test_a_part_that_addresses_do_not_have_is_ignored_and_named(
    server: Server, site: Site, api: httpx2.Client, order_id: str
) -> None:
    answer = api.post(f"/orders/{order_id}", data={"shipping_address[planet]": "Mars"})

    assert answer.status_code == 200
    assert answer.headers["x-mock-ignored-params"] == "shipping_address[planet]"
    assert kept_address(server, site, order_id) is None


@pytest.mark.parametrize("param", ["shipping_address", "note[text]"])
def test_a_value_in_place_of_a_group_and_a_group_in_place_of_a_value_are_refused(
    api: httpx2.Client, order_id: str, param: str
) -> None:
    answer = api.post(f"/orders/{order_id}", data={param: "x"})

    assert answer.status_code == 400
    assert answer.json()["message"] == f"{param.partition('[')[0]} : wrong format"


def test_a_new_order_takes_no_shipping_address(
    server: Server, site: Site, api: httpx2.Client
) -> None:
    data = {"id": "o", "invoice_id": "__demo_inv__1", "shipping_address[city]": "Oslo"}

    answer = api.post("/orders", data=data)

    assert answer.status_code == 200
    assert answer.headers["x-mock-ignored-params"] == "shipping_address[city]"
    assert kept_address(server, site, "o") is None
