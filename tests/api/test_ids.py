"""Ids that never meet on one site, and ids that are the same each time where a seed asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

FROZEN = {"at": "2027-03-01T12:00:00Z"}
ORDER = {"invoice_id": "__demo_inv__1"}


def freeze(site: Site) -> None:
    with site.mock() as mock:
        assert mock.post("/clock/freeze", json=FROZEN).status_code == 200


def seeded(server: Server, **given: Any) -> Site:
    """A new site whose ids come from a seed, with its clock standing still."""
    site = server.site()
    with site.mock() as mock:
        made = mock.post("/sites", json={"name": site.name, "id_seed": "4711", **given})
        assert made.status_code == 200, made.text
    freeze(site)
    return site


def hundred(site: Site) -> Iterator[httpx2.Response]:
    """The answers to a hundred requests: changes, lists page by page, refusals."""
    with site.api() as api:
        made = []
        for number in range(24):
            charge = {"customer_id": "__demo_cus__1", "amount": 100, "description": str(number)}
            yield api.post("/invoices/charge", data=charge)
            order = api.post("/orders", data=ORDER)
            yield order
            made.append(order.json()["order"]["id"])
            yield api.post(f"/orders/{made[-1]}", data={"note": str(number)})
        yield api.post("/orders", data=ORDER | {"id": made[0]})
        yield api.post("/orders/nowhere", data={"note": "x"})
        for path in ("/orders", "/events", "/invoices"):
            for size in (7, 20):
                offset = None
                for _ in range(4):
                    asked = {"limit": size} | ({"offset": offset} if offset else {})
                    page = api.get(path, params=asked)
                    yield page
                    offset = page.json().get("next_offset")
        yield api.get(f"/events/{api.get('/events').json()['list'][0]['event']['id']}")
        yield api.get(f"/orders/{made[-1]}")


def told(site: Site) -> list[tuple[int, bytes]]:
    answers = [(answer.status_code, answer.content) for answer in hundred(site)]
    assert len(answers) == 100
    return answers


def order_ids(site: Site, count: int) -> list[str]:
    with site.api() as api:
        answers = [api.post("/orders", data=ORDER) for _ in range(count)]
    return [answer.json()["order"]["id"] for answer in answers]


def one_order_id(site: Site) -> str:
    (id,) = order_ids(site, 1)
    return id


def test_with_a_frozen_clock_and_an_id_seed_answers_are_the_same_byte_for_byte(
    server: Server,
) -> None:
    first, second = seeded(server), seeded(server)

    answers = told(first)

    assert told(second) == answers
    with first.mock() as mock:
        mock.post("/reset")
    freeze(first)
    assert told(first) == answers


def test_pages_of_a_site_with_an_id_seed_show_each_row_once(server: Server) -> None:
    site = seeded(server)
    ids = order_ids(site, 10)
    with site.mock() as mock:
        mock.post("/clock/advance", json={"seconds": 1})
    ids += order_ids(site, 5)

    shown, offset = [], None
    with site.api() as api:
        while True:
            asked = {"limit": 4} | ({"offset": offset} if offset else {})
            page = api.get("/orders", params=asked).json()
            shown += [item["order"]["id"] for item in page["list"]]
            offset = page.get("next_offset")
            if offset is None:
                break
        beyond = api.get("/orders", params={"offset": '["1803902400000","99"]'}).json()

    assert shown == ids[::-1]
    assert [item["order"]["id"] for item in beyond["list"]] == ids[:10][::-1]


def test_other_seeds_make_other_ids(server: Server) -> None:
    sites = [seeded(server), seeded(server, id_seed="4712"), seeded(server, id_seed=4712)]

    first, second, third = (order_ids(site, 3) for site in sites)

    assert set(first).isdisjoint(second)
    assert second == third


def test_a_restored_snapshot_goes_on_with_the_ids_that_followed_it(server: Server) -> None:
    site = seeded(server)
    before = order_ids(site, 2)
    with site.mock() as mock:
        mock.post("/snapshots/two")
        followed = order_ids(site, 3)
        mock.post("/snapshots/two/restore")

    assert order_ids(site, 3) == followed
    assert len({*before, *followed}) == 5


def test_an_order_out_of_a_fixture_keeps_its_id(server: Server) -> None:
    made = order_ids(seeded(server), 3)
    orders = [{"id": id, "invoice_id": "i"} for id in made]
    invoice = {
        "id": "i",
        "customer_id": "c",
        "status": "paid",
        "start_date": 0,
        "currency_code": "EUR",
        "sub_total": 0,
    }
    customer = {"id": "c", "email": "c@example.com", "auto_collection": "off", "created_at": 0}
    held = {"customers": [customer], "invoices": [invoice], "orders": orders}
    site = seeded(server, seed=held)

    with site.api() as api:
        answers = [api.post("/orders", data={"invoice_id": "i"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert {answer.json()["order"]["id"] for answer in answers}.isdisjoint(made)


def test_ids_do_not_meet_when_the_clock_goes_back(site: Site) -> None:
    made = []
    with site.mock() as mock:
        for time in ("2027-03-01T12:00:01Z", "2027-03-01T12:00:00Z") * 2:
            mock.post("/clock/freeze", json={"at": time})
            made += order_ids(site, 3)

    assert len(set(made)) == 12


def test_ids_of_processes_that_share_a_site_do_not_meet(database: Path) -> None:
    with Server(database, "--workers", "2") as server:
        sites = [server.site(), seeded(server)]
        freeze(sites[0])
        for site in sites:
            made: list[str] = []
            processes: set[str] = set()
            for _ in range(5):  # until both have answered: a busy machine may favour one
                with ThreadPoolExecutor(8) as clients:
                    made += clients.map(one_order_id, [site] * 200)
                with site.mock() as mock:
                    events = mock.get("/events", params={"limit": 1000}).json()["list"]
                    requests = mock.get("/requests", params={"limit": 1000}).json()["list"]
                ids = (item["request"]["id"].removeprefix("req_") for item in requests)
                processes |= {id[:6] for id in ids}
                if len(processes) == 2:
                    break

            assert len(processes) == 2
            assert len(set(made)) == len(made)
            assert len({item["event"]["id"] for item in events}) == len(made)


def test_an_id_seed_stays_with_the_site(database: Path) -> None:
    with Server(database, "--id-seed", "4711") as first:
        site = first.site("demo-test")
        freeze(site)
        made = order_ids(site, 2)
    with Server(database) as second:
        site = second.site("demo-test")
        made += order_ids(site, 2)
        with site.mock() as mock:
            assert mock.get("/sites/demo-test").json()["site"]["id_seed"] == "4711"
            mock.post("/reset")
        freeze(site)
        again = order_ids(site, 4)

    assert len(set(made)) == 4
    assert again == made


def test_a_site_tells_its_id_seed(server: Server, site: Site) -> None:
    with seeded(server).mock() as mock, site.mock() as other:
        name = mock.headers["host"].partition(".")[0]
        assert mock.get(f"/sites/{name}").json()["site"]["id_seed"] == "4711"
        other.get("/clock")
        assert "id_seed" not in other.get(f"/sites/{site.name}").json()["site"]


@pytest.mark.parametrize("id_seed", ["", "x" * 101, True, 1.5, ["a"], {"a": 1}])
def test_what_is_no_id_seed_is_refused(mock: httpx2.Client, id_seed: object) -> None:
    refused = mock.post("/sites", json={"id_seed": id_seed})

    assert refused.status_code == 400
    assert refused.json()["param"] == "id_seed"
    assert refused.json()["error_msg"] == "is no text of up to 100 characters"
