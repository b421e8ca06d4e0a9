"""What is kept under an idempotency key, and what is undone, where the work is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from mock_server.store.database import Database, open_database
from mock_server.store.idempotency import Kept, check_free, hold, once
from mock_server.store.rows import Row, Rows
from mock_server.wire import errors
from mock_server.wire.errors import ApiError
from mock_server.wire.idempotency import Idempotency

SITE: Row = {"name": "written", "created_at": 1, "last_invoice_number": 0}
ASKED = Idempotency("k", "req_1", "fingerprint")


@pytest.fixture
def opened() -> Iterator[Database]:
    with closing(open_database(":memory:")) as database:
        yield database


def write_and(then: Callable[[], bytes]) -> Callable[[Rows], bytes]:
    def work(rows: Rows) -> bytes:
        rows.insert("sites", SITE)
        return then()

    return work


def refuse(error: Exception) -> Callable[[], bytes]:
    def raise_it() -> bytes:
        raise error

    return raise_it


def carry_out(database: Database, work: Callable[[Rows], bytes]) -> Kept | ApiError:
    return asyncio.run(database.write(lambda rows: once(rows, "s", ASKED, 0, 0.0, work)))


def was_written(database: Database) -> bool:
    return database.read(lambda rows: rows.find("sites", name="written")) is not None


def test_a_refusal_is_kept_and_what_it_had_written_is_undone(opened: Database) -> None:
    refused = errors.duplicate("id", "x")

    first = carry_out(opened, write_and(refuse(refused)))
    second = carry_out(opened, write_and(lambda: b"{}"))

    assert first is refused
    assert isinstance(second, Kept)
    assert (second.status, second.replayed) == (400, True)
    assert not was_written(opened)


@pytest.mark.parametrize("failure", [errors.temporary("It is damaged"), ZeroDivisionError()])
def test_a_failure_of_the_sandbox_leaves_the_key_free(opened: Database, failure: Exception) -> None:
    with pytest.raises(type(failure)):
        carry_out(opened, write_and(refuse(failure)))
    again = carry_out(opened, write_and(lambda: b"{}"))

    assert again == Kept(200, b"{}", replayed=False)
    assert was_written(opened)


def test_a_key_is_held_against_others_until_its_moment(opened: Database) -> None:
    asyncio.run(opened.write(lambda rows: hold(rows, "s", "k", "req_1", 100.0, 5.0)))

    def is_free(site: str, request_id: str, moment: float) -> bool:
        try:
            opened.read(lambda rows: check_free(rows, site, "k", request_id, moment))
        except ApiError as error:
            assert error.status == 409  # noqa: PT017
            return False
        return True

    assert not is_free("s", "req_2", 104.9)
    assert is_free("s", "req_2", 105.0)
    assert is_free("s", "req_1", 101.0)
    assert is_free("other", "req_2", 101.0)


def test_holds_that_have_lapsed_are_removed_with_the_next(opened: Database) -> None:
    def work(rows: Rows) -> None:
        hold(rows, "s", "k1", "req_1", 100.0, 5.0)
        hold(rows, "s", "k2", "req_2", 200.0, 5.0)

    asyncio.run(opened.write(work))

    assert len(opened.read(lambda rows: rows.execute("SELECT * FROM idempotency_holds", {}))) == 1
