"""E-mails really leave where an SMTP server is named: tested against one that is real."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.settings import Settings
from tests.deliveries import items
from tests.mailbox import Mailbox
from tests.server import Server, Site

WITHIN = 30

SEED = """
customers:
  - { id: ada, email: ada@example.com, auto_collection: "off", created_at: 0 }
  - { id: refused, email: refused@example.com, auto_collection: "off", created_at: 0 }
  - { id: deadly, email: deadly@example.com, auto_collection: "off", created_at: 0 }
  - { id: jose, email: josé@exämple.com, auto_collection: "off", created_at: 0 }
invoices:
"""
INVOICE = (
    "  - {{ id: {0}, customer_id: {0}, status: paid, start_date: 0, currency_code: EUR,"
    " sub_total: 0 }}\n"
)


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seed") / "seed.yaml"
    path.write_text(
        SEED + "".join(INVOICE.format(id) for id in ("ada", "refused", "deadly", "jose")), "utf-8"
    )
    return path


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with mailbox.open():
        yield mailbox


@pytest.fixture(scope="module")
def sending(
    tmp_path_factory: pytest.TempPathFactory, seed: Path, mailbox: Mailbox
) -> Iterator[Server]:
    """A server that sends its e-mails to the mailbox."""
    state = tmp_path_factory.mktemp("sending") / "state.sqlite"
    with Server(state, "--smtp", mailbox.address, "--seed", str(seed)) as running:
        yield running


@pytest.fixture
def site(sending: Server) -> Site:
    return sending.site()


def place(api: httpx2.Client, id: str, invoice_id: str = "ada", *skipped: str) -> None:
    headers = dict.fromkeys(skipped, "all-disabled")
    answer = api.post("/orders", data={"id": id, "invoice_id": invoice_id}, headers=headers)
    assert answer.status_code == 200, answer.text


def settled(mock: httpx2.Client, order_id: str) -> dict[str, Any]:
    """The e-mail about that order, once it does not wait any more."""
    deadline = time.monotonic() + WITHIN
    while True:
        (email,) = items(mock, "email", order_id=order_id)
        if email["email_status"] != "scheduled":
            return email
        assert time.monotonic() < deadline, email
        time.sleep(0.02)


def test_an_email_arrives_as_it_was_recorded(
    site: Site, api: httpx2.Client, mock: httpx2.Client, mailbox: Mailbox
) -> None:
    id = f"first-{site.name}"[:40]
    place(api, id)

    message, envelope = mailbox.message(id)
    email = settled(mock, id)

    assert email["email_status"] == "sent"
    assert "failure_reason" not in email
    assert envelope.mail_from == f"{site.name}@chargebee-mock.example"
    assert envelope.rcpt_tos == [email["recipient"]] == ["ada@example.com"]
    assert message["From"] == f"{site.name}@chargebee-mock.example"
    assert message["To"] == "ada@example.com"
    assert message["Subject"] == email["subject"] == f"Your order {id} has been received"
    assert message["Message-ID"] == f"<{email['id']}@chargebee-mock.example>"
    assert message["Date"].datetime.timestamp() == email["created_at"]
    assert message.get_content_type() == "text/plain"
    assert message.get_content().strip() == email["body"]


def test_emails_arrive_in_the_order_of_their_events(
    site: Site, api: httpx2.Client, mock: httpx2.Client, mailbox: Mailbox
) -> None:
    placed = [f"o-{number}" for number in range(60)]  # more than share a connection
    for id in placed:
        place(api, id)

    settled(mock, placed[-1])

    assert mailbox.orders(site) == placed


def test_a_recipient_who_is_refused_fails_with_the_reason_and_the_next_is_sent(
    site: Site, api: httpx2.Client, mock: httpx2.Client, mailbox: Mailbox
) -> None:
    place(api, "before")
    place(api, "bounced", "refused")
    place(api, "after")

    assert settled(mock, "after")["email_status"] == "sent"

    bounced = settled(mock, "bounced")
    assert bounced["email_status"] == "failed"
    assert bounced["failure_reason"] == "550 no such mailbox"
    assert mailbox.orders(site) == ["before", "after"]


def test_a_recipient_may_have_any_letters(
    site: Site, api: httpx2.Client, mock: httpx2.Client, mailbox: Mailbox
) -> None:
    id = f"x-{site.name}"
    place(api, id, "jose")

    assert settled(mock, id)["email_status"] == "sent"
    message, envelope = mailbox.message(id)
    assert envelope.rcpt_tos == ["josé@exämple.com"]
    assert message["To"] == "josé@exämple.com"


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r"])
def test_a_line_break_in_an_order_id_makes_no_header(
    site: Site, api: httpx2.Client, mock: httpx2.Client, mailbox: Mailbox, break_: str
) -> None:
    place(api, f"{site.name}{break_}Bcc: all@here")

    message, envelope = mailbox.message(site.name)

    assert message["Subject"] == f"Your order {site.name} Bcc: all@here has been received"
    assert message["Bcc"] is None
    assert envelope.rcpt_tos == ["ada@example.com"]


def test_order_ids_of_any_letters_arrive(
    site: Site, api: httpx2.Client, mock: httpx2.Client, mailbox: Mailbox
) -> None:
    id = f"Ж-{site.name}-🎉"
    place(api, id)

    message, _ = mailbox.message(id)

    assert message["Subject"] == f"Your order {id} has been received"
    assert id in message.get_content()


@pytest.mark.parametrize("header", ["chargebee-event-email", "chargebee-event-actions"])
def test_an_email_that_is_switched_off_is_neither_sent_nor_recorded(
    site: Site, api: httpx2.Client, mock: httpx2.Client, mailbox: Mailbox, header: str
) -> None:
    place(api, "quiet", "ada", header)
    place(api, "loud")

    settled(mock, "loud")

    assert mailbox.orders(site) == ["loud"]
    assert items(mock, "email", order_id="quiet") == []


def test_emails_are_filtered_by_their_status(
    site: Site, api: httpx2.Client, mock: httpx2.Client
) -> None:
    place(api, "o-1")
    place(api, "o-2", "refused")
    settled(mock, "o-2")

    def found(status: str) -> list[str]:
        return [one["order_id"] for one in items(mock, "email", email_status=status)]

    assert found("sent") == ["o-1"]
    assert found("failed") == ["o-2"]
    assert found("scheduled") == found("recorded") == []
    assert mock.get("/emails", params={"email_status": "lost"}).status_code == 422


def test_without_a_server_an_email_is_recorded(server: Server) -> None:
    site = server.site()
    with site.api() as api, site.mock() as mock:
        place(api, "o-1", "__demo_inv__1")

        (email,) = items(mock, "email")
    assert email["email_status"] == "recorded"


@pytest.mark.parametrize("address", ["a@[127", "<", "a@", "a,evil@b.c", "a@b.c, evil@d.e", ""])
def test_an_address_that_nothing_can_be_sent_to_fails_by_itself(
    sending: Server,
    site: Site,
    api: httpx2.Client,
    mock: httpx2.Client,
    mailbox: Mailbox,
    address: str,
) -> None:
    assert api.get("/orders").status_code == 200  # makes the site
    with closing(sqlite3.connect(sending.database, isolation_level=None)) as file:
        file.execute(
            "UPDATE customers SET email = ? WHERE site = ? AND id = 'jose'", [address, site.name]
        )
    place(api, "poison", "jose")
    place(api, "after")

    assert settled(mock, "after")["email_status"] == "sent"

    poison = settled(mock, "poison")
    assert poison["email_status"] == "failed"
    assert poison["failure_reason"].startswith("It cannot be sent: ")
    assert mailbox.orders(site) == ["after"]


def test_an_email_over_which_the_server_is_lost_fails_after_a_while(
    site: Site, api: httpx2.Client, mock: httpx2.Client, mailbox: Mailbox
) -> None:
    place(api, "deadly", "deadly")
    place(api, "after")

    assert settled(mock, "after")["email_status"] == "sent"

    deadly = settled(mock, "deadly")
    assert deadly["email_status"] == "failed"
    assert deadly["failure_reason"].startswith("The server was lost: ")
    assert mailbox.orders(site) == ["after"]


def test_a_mail_server_that_comes_later_gets_what_waited(database: Path) -> None:
    mailbox = Mailbox(unwell=1)
    server = Server(database, "--smtp", mailbox.address).start()
    site = server.site()
    with site.api() as api, site.mock() as mock:
        for number in range(3):
            place(api, f"o-{number}", "__demo_inv__1")
        assert [one["email_status"] for one in items(mock, "email")] == ["scheduled"] * 3
    server.stop(signal.SIGKILL)

    with mailbox.open():
        server = Server(database, "--smtp", mailbox.address, "--log-level", "warning").start()
        with server.site(site.name).mock() as mock:
            assert settled(mock, "o-2")["email_status"] == "sent"
        assert server.process is not None
        server.process.terminate()
        _, stderr = server.process.communicate(timeout=30)

    assert mailbox.orders(site) == ["o-0", "o-1", "o-2"]
    assert f"e-mails wait for {mailbox.address}: " in stderr
    assert "Traceback" not in stderr


def test_a_mail_server_may_come_while_ours_runs(database: Path) -> None:
    mailbox = Mailbox()
    with Server(database, "--smtp", mailbox.address, "--log-level", "warning") as server:
        site = server.site()
        with site.api() as api, site.mock() as mock:
            place(api, "o-1", "__demo_inv__1")
            assert server.process is not None
            assert server.process.stderr is not None
            assert f"e-mails wait for {mailbox.address}: " in server.process.stderr.readline()
            with mailbox.open():
                place(api, "o-2", "__demo_inv__1")
                assert settled(mock, "o-2")["email_status"] == "sent"

    assert mailbox.orders(site) == ["o-1", "o-2"]


@pytest.mark.parametrize("smtp", ["127.0.0.1", ":25", "127.0.0.1:0", "127.0.0.1:x"])
def test_an_smtp_option_that_is_no_host_and_port_is_refused(smtp: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        Settings(smtp=smtp)
