"""A transaction of the database: all of it or nothing, and what a client is told of a fault."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mock_server.store.database import Database, open_database
from mock_server.store.rows import Row, Rows, TakenError
from mock_server.wire.errors import ApiError

FIRST: Row = {"name": "first", "created_at": 1, "last_invoice_number": 0}


@pytest.fixture
def opened(database: Path) -> Iterator[Database]:
    with closing(open_database(str(database))) as usable:
        asyncio.run(usable.write(lambda rows: rows.insert("sites", FIRST)))
        yield usable


def _names(database: Database) -> list[str]:
    return [
        row["name"]
        for row in database.read(lambda rows: rows.execute("SELECT * FROM sites ORDER BY name", {}))
    ]


def _fill(rows: Rows) -> None:
    """Ten megabytes, a row after the other."""
    for number in range(10):
        name = f"{number}" * 1_000_000
        rows.insert("sites", {"name": name, "created_at": 1, "last_invoice_number": 0})


def test_work_that_raises_leaves_nothing(opened: Database) -> None:
    def work(rows: Rows) -> None:
        rows.insert("sites", FIRST | {"name": "second"})
        raise KeyError("a mistake")

    with pytest.raises(KeyError, match="a mistake"):
        asyncio.run(opened.write(work))

    assert _names(opened) == ["first"]


def test_a_key_that_is_taken_is_told_apart_from_other_constraints(opened: Database) -> None:
    with pytest.raises(TakenError):
        asyncio.run(opened.write(lambda rows: rows.insert("sites", FIRST)))
    with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
        asyncio.run(opened.write(lambda rows: rows.insert("sites", {"name": "second"})))

    assert _names(opened) == ["first"]


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        pytest.param(
            lambda rows: rows.insert("sites", {"name": "broken"}), "NOT NULL", id="a constraint"
        ),
        pytest.param(
            lambda rows: rows.execute("INSERT INTO nowhere VALUES (1)", {}),
            "no such table: nowhere",
            id="a wrong statement",
        ),
        pytest.param(
            lambda rows: rows.execute("DELETE FROM sites WHERE name = :name", {}),
            "did not supply a value",
            id="a missing value",
        ),
    ],
)
def test_a_mistake_of_one_write_spares_those_that_share_its_transaction(
    opened: Database, mistake: Callable[[Rows], object], message: str
) -> None:
    def mistaken(rows: Rows) -> None:
        rows.insert("sites", FIRST | {"name": "half done"})
        mistake(rows)

    async def together() -> tuple[BaseException | None, ...]:
        return await asyncio.gather(
            opened.write(lambda rows: rows.insert("sites", FIRST | {"name": "before"})),
            opened.write(mistaken),
            opened.write(lambda rows: rows.insert("sites", FIRST | {"name": "behind"})),
            return_exceptions=True,
        )

    before, failed, behind = asyncio.run(together())

    assert (before, behind) == (None, None)
    assert isinstance(failed, sqlite3.Error)
    assert message in str(failed)
    assert _names(opened) == ["before", "behind", "first"]


def test_a_fault_of_the_database_fails_every_write_of_the_transaction(opened: Database) -> None:
    opened.read(lambda rows: rows.execute("PRAGMA max_page_count = 60", {}))

    async def together() -> tuple[BaseException | None, ...]:
        return await asyncio.gather(
            opened.write(lambda rows: rows.insert("sites", FIRST | {"name": "before"})),
            opened.write(_fill),
            return_exceptions=True,
        )

    refused = asyncio.run(together())

    assert [getattr(error, "status", None) for error in refused] == [503, 503]
    assert _names(opened) == ["first"]


def test_a_statement_that_is_wrong_is_no_fault_of_the_database(opened: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        opened.read(lambda rows: rows.execute("SELECT * FROM nowhere", {}))

    assert _names(opened) == ["first"]


@pytest.mark.parametrize(
    ("fault", "repair", "code", "message"),
    [
        pytest.param(
            "PRAGMA max_page_count = 60",
            "PRAGMA max_page_count = 1000000",
            "internal_temporary_error",
            "The disk is full",
            id="full",
        ),
        pytest.param(
            "PRAGMA query_only = on",
            "PRAGMA query_only = off",
            "site_read_only_mode",
            "The site's data cannot be changed at the moment: the database is read-only",
            id="read-only",
        ),
    ],
)
def test_a_fault_is_a_503_that_leaves_nothing_and_passes(
    opened: Database, fault: str, repair: str, code: str, message: str
) -> None:
    opened.read(lambda rows: rows.execute(fault, {}))

    with pytest.raises(ApiError) as refused:
        asyncio.run(opened.write(_fill))

    assert refused.value.body() == {
        "message": message,
        "type": "operation_failed",
        "api_error_code": code,
        "error_code": code,
        "error_msg": message,
        "http_status_code": 503,
    }
    assert _names(opened) == ["first"]

    opened.read(lambda rows: rows.execute(repair, {}))
    asyncio.run(opened.write(_fill))
    assert len(_names(opened)) == 11


def test_a_write_waits_for_another_process_and_goes_on(opened: Database, database: Path) -> None:
    async def compete() -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.ensure_future(
                opened.write(lambda rows: rows.insert("sites", FIRST | {"name": "second"}))
            )
            for _ in range(3):
                await asyncio.sleep(0)
            assert not waiting.done()
            assert _names(opened) == ["first"]
            other.execute("COMMIT")
            await waiting

    asyncio.run(compete())

    assert _names(opened) == ["first", "second"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file"), "was removed while the server runs; "),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "was removed while the server runs"),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "cannot be reached: Permission denied",
        ),
        (OSError(errno.ESTALE, "Stale file handle"), "cannot be reached: Stale file handle"),
        (OSError(errno.EIO, "Input/output error"), "cannot be reached: Input/output error"),
    ],
)
def test_a_file_that_cannot_be_reached_refuses_writes_until_it_can(
    opened: Database, monkeypatch: pytest.MonkeyPatch, fault: OSError, told: str
) -> None:
    def unreachable(path: str) -> os.stat_result:
        raise fault

    async def write(name: str) -> None:
        await asyncio.wait_for(
            opened.write(lambda rows: rows.insert("sites", FIRST | {"name": name})), 5
        )

    async def refused_and_written() -> ApiError:
        with monkeypatch.context() as away:
            away.setattr("mock_server.store.database_file.os.stat", unreachable)
            with pytest.raises(ApiError) as refused:
                await write("refused")
        await write("written")
        return refused.value

    refusal = asyncio.run(refused_and_written())

    assert (refusal.status, refusal.api_error_code) == (503, "internal_temporary_error")
    assert refusal.message.startswith(f"The database file {told}")
    assert _names(opened) == ["first", "written"]


def test_a_listener_that_fails_holds_up_neither_writes_nor_others_that_listen(
    opened: Database, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def fail() -> None:
        raise KeyError("a mistake")

    def write(name: str) -> Callable[[Rows], None]:
        def work(rows: Rows) -> None:
            rows.insert("sites", FIRST | {"name": name})
            rows.notify("channel")

        return work

    async def one_after_the_other() -> None:
        opened.listen("channel", fail)
        opened.listen("channel", lambda: heard.append("woken"))
        for name in ("second", "third"):
            await asyncio.wait_for(opened.write(write(name)), 5)
            await asyncio.sleep(0)

    asyncio.run(one_after_the_other())

    assert _names(opened) == ["first", "second", "third"]
    assert heard == ["woken", "woken"]
    assert "what listens to channel failed" in caplog.text


def test_a_damaged_file_is_a_503(opened: Database, database: Path) -> None:
    [sites] = opened.read(
        lambda rows: rows.execute("SELECT * FROM sqlite_master WHERE name = 'sites'", {})
    )
    opened.close()
    page = 4096
    with database.open("r+b") as file:
        file.seek((sites["rootpage"] - 1) * page)
        file.write(b"\xff" * page)

    with closing(open_database(str(database))) as damaged, pytest.raises(ApiError) as refused:
        _names(damaged)

    assert (refused.value.status, refused.value.api_error_code, refused.value.message) == (
        503,
        "internal_temporary_error",
        "The database file is damaged",
    )


def test_a_file_that_is_damaged_while_it_is_open_is_a_503(opened: Database, database: Path) -> None:
    database.write_bytes(b"no database" * 1000)
    os.truncate(f"{database}-wal", 0)
    Path(f"{database}-shm").write_bytes(b"no index" * 4096)

    with pytest.raises(ApiError) as refused:
        opened.version()

    assert (refused.value.status, refused.value.message) == (503, "The database file is damaged")
