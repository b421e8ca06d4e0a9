"""`/_mock/snapshots`: what a site holds is kept under a name, and brought back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

INVOICE = {"invoice_id": "__demo_inv__1"}


def ids(client: httpx2.Client, kind: str) -> list[str]:
    answer = client.get(f"/{kind}", params={"limit": 100})
    assert answer.status_code == 200, answer.text
    return [item[kind.removesuffix("s")]["id"] for item in answer.json()["list"]]


def held(api: httpx2.Client, mock: httpx2.Client) -> list[Any]:
    """All that a site shows of itself, but for its journal."""
    shown = [mock.get(f"/{kind}").json() for kind in ("events", "webhooks", "emails", "export")]
    return [*shown, *(ids(api, kind) for kind in ("orders", "invoices", "customers", "events"))]


def done(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_restored_site_holds_what_it_held(
    api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    api.post("/invoices/charge", data={"customer_id": "__demo_cus__1", "amount": 1})
    before = held(api, mock)
    done(mock.post("/snapshots/before"))
    api.post(f"/orders/{order_id}", data={"note": "changed"})
    api.post("/orders", data=INVOICE)
    mock.delete("/webhook_endpoints/whv2_recording")

    for _ in range(2):  # again, too
        done(mock.post("/snapshots/before/restore"))
        assert held(api, mock) == before
        api.post("/orders", data=INVOICE)


def test_a_snapshot_keeps_idempotency_keys_and_the_number_of_the_next_invoice(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    charge = {"customer_id": "__demo_cus__1", "amount": 1, "description": "x"}
    headers = {"chargebee-idempotency-key": "k"}
    first = api.post("/orders", data=INVOICE, headers=headers)
    assert api.post("/invoices/charge", data=charge).json()["invoice"]["id"] == "1"
    done(mock.post("/snapshots/s"))
    api.post("/invoices/charge", data=charge)
    done(mock.post("/reset"))

    done(mock.post("/snapshots/s/restore"))

    repeated = api.post("/orders", data=INVOICE, headers=headers)
    assert repeated.headers["chargebee-idempotency-replayed"] == "true"
    assert repeated.content == first.content
    assert api.post("/invoices/charge", data=charge).json()["invoice"]["id"] == "2"


def test_the_clock_belongs_to_the_snapshot(
    server: Server, site: Site, api: httpx2.Client, mock: httpx2.Client
) -> None:
    api.get("/orders")
    with closing(sqlite3.connect(server.database, isolation_level=None)) as database:
        database.execute("UPDATE sites SET clock_frozen_at = 5.0 WHERE name = ?", (site.name,))
    done(mock.post("/snapshots/frozen"))
    done(mock.post("/reset"))
    assert api.post("/orders", data=INVOICE).json()["order"]["created_at"] > 5

    done(mock.post("/snapshots/frozen/restore"))

    assert api.post("/orders", data=INVOICE).json()["order"]["created_at"] == 5


def test_the_journal_begins_anew_after_a_restore(api: httpx2.Client, mock: httpx2.Client) -> None:
    api.post("/orders", data=INVOICE)
    done(mock.post("/snapshots/s"))

    done(mock.post("/snapshots/s/restore"))

    assert ids(mock, "requests") == []
    api.get("/orders")
    assert len(ids(mock, "requests")) == 1


def test_snapshots_are_listed_and_deleted(mock: httpx2.Client) -> None:
    for name in ("one", "two"):
        assert done(mock.post(f"/snapshots/{name}"))["snapshot"]["name"] == name

    listed = done(mock.get("/snapshots"))["list"]
    assert [item["snapshot"]["name"] for item in listed] == ["one", "two"]

    done(mock.delete("/snapshots/one"))
    assert len(done(mock.get("/snapshots"))["list"]) == 1
    assert mock.post("/snapshots/one/restore").status_code == 404


def test_a_snapshot_under_a_name_that_is_taken_replaces_the_older(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    done(mock.post("/snapshots/s"))
    api.post("/orders", data=INVOICE | {"id": "later"})
    done(mock.post("/snapshots/s"))
    done(mock.post("/reset"))

    done(mock.post("/snapshots/s/restore"))

    assert ids(api, "orders") == ["later"]
    assert len(done(mock.get("/snapshots"))["list"]) == 1


def test_snapshots_are_each_sites_own(server: Server, mock: httpx2.Client) -> None:
    done(mock.post("/snapshots/s"))

    with server.site().mock() as other:
        assert done(other.get("/snapshots")) == {"list": []}
        assert other.post("/snapshots/s/restore").status_code == 404
        assert other.delete("/snapshots/s").status_code == 404


def test_what_is_not_there_is_not_restored_and_nothing_changes(
    api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    refused = mock.post("/snapshots/nowhere/restore")

    assert refused.status_code == 404
    assert refused.json()["message"] == "nowhere not found"
    assert ids(api, "orders") == [order_id]


@pytest.mark.parametrize("name", ["a b", "a%2Fb", "%C3%A4", "a" * 101])
def test_a_name_that_no_snapshot_can_have_is_refused(mock: httpx2.Client, name: str) -> None:
    assert mock.post(f"/snapshots/{name}").status_code in (404, 422)
    assert done(mock.get("/snapshots")) == {"list": []}


def test_a_snapshot_survives_a_restart(database: Path) -> None:
    with Server(database) as server:
        site = server.site("kept-test")
        with site.api() as api, site.mock() as mock:
            api.post("/orders", data=INVOICE | {"id": "kept"})
            done(mock.post("/snapshots/s"))
            done(mock.post("/reset"))
    with Server(database) as server:
        site = server.site("kept-test")
        with site.api() as api, site.mock() as mock:
            assert ids(api, "orders") == []
            done(mock.post("/snapshots/s/restore"))
            assert ids(api, "orders") == ["kept"]


def test_what_waited_to_be_delivered_waits_again_after_a_restore(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    endpoint = {"id": "gone", "name": "Nobody there", "url": "http://127.0.0.1:9/"}
    mock.post("/seed", json={"webhook_endpoints": [endpoint]})
    api.post("/orders", data=INVOICE)
    mock.post("/webhooks/retry-now", params={"wait": 20})
    done(mock.post("/snapshots/waiting"))
    done(mock.post("/reset"))

    assert done(mock.post("/webhooks/retry-now"))["retried"] == 0

    done(mock.post("/snapshots/waiting/restore"))
    assert done(mock.post("/webhooks/retry-now"))["retried"] == 1
