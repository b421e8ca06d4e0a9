"""Two servers on one database: one of them delivers, and the other takes over when it dies."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mock_server.store.database import open_database
from mock_server.store.lease import Lease
from tests.deliveries import Desk
from tests.mailbox import Mailbox
from tests.receiver import Receiver
from tests.server import Server

Start = Callable[[str], Receiver]


def test_each_webhook_is_delivered_by_one_and_by_the_other_when_that_dies(
    database: Path, tmp_path: Path, receiver: Start
) -> None:
    shop = receiver(",".join(["200"] * 21) + ",hang,200")
    link = tmp_path / "the-same.sqlite"
    link.symlink_to(database)
    first = Server(database).start()
    site = first.site()
    desk = Desk(site)
    id = desk.add(shop.url)
    orders = [desk.order("taken-by-the-first")]
    shop.wait_for(1)

    with Server(link) as second:
        other = Desk(second.site(site.name))
        for number in range(10):
            orders.append(desk.order(f"first-{number}"))
            orders.append(other.order(f"second-{number}"))
        assert [call.order_id for call in shop.wait_for(21)] == orders
        desk.settled(id, "succeeded")
        assert len(shop.received) == 21

        other.order("under-way")
        shop.wait_for(22)
        first.stop(signal.SIGKILL)
        other.order("afterwards")

        later = [call.order_id for call in shop.wait_for(24)[21:]]
        assert later == ["under-way", "under-way", "afterwards"]
        assert len(other.settled(id, "succeeded")) == 23
        other.close()
    desk.close()


def test_a_server_that_stops_leaves_the_deliveries_to_the_other(
    database: Path, receiver: Start
) -> None:
    shop = receiver("200")
    first = Server(database).start()
    desk = Desk(first.site("a-test"))
    desk.add(shop.url)
    desk.order("before")
    desk.close()
    shop.wait_for(1)

    with Server(database) as second:
        assert first.stop() == 0
        desk = Desk(second.site("a-test"))
        desk.order("afterwards")
        assert [call.order_id for call in shop.wait_for(2)] == ["before", "afterwards"]
        desk.close()


def test_a_lock_that_cannot_be_had_is_told_and_waits_until_it_can(
    database: Path, receiver: Start
) -> None:
    shop = receiver("200")
    lease = database.with_name(f"{database.name}.lease")
    lease.mkdir()
    with Server(database, "--log-level", "warning") as server:
        desk = Desk(server.site())
        assert "deliveries" not in desk.mock.get("/health").json()
        desk.add(shop.url)
        desk.order("held-up")
        reason = f"cannot lock {lease}: Is a directory"
        deadline = time.monotonic() + 20
        while (health := desk.mock.get("/health")).json().get("deliveries") != reason:
            assert time.monotonic() < deadline, health.text
            time.sleep(0.02)
        assert (health.status_code, shop.received) == (200, [])

        lease.rmdir()

        assert [call.order_id for call in shop.wait_for(1)] == ["held-up"]
        assert "deliveries" not in desk.mock.get("/health").json()
        desk.close()

    assert server.said.count("nothing is delivered from here") == 1
    assert f"nothing is delivered from here: {reason}\n" in server.said
    assert "Traceback" not in server.said


def test_nobody_takes_the_lease_of_a_database_whose_file_is_gone(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_database(str(database))) as opened:
        lease = Lease(opened)
        database.unlink()

        assert [lease.held() for _ in range(2)] == [False, False]

    assert lease.failure == f"cannot lock {database}.lease: No such file or directory"
    assert caplog.text.count("nothing is delivered from here") == 1


def test_each_email_is_sent_by_one_of_two_servers(database: Path) -> None:
    mailbox = Mailbox()
    options = ["--smtp", mailbox.address]
    with (
        mailbox.open(),
        Server(database, *options, "--workers", "2") as server,
        server.site().api() as api,
    ):
        placed = [f"o-{number}" for number in range(20)]
        for id in placed:
            api.post("/orders", data={"id": id, "invoice_id": "__demo_inv__1"})
        mailbox.message(placed[-1])

    assert [envelope.rcpt_tos for envelope in mailbox.envelopes] == [["ada@example.com"]] * 20
