"""Snapshots that travel as a file, and what is refused of files that strangers made."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.store import schema
from tests.sandbox.test_snapshots import held
from tests.server import Server, Site

INVOICE = {"invoice_id": "__demo_inv__1"}
SQLITE = {"Content-Type": "application/vnd.sqlite3"}
MIGRATIONS = Path(schema.__file__).parent / "migrations"


def exported(mock: httpx2.Client, name: str) -> bytes:
    answer = mock.get(f"/snapshots/{name}/file")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.sqlite3"
    assert f'filename="{name}.snapshot"' in answer.headers["content-disposition"]
    return answer.content


def imported(mock: httpx2.Client, content: bytes, **asked: str) -> httpx2.Response:
    return mock.post("/snapshots", content=content, headers=SQLITE, params=asked)


def done(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def file(mock: httpx2.Client, order_id: str) -> bytes:
    """A snapshot of a site with an order, as a file."""
    done(mock.post("/snapshots/kept"))
    return exported(mock, "kept")


def test_a_snapshot_goes_to_another_site_with_all_it_has(
    server: Server, api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    done(mock.post("/clock/freeze", json={"at": 1_800_000_000}))
    endpoint = {"id": "gone", "name": "Nobody there", "url": "http://127.0.0.1:9/"}
    mock.post("/seed", json={"webhook_endpoints": [endpoint]})
    api.post("/orders", data=INVOICE)
    mock.post("/webhooks/retry-now", params={"wait": 20})
    done(mock.post("/snapshots/kept"))
    before = held(api, mock)
    other = server.site()

    with other.api() as other_api, other.mock() as other_mock:
        other_mock.get("/events")
        taken = done(imported(other_mock, exported(mock, "kept")))
        assert taken["snapshot"]["name"] == "kept"
        done(other_mock.post("/snapshots/kept/restore"))

        assert held(other_api, other_mock) == before
        assert done(other_mock.get("/clock"))["now"] == 1_800_000_000
        assert done(other_mock.post("/webhooks/retry-now"))["retried"] == 1
        other_mock.post("/reset")
    mock.post("/reset")


def test_a_snapshot_that_comes_as_a_file_may_get_another_name(
    mock: httpx2.Client, file: bytes
) -> None:
    assert done(imported(mock, file, name="other"))["snapshot"]["name"] == "other"

    listed = done(mock.get("/snapshots"))["list"]
    assert [item["snapshot"]["name"] for item in listed] == ["kept", "other"]


def test_a_file_of_an_older_server_is_brought_up_to_date(
    mock: httpx2.Client, tmp_path: Path
) -> None:
    older = tmp_path / "older.snapshot"
    with closing(sqlite3.connect(older, isolation_level=None)) as made:
        made.execute("CREATE TABLE migrations (name VARCHAR NOT NULL, PRIMARY KEY (name))")
        for script in sorted(MIGRATIONS.glob("000[1-5]*.sql")):
            made.executescript(script.read_text())
            made.execute("INSERT INTO migrations VALUES (?)", (script.stem,))
        made.execute(
            "INSERT INTO orders (site, id, invoice_id, status, created_by, created_at, "
            "status_update_at, currency_code) "
            "VALUES ('snapshot', 'old', 'i', 'new', 'k', 1, 1, 'USD')"
        )
        state = '{"last_invoice_number": 3, "clock_offset": null, "clock_frozen_at": 5.0}'
        made.execute("INSERT INTO snapshots VALUES (1, 'a', 'older', 'snapshot', ?, 1)", (state,))
        made.execute(f"PRAGMA application_id = {schema.SNAPSHOT}")
        made.execute("PRAGMA user_version = 1000")

    done(imported(mock, older.read_bytes()))
    done(mock.post("/snapshots/older/restore"))

    assert [one["id"] for one in done(mock.get("/export"))["orders"]] == ["old"]
    assert done(mock.get("/clock"))["now"] == 5


def _statement(text: str) -> Callable[[sqlite3.Connection], object]:
    return lambda file: file.execute(text)


def _scribble(file: sqlite3.Connection) -> None:
    """A text that is none, past what SQLite itself looks at."""
    file.execute("UPDATE orders SET note = CAST(x'C328' AS TEXT)")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(
            _statement("CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM sites; END"),
            "the file has other tables than a chargebee-mock makes",
            id="a trigger",
        ),
        pytest.param(
            _statement("CREATE VIEW v AS SELECT 1"),
            "the file has other tables than a chargebee-mock makes",
            id="a view",
        ),
        pytest.param(
            _statement("CREATE INDEX more ON orders (note)"),
            "the file has other tables than a chargebee-mock makes",
            id="an index",
        ),
        pytest.param(
            _statement("INSERT INTO migrations VALUES ('2001_space')"),
            "the file has a schema that this chargebee-mock does not know: 2001_space. ",
            id="a newer server",
        ),
        pytest.param(
            _statement(f"PRAGMA application_id = {schema.DATABASE}"),
            "the file is a database, not a snapshot",
            id="a database",
        ),
        pytest.param(
            _statement("PRAGMA application_id = 7"),
            "the file is a database of another program; it was not touched",
            id="another program's",
        ),
        pytest.param(
            _statement("DELETE FROM snapshots"), "it does not hold one snapshot", id="no snapshot"
        ),
        pytest.param(
            _statement("UPDATE orders SET created_at = 'yesterday'"),
            "it is damaged: orders has values that do not fit",
            id="a text for a number",
        ),
        pytest.param(
            _statement("UPDATE orders SET note = x'00'"),
            "it is damaged: orders has values that do not fit",
            id="bytes for a text",
        ),
        pytest.param(_scribble, "it is damaged: Could not decode", id="no text"),
        pytest.param(
            _statement("""UPDATE snapshots SET state = '{"api_key": "mine"}'"""),
            "it is damaged: the state of its site is none",
            id="a state that is none",
        ),
        pytest.param(
            _statement("""UPDATE snapshots SET state = '{"clock_offset": "soon"}'"""),
            "it is damaged: the state of its site is none",
            id="a state that does not fit",
        ),
        pytest.param(
            _statement("UPDATE snapshots SET name = '../x'"),
            "its snapshot has an odd name; give it another",
            id="an odd name",
        ),
    ],
)
def test_a_file_that_cannot_be_ours_is_refused_and_nothing_of_it_kept(
    site: Site,
    mock: httpx2.Client,
    file: bytes,
    tmp_path: Path,
    spoil: Callable[[sqlite3.Connection], object],
    reason: str,
) -> None:
    spoilt = tmp_path / "spoilt.snapshot"
    spoilt.write_bytes(file)
    with closing(sqlite3.connect(spoilt, isolation_level=None)) as connection:
        spoil(connection)

    refused = imported(mock, spoilt.read_bytes())

    assert refused.status_code == 400
    assert refused.json()["message"].startswith(f"The file is not kept: {reason}")
    assert len(done(mock.get("/snapshots"))["list"]) == 1


@pytest.mark.parametrize("content", [b"", b"a shopping list", b"SQLite format 3\0" + b"x" * 5000])
def test_what_is_no_file_of_sqlite_is_refused(mock: httpx2.Client, content: bytes) -> None:
    refused = imported(mock, content)

    assert refused.status_code == 400, refused.text
    assert refused.json()["message"].startswith("The file is not kept: ")


def test_a_file_with_a_page_that_is_damaged_is_refused(mock: httpx2.Client, file: bytes) -> None:
    for page in range(1, len(file) // 4096):
        refused = imported(mock, file[: page * 4096] + b"\xff" * 4096 + file[(page + 1) * 4096 :])

        assert refused.status_code == 400, (page, refused.text)


def test_a_file_that_is_too_long_is_refused(server: Server, site: Site) -> None:
    address = server.url.removeprefix("http://")
    with closing(HTTPConnection(address, timeout=30)) as connection:
        connection.putrequest("POST", "/_mock/snapshots", skip_host=True)
        for name, value in {"Host": f"{site.name}.localhost", **SQLITE}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(513 * 1024 * 1024))
        connection.endheaders()

        assert connection.getresponse().status == 413


def test_a_snapshot_that_is_not_there_is_no_file(mock: httpx2.Client) -> None:
    assert mock.get("/snapshots/nowhere/file").status_code == 404
