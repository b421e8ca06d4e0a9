"""`chargebee-mock seed`, `export`, `reset` and `snapshot`, against a running server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.server import Server, Site


def run(server: Server, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mock_server", *words, "--url", server.url],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def said(server: Server, *words: str, stdin: str = "") -> str:
    done = run(server, *words, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def orders(api: httpx2.Client) -> list[str]:
    return [item["order"]["id"] for item in api.get("/orders").json()["list"]]


@pytest.mark.parametrize("format", ["yaml", "json"])
def test_an_exported_site_is_loaded_into_another(
    server: Server, site: Site, order_id: str, tmp_path: Path, format: str
) -> None:
    file = tmp_path / f"site.{format}"
    file.write_text(said(server, "export", "--site", site.name, "--format", format), "utf-8")
    other = server.site()

    loaded = said(server, "seed", str(file), "--site", other.name)

    assert loaded == ("loaded 3 api keys, 1 webhook endpoints, 4 customers, 5 invoices, 1 orders\n")
    with other.api() as loaded_into:
        assert orders(loaded_into) == [order_id]


def test_a_fixture_is_read_from_stdin(server: Server, site: Site) -> None:
    text = "customers: [{ id: c, created_at: 0 }]"

    assert said(server, "seed", "-", "--site", site.name, stdin=text) == "loaded 1 customers\n"


def test_what_is_not_kept_of_a_fixture_is_named(server: Server, site: Site) -> None:
    text = "customers: [{ id: c, created_at: 0, object: customer, mrr: 1, deleted: false }]"

    done = run(server, "seed", "-", "--site", site.name, stdin=text)

    assert (done.returncode, done.stdout) == (0, "loaded 1 customers\n")
    assert done.stderr == "not kept: customers[0].mrr\nnot kept: customers[0].deleted\n"


def test_a_site_is_reset(server: Server, site: Site, api: httpx2.Client, order_id: str) -> None:
    assert said(server, "reset", "--site", site.name) == f"reset {site.name}\n"
    assert orders(api) == []


def test_a_snapshot_is_saved_listed_restored_and_deleted(
    server: Server, site: Site, api: httpx2.Client, order_id: str
) -> None:
    named = ("before", "--site", site.name)

    assert said(server, "snapshot", "save", *named) == "saved before\n"
    said(server, "reset", "--site", site.name)
    assert said(server, "snapshot", "restore", *named) == "restored before\n"
    assert orders(api) == [order_id]
    listed = said(server, "snapshot", "list", "--site", site.name)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  before\n", listed)
    assert said(server, "snapshot", "delete", *named) == "deleted before\n"
    assert said(server, "snapshot", "list", "--site", site.name) == ""


def test_every_site_is_reset(database: Path) -> None:
    with Server(database) as server, server.site("acme-test").api() as api:
        api.post("/orders", data={"invoice_id": "__demo_inv__1"})

        assert sorted(said(server, "reset", "--site", "*").splitlines()) == [
            *("reset acme-test", "reset demo", "reset demo-test")
        ]
        assert orders(api) == []


def test_a_snapshot_goes_to_another_site_as_a_file(
    server: Server, site: Site, order_id: str, tmp_path: Path
) -> None:
    file = tmp_path / "kept.snapshot"
    said(server, "snapshot", "save", "kept", "--site", site.name)
    other = server.site()
    with other.api() as api:
        assert orders(api) == []

        exported = said(server, "snapshot", "export", "kept", str(file), "--site", site.name)
        imported = said(server, "snapshot", "import", str(file), "mine", "--site", other.name)
        said(server, "snapshot", "restore", "mine", "--site", other.name)

        assert (exported, imported) == (f"exported kept to {file}\n", "imported mine\n")
        assert orders(api) == [order_id]
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [file.name]


@pytest.mark.parametrize("of", ["the server", "its file"])
def test_a_backup_is_a_database_with_all_that_was_answered(database: Path, of: str) -> None:
    copy = database.with_name("copy.sqlite")
    with Server(database) as server, server.site("acme-test").api() as api:
        api.post("/orders", data={"id": "kept", "invoice_id": "__demo_inv__1"})
        direct = [] if of == "the server" else ["--database", str(database)]

        assert said(server, "backup", str(copy), *direct) == f"backed up to {copy}\n"

        api.post("/orders", data={"id": "later", "invoice_id": "__demo_inv__1"})
    assert copy.stat().st_mode & 0o777 == 0o600
    with Server(copy) as server, server.site("acme-test").api() as api:
        assert orders(api) == ["kept"]


def test_a_file_that_is_there_is_replaced_only_when_that_is_asked_for(
    server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "mine"
    file.write_text("mine")

    refused = run(server, "backup", str(file))
    assert refused.returncode == 1
    assert refused.stderr == f"Error: {file} is there already; --force replaces it\n"
    assert file.read_text() == "mine"

    said(server, "backup", str(file), "--force")
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_what_cannot_be_backed_up_leaves_no_file(server: Server, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("a shopping list")
    file = tmp_path / "copy"

    refused = run(server, "backup", str(file), "--database", str(notes))

    assert refused.returncode == 1
    assert refused.stderr == f"Error: cannot copy {notes}: file is not a database\n"
    assert os.listdir(tmp_path) == [notes.name]


def test_a_fixture_that_is_too_long_is_told_with_the_way_out(
    server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "large.yaml"
    file.write_text("#" * (16 * 1024 * 1024 + 1))

    refused = run(server, "seed", str(file))

    assert refused.stderr == (
        f"Error: {file} is too long; take the site along with snapshot export and import\n"
    )


def test_a_bad_fixture_is_named_with_its_file_and_line(
    server: Server, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("customers:\n- id: c\n")

    refused = run(server, "seed", str(file), "--site", site.name)

    assert refused.returncode == 1
    assert refused.stderr == f"Error: {file}, line 2: customers[0].created_at: is missing\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["snapshot", "restore", "nowhere"], "nowhere not found"),
        (["snapshot", "import", __file__], "The file is not kept: it cannot be read: file is not"),
        (["snapshot", "export", "nowhere", "/tmp/nowhere.snapshot"], "nowhere not found"),
        (["backup", "/nowhere/at/all"], "cannot write /nowhere/at/all: No such file"),
        (["snapshot", "save", "a b"], "name: String should match pattern"),
        (["snapshot", "save", "a/b"], "a/b is no name for a snapshot"),
        (["reset", "--site", "no site"], "The site no site does not exist"),
        (["reset", "--url", "http://127.0.0.1:9"], "no server answers at http://127.0.0.1:9: "),
        (["reset", "--url", "nonsense"], "no server answers at nonsense: "),
    ],
)
def test_what_fails_is_told_in_one_line(server: Server, words: list[str], complaint: str) -> None:
    command = [sys.executable, "-m", "mock_server", *words]
    if "--url" not in words:
        command += ["--url", server.url]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: {complaint}")
    assert refused.stderr.count("\n") == 1
