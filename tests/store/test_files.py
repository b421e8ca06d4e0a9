"""The database's file: whose it is, what its file system allows, and what becomes of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.store.database import Database, open_database
from mock_server.store.database_file import DatabaseError
from tests.server import Server

INVOICE = {"invoice_id": "__demo_inv__1"}
SITE = {"created_at": 1, "last_invoice_number": 0}

OPEN = """
import sys
from mock_server.store import database, database_file
try:
    database.open_database(sys.argv[1]).close()
except database_file.DatabaseError as error:
    print(error)
"""


def opened_by(launcher: Sequence[str], file: Path) -> str:
    """Open the database in a process that the launcher starts; what it says of it."""
    command = [*launcher, sys.executable, "-c", OPEN, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.removesuffix("\n")


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    folder.chmod(0o555)
    try:
        yield
    finally:
        folder.chmod(0o755)


@pytest.fixture
def stranger() -> list[str]:
    """What starts a program as a user of group 0 who has no name."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root may become another user, with setpriv")
    return ["setpriv", "--reuid=10001", "--regid=0", "--clear-groups"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody finds, but only its owner writes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_the_files_are_their_owners_alone(folder: Path) -> None:
    with closing(open_database(str(folder / "state.sqlite"))) as opened:
        asyncio.run(opened.write(lambda rows: rows.insert("sites", SITE | {"name": "a"})))

        assert modes(folder) == dict.fromkeys(
            ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"), 0o600
        )


@pytest.mark.parametrize("chosen", [0o640, 0o660, 0o666])
def test_a_file_that_is_there_keeps_the_permissions_that_somebody_chose(
    folder: Path, chosen: int
) -> None:
    file = folder / "state.sqlite"
    file.touch()
    file.chmod(chosen)

    with closing(open_database(str(file))):
        assert set(modes(folder).values()) == {chosen}


@pytest.mark.parametrize(("hands_on", "mode"), [(False, 0o600), (True, 0o660)])
def test_a_file_that_everybody_may_read_is_closed_to_them(
    folder: Path, hands_on: bool, mode: int
) -> None:
    if hands_on:
        folder.chmod(0o2775)
    file = folder / "state.sqlite"
    file.touch()
    file.chmod(0o644)

    with closing(open_database(str(file))) as opened:
        asyncio.run(opened.write(lambda rows: rows.insert("sites", SITE | {"name": "a"})))

        assert modes(folder) == dict.fromkeys(
            ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"), mode
        )


def test_a_file_of_another_program_keeps_its_permissions(folder: Path) -> None:
    file = folder / "other.sqlite"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE theirs (x)")
    file.chmod(0o644)

    with pytest.raises(DatabaseError, match="another program"):
        open_database(str(file))

    assert modes(folder) == {"other.sqlite": 0o644}


def test_any_user_of_the_group_goes_on_with_the_file_in_a_folder_that_hands_its_group_on(
    folder: Path, stranger: list[str]
) -> None:
    folder.chmod(0o2775)
    file = folder / "state.sqlite"

    for user in ("10001", "10002"):
        as_user = [word.replace("10001", user) for word in stranger]
        with Server(file, launcher=as_user) as server, server.site("demo-test").api() as api:
            assert api.post("/orders", data=INVOICE | {"id": user}).status_code == 200
            assert set(modes(folder).values()) == {0o660}


def test_a_folder_of_somebody_else_is_named_with_what_to_do(
    folder: Path, stranger: list[str]
) -> None:
    file = folder / "state.sqlite"

    assert opened_by(stranger, file) == (
        f"cannot open the database {file}: the folder {folder} belongs to root (0), and this "
        f"server is user 10001's; give it to that user (chown 10001 {folder}), start the server "
        "as its owner, or name another file with --database"
    )
    assert list(folder.iterdir()) == []


def test_a_file_of_somebody_else_is_named_with_what_to_do(
    folder: Path, stranger: list[str]
) -> None:
    file = folder / "state.sqlite"
    open_database(str(file)).close()

    assert opened_by(stranger, file).startswith(
        f"cannot open the database {file}: the file {file} belongs to root (0), and this server is "
        "user 10001's; "
    )


def test_a_folder_that_its_owner_may_not_write_is_named_with_what_to_do(
    folder: Path, mortal: list[str]
) -> None:
    file = folder / "below" / "state.sqlite"
    with unwritable(folder):
        told = opened_by(mortal, file)

    assert told.startswith(f"cannot open the database {file}: the folder {folder} belongs ")
    assert told.endswith(
        f"; permit it (chmod u+rwX {folder}), or name another file with --database"
    )


def test_a_file_system_that_is_read_only_is_named(folder: Path) -> None:
    mount = 'mount -t tmpfs -o ro none "$0"; exec "$@"'
    on_it = ["unshare", "--map-root-user", "--mount", "sh", "-euc", mount, str(folder)]
    if subprocess.run([*on_it, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a disk of its own cannot be mounted here")

    assert opened_by(on_it, folder / "state.sqlite") == (
        f"cannot open the database {folder}/state.sqlite: {folder} is read-only; "
        "name a file elsewhere with --database"
    )


def test_a_folder_that_cannot_be_written_serves_reads(folder: Path, mortal: list[str]) -> None:
    file = folder / "state.sqlite"
    with Server(file) as server, server.site("demo-test").api() as api:
        assert api.post("/orders", data=INVOICE | {"id": "kept"}).status_code == 200

    with unwritable(folder):
        with (
            # The endpoint would have to be written, and no site has it yet.
            Server(file, "--webhook-url", "http://127.0.0.1:9", launcher=mortal) as server,
            server.site("demo-test").api() as api,
        ):
            assert api.get("/orders/kept").status_code == 200
            refused = api.post("/orders", data=INVOICE)
            assert refused.json()["api_error_code"] == "site_read_only_mode"
            assert httpx2.get(f"{server.url}/_mock/health").status_code == 200
        assert list(folder.iterdir()) == [file]

    told = f"{file} is only read, and what writes is refused: its folder cannot be written"
    assert told in server.said
    assert "Traceback" not in server.said


def test_what_a_killed_server_answered_is_read_in_a_folder_that_cannot_be_written(
    folder: Path, mortal: list[str]
) -> None:
    file = folder / "state.sqlite"
    opened = open_database(str(file))
    asyncio.run(opened.write(lambda rows: rows.insert("sites", SITE | {"name": "kept"})))
    assert Path(f"{file}-wal").stat().st_size
    killed = folder / "killed"
    killed.mkdir()
    for name in modes(folder).keys() - {"killed"}:
        shutil.copy(folder / name, killed / name)
    opened.close()
    copy = killed / "state.sqlite"
    count = OPEN.replace(
        ".close()", '.read(lambda r: print(r.execute("SELECT name FROM sites", {})))'
    )

    with unwritable(killed):
        command = [*mortal, sys.executable, "-c", count, str(copy)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)

    assert done.stdout == "[{'name': 'kept'}]\n"


class WithoutSharedMemory(sqlite3.Connection):
    """A connection on a file system on which processes share no memory."""

    _alone = False

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        self._alone = self._alone or sql == "PRAGMA locking_mode = EXCLUSIVE"
        if sql == "PRAGMA journal_mode = WAL" and not self._alone:
            raise _failure(sqlite3.SQLITE_IOERR_SHMMAP)
        return super().execute(sql, *given)


class WithoutLocks(sqlite3.Connection):
    """A connection on a file system that has no locks."""

    def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
        if "application_id" in sql:
            raise _failure(sqlite3.SQLITE_IOERR_RDLOCK)
        return super().execute(sql, *given)


def _failure(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


def _with_dotfile_locks(path: str, **named: Any) -> sqlite3.Connection:
    """A connection through a part of SQLite that shares no memory, as its locks are files."""
    uri = path if path.startswith("file:") else Path(path).as_uri()
    named["uri"] = True
    return sqlite3.Connection(f"{uri}{'&' if '?' in uri else '?'}vfs=unix-dotfile", **named)


@pytest.mark.parametrize(
    ("connect", "has_log"), [(WithoutSharedMemory, True), (_with_dotfile_locks, False)]
)
def test_without_shared_memory_the_server_does_with_locks(
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    connect: Any,
    has_log: bool,
) -> None:
    if has_log:
        open_database(str(database)).close()
    monkeypatch.setattr(sqlite3, "connect", connect)

    with closing(open_database(str(database))) as opened:
        asyncio.run(opened.write(lambda rows: rows.insert("sites", SITE | {"name": "kept"})))
        assert opened.read(lambda rows: rows.execute("SELECT name FROM sites", {})) == [
            {"name": "kept"}
        ]

    monkeypatch.undo()
    assert f"the file system of {database} has no shared memory" in caplog.text
    with closing(sqlite3.connect(database)) as kept:
        assert kept.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert kept.execute("SELECT name FROM sites").fetchall() == [("kept",)]


def test_a_file_system_without_locks_is_named(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", WithoutLocks)

    with pytest.raises(DatabaseError) as refused:
        open_database(str(database))

    assert str(refused.value) == (
        f"cannot open the database {database}: its file system has no locks; "
        "name a file on another with --database"
    )


@pytest.mark.parametrize(("fate", "told"), [("unlink", "removed"), ("replace", "replaced")])
def test_a_file_that_is_gone_is_noticed_and_nothing_is_written_into_the_void(
    database: Path, fate: str, told: str
) -> None:
    refused = f"The database file was {told} while the server runs; start the server again"
    with Server(database) as server, server.site("demo-test").api() as api:
        assert api.post("/orders", data=INVOICE | {"id": "kept"}).status_code == 200
        for file in database.parent.iterdir():
            file.unlink()
        if fate == "replace":
            open_database(str(database)).close()

        written = api.post("/orders", data=INVOICE | {"id": "lost"})
        health = httpx2.get(f"{server.url}/_mock/health")

        assert (written.status_code, written.json()["message"]) == (503, refused)
        assert (health.status_code, health.json()["message"]) == (503, refused)
        assert api.get("/orders/kept").status_code == 200

    with Server(database) as server, server.site("demo-test").api() as api:
        assert api.post("/orders", data=INVOICE).status_code == 200


def test_the_log_of_what_is_written_ahead_shrinks_after_an_outside_reader(database: Path) -> None:
    log = Path(f"{database}-wal")
    most = 32 * 1024 * 1024

    def write(opened: Database, name: str) -> None:
        asyncio.run(opened.write(lambda rows: rows.insert("sites", SITE | {"name": name})))

    with closing(open_database(str(database))) as opened:
        write(opened, "first")
        with closing(sqlite3.connect(database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sites").fetchone()
            for number in range(9):
                write(opened, f"{number}" * 5_000_000)
            assert log.stat().st_size > most
        for name in ("second", "third"):
            write(opened, name)

        assert log.stat().st_size <= most
