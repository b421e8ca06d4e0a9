"""`chargebee-mock serve`: starts, says so, stops, and names what is wrong in one line."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server import __version__
from mock_server.settings import ENVIRONMENT_PREFIX, Settings
from tests.server import Server

ROOT = Path(__file__).parent.parent
INVOICE = {"invoice_id": "__demo_inv__1"}
ESCAPE = "\x1b["


def _run(
    *arguments: str, launcher: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command line, run until it ends."""
    return subprocess.run(
        [*launcher, sys.executable, "-m", "mock_server", *arguments],
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _refusal(*options: str, launcher: Sequence[str] = ()) -> str:
    """The one line with which the server refuses to start."""
    refused = _run("serve", "--port", "0", *options, launcher=launcher)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1
    return refused.stderr.removeprefix("Error: ").rstrip("\n")


@pytest.fixture(scope="module")
def serve() -> str:
    """The help of `serve`, without its line breaks and other white space."""
    helped = _run("serve", "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    return _packed(helped.stdout)


class TestHelp:
    @pytest.mark.parametrize("knob", fields(Settings), ids=lambda knob: knob.name)
    def test_an_option_has_its_meaning_default_and_variable(self, serve: str, knob: Any) -> None:
        default = f"({knob.metadata['shown']})" if knob.metadata["shown"] else knob.default
        variable = ENVIRONMENT_PREFIX + knob.name.upper()
        option = _packed(f"{knob.metadata['help']} [env var: {variable}; default: {default}]")

        name = re.escape(f"--{knob.name.replace('_', '-')}")
        assert re.search(f"{name}[A-Z]*{re.escape(option)}", serve), option

    def test_the_help_names_no_path_of_this_machine(self, serve: str) -> None:
        assert str(ROOT) not in serve
        assert "default:(thedemoseed)" in serve

    def test_the_help_shows_a_first_order(self, serve: str) -> None:
        assert _packed("curl -u test_key: -d invoice_id=__demo_inv__1") in serve

    @pytest.mark.parametrize("option", ["-h", "--help"])
    def test_the_help_names_the_command(self, option: str) -> None:
        helped = _run(option)

        assert helped.returncode == 0
        assert re.search("serve +Answer as Chargebee does, until Ctrl-C.", helped.stdout)

    def test_the_version_is_the_packages(self) -> None:
        assert _run("--version").stdout == f"chargebee-mock, version {__version__}\n"


class TestRefusals:
    @pytest.mark.parametrize(
        ("option", "value", "message"),
        [
            ("port", "65536", "port: 65536 is not between 0 and 65535"),
            ("port", "-1", "port: -1 is not between 0 and 65535"),
            ("workers", "0", "workers: 0 is not between 1 and 64"),
            ("workers", "65", "workers: 65 is not between 1 and 64"),
            ("journal-limit", "-1", "journal_limit: -1 is not between 0 and 10000000"),
            (
                "log-level",
                "loud",
                "log_level: 'loud' is not one of debug, info, warning, error",
            ),
            (
                "database",
                "postgresql://localhost/x",
                "database: PostgreSQL is not supported yet; name a SQLite file",
            ),
            ("root-path", "chargebee/", "root_path: 'chargebee/' is no path such as /chargebee"),
            ("root-path", "/", "root_path: '/' is no path such as /chargebee"),
            (
                "allowed-host",
                "http://mac.example",
                "allowed_host: 'http://mac.example' is no name of a host, and not *",
            ),
            (
                "allowed-origin",
                "localhost:3000",
                "allowed_origin: 'localhost:3000' is no origin such as http://localhost:3000",
            ),
            (
                "environment",
                ".example",
                "environment: '.example' is no domain such as billing.example",
            ),
            (
                "environment",
                "0.0.1",
                "environment: '0.0.1' is no domain such as billing.example",
            ),
        ],
    )
    def test_a_value_out_of_range_is_named(self, option: str, value: str, message: str) -> None:
        refused = _run("serve", f"--{option}", value)

        assert (refused.returncode, refused.stderr) == (1, f"Error: {message}\n")

    def test_a_variable_out_of_range_is_named(self) -> None:
        refused = _run("serve", environment={"CHARGEBEE_MOCK_LOG_LEVEL": "loud"})

        assert (refused.returncode, refused.stderr) == (
            1,
            "Error: log_level: 'loud' is not one of debug, info, warning, error\n",
        )

    def test_an_empty_database_is_refused(self) -> None:
        assert _refusal("--database", "") == "database: name a file, or :memory:"

    @pytest.mark.parametrize("name", [":memory:", "sqlite:///:memory:"])
    def test_workers_cannot_share_a_database_in_memory(self, name: str) -> None:
        assert _refusal("--database", name, "--workers", "2") == (
            "workers: several processes cannot share a :memory: database"
        )

    @pytest.mark.parametrize("option", ["port", "workers", "journal-limit"])
    def test_what_is_no_number_is_named(self, option: str) -> None:
        for refused in (
            _run("serve", f"--{option}", "many"),
            _run("serve", environment={_variable(option): "many"}),
        ):
            assert refused.returncode == 2
            assert refused.stderr.splitlines()[-1] == (
                f"Error: Invalid value for '--{option}' (env var: '{_variable(option)}'): "
                "'many' is not a valid integer."
            )

    @pytest.mark.parametrize("option", ["strict-params", "strict-sites"])
    def test_a_variable_that_is_neither_true_nor_false_is_named(self, option: str) -> None:
        refused = _run("serve", environment={_variable(option): "maybe"})

        assert refused.returncode == 2
        assert refused.stderr.splitlines()[-1].startswith(
            f"Error: Invalid value for '--{option}' (env var: '{_variable(option)}'): "
            "'maybe' is not a valid boolean."
        )

    def test_an_option_that_there_is_not_is_named(self) -> None:
        refused = _run("serve", "--colour")

        assert refused.returncode == 2
        assert "No such option '--colour'" in refused.stderr.splitlines()[-1]

    def test_a_port_in_use_is_named(self, server: Server, database: Path) -> None:
        port = server.url.rpartition(":")[2]

        assert _refusal("--port", port, "--database", str(database)) == (
            f"localhost:{port} is in use; name another --port, or 0 for any"
        )

    def test_a_host_that_is_not_this_machine_is_refused(self, database: Path) -> None:
        refused = _refusal("--host", "192.0.2.1", "--database", str(database))

        assert refused.startswith("cannot serve: ")

    def test_a_seed_that_is_missing_is_named(self, database: Path) -> None:
        refused = _refusal("--database", str(database), "--seed", "nowhere.yaml")

        assert refused.startswith("cannot read the seed nowhere.yaml: ")

    def test_authorities_that_are_missing_are_named(self, database: Path) -> None:
        refused = _refusal("--database", str(database), "--webhook-ca", "nowhere.pem")

        assert refused == "webhook_ca: cannot read nowhere.pem: No such file or directory"

    def test_a_folder_that_cannot_be_written_is_named(
        self, tmp_path: Path, mortal: list[str]
    ) -> None:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o555)

        refused = _refusal("--database", str(locked / "state.sqlite"), launcher=mortal)

        assert refused.startswith(
            f"cannot open the database {locked}/state.sqlite: the folder {locked} belongs to "
        )

    def test_a_database_of_another_program_is_refused_untouched(self, database: Path) -> None:
        with closing(sqlite3.connect(database)) as other:
            other.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY)")
        before = database.read_bytes()

        refused = _refusal("--database", str(database))

        assert refused == f"{database} is a database of another program; it was not touched"
        assert database.read_bytes() == before

    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_a_database_of_a_newer_version_is_refused_untouched(
        self, database: Path, workers: str
    ) -> None:
        with Server(database):
            pass
        with closing(sqlite3.connect(database)) as newer:
            newer.execute("PRAGMA user_version = 9999")
        before = database.read_bytes()

        refused = _refusal("--database", str(database), "--workers", workers)

        assert refused.startswith(
            f"{database} has a schema that this chargebee-mock does not know: version 9999."
        )
        assert database.read_bytes() == before


class TestOptions:
    def test_port_0_is_a_free_one_each_time(self, tmp_path: Path) -> None:
        with Server(tmp_path / "one") as one, Server(tmp_path / "two") as two:
            urls = {one.url, two.url}
            answers = [httpx2.get(f"{url}/_mock/health").status_code for url in urls]

        assert answers == [200, 200]

    def test_an_option_wins_over_its_variable(self, database: Path) -> None:
        with Server(
            database, "--strict-params", CHARGEBEE_MOCK_STRICT_PARAMS="no", CHARGEBEE_MOCK_PORT="1"
        ) as server:
            assert _create(server, "statuss").status_code == 400

    @pytest.mark.parametrize(("value", "status"), [("true", 400), ("off", 200)])
    def test_a_flag_can_be_a_variable(self, database: Path, value: str, status: int) -> None:
        with Server(database, CHARGEBEE_MOCK_STRICT_PARAMS=value) as server:
            assert _create(server, "statuss").status_code == status

    def test_nothing_is_left_of_a_database_in_memory(self, tmp_path: Path) -> None:
        with Server(":memory:") as server:
            assert _create(server).status_code == 200
        with Server(":memory:") as server, server.site("demo-test").api() as api:
            assert api.get("/orders").json() == {"list": []}

        assert not (ROOT / ":memory:").exists()

    def test_two_workers_share_the_port_the_database_and_the_options(self, database: Path) -> None:
        with (
            Server(database, "--workers", "2", "--strict-params") as server,
            server.site().api() as api,
        ):
            created = [api.post("/orders", data=INVOICE) for _ in range(20)]
            refused = [api.post("/orders", data={"statuss": "new", **INVOICE}) for _ in range(20)]
            listed = api.get("/orders", params={"limit": "100"}).json()["list"]

        assert [answer.status_code for answer in created] == [200] * 20
        assert [answer.status_code for answer in refused] == [400] * 20
        assert len(listed) == 20


class TestLog:
    @pytest.mark.parametrize("level", ["", "warning"])
    def test_requests_are_not_logged_where_nobody_looks(self, database: Path, level: str) -> None:
        with Server(database, "--log-level", level) as server:
            _create(server)

        assert server.said == ""

    @pytest.mark.parametrize("level", ["info", "debug"])
    def test_a_request_is_a_line_with_its_status_and_what_was_ignored(
        self, database: Path, level: str
    ) -> None:
        with Server(database, "--log-level", level) as server:
            _create(server, "statuss")
            with server.site().api("wrong") as api:
                api.get("/orders?limit=1")
            with server.site().api() as api:
                api.get("/orders?a%0A12:00:00%1B[2J=1")

        lines = [line for line in server.said.splitlines() if "/api/" in line]
        expected = [
            r"POST /api/v1/orders 200 \d+\.\d ms; parameter statuss is not used; ignored",
            r"GET /api/v1/orders 401 \d+\.\d ms; the host names the site .*-test; the key starts "
            r"neither with test_ nor with live_",
            r"GET /api/v1/orders 200 \d+\.\d ms; "
            r"parameter a\\x0a12:00:00\\x1b\[2J is not used; ignored",
        ]
        for line, pattern in zip(lines, expected, strict=True):
            assert re.fullmatch(rf"\d\d:\d\d:\d\d {pattern}", line)
        assert ESCAPE not in server.said

    @pytest.mark.parametrize(
        ("no_color", "start", "end"), [("", f"{ESCAPE}32m", f"{ESCAPE}0m"), ("1", "", "")]
    )
    def test_a_terminal_shows_requests_in_colours_unless_it_is_told_not_to(
        self, database: Path, no_color: str, start: str, end: str
    ) -> None:
        with _terminal() as (terminal, screen):
            with Server(database, stderr=terminal, NO_COLOR=no_color) as server:
                _create(server)
            said = os.read(screen, 65_536).decode()

        time_and_line = r"\d\d:\d\d:\d\d POST /api/v1/orders 200 \d+\.\d ms"
        assert re.fullmatch(re.escape(start) + time_and_line + re.escape(end) + "\r\n", said)

    def test_a_refused_request_has_another_colour(self, database: Path) -> None:
        with _terminal() as (terminal, screen):
            with Server(database, stderr=terminal, NO_COLOR="") as server:
                _create(server, invoice_id="")
            said = os.read(screen, 65_536).decode()

        assert said.startswith(f"{ESCAPE}33m")


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_a_signal_stops_the_server_cleanly(
        self, database: Path, number: signal.Signals, workers: str
    ) -> None:
        server = Server(database, "--workers", workers).start()
        assert httpx2.get(f"{server.url}/_mock/health").json()["status"] == "ok"

        assert server.stop(number) == 0
        assert server.said == ""

    def test_a_request_that_never_ends_is_told_that_the_server_stops(self, database: Path) -> None:
        server = Server(database, prelude="from mock_server import server; server._STOP_WITHIN = 1")
        with server, _unfinished_request(server) as client:
            assert server.stop() == 0
            answer = client.recv(65_536)

        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"api_error_code":"internal_temporary_error"' in answer
        assert b"The server is stopping" in answer

    def test_a_second_signal_does_not_wait_for_answers(self, database: Path) -> None:
        patient = "from mock_server import server; server._STOP_WITHIN = 600"
        with Server(database, prelude=patient) as server, _unfinished_request(server):
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            _wait_until_refused(server)
            assert server.process.poll() is None

            assert server.stop(signal.SIGTERM) == 0


def _packed(text: str) -> str:
    return "".join(text.split())


def _variable(option: str) -> str:
    return ENVIRONMENT_PREFIX + option.replace("-", "_").upper()


def _create(server: Server, *unknown: str, **changed: str) -> httpx2.Response:
    with server.site("demo-test").api() as api:
        return api.post("/orders", data=INVOICE | changed | dict.fromkeys(unknown, "x"))


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    """A pseudo-terminal: the end to write to, and the one to read what it shows."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")
    screen, terminal = pty.openpty()
    yield terminal, screen
    os.close(terminal)
    os.close(screen)


@contextmanager
def _unfinished_request(server: Server) -> Iterator[socket.socket]:
    """A request of which the server has the head, and waits for the body."""
    url = httpx2.URL(server.url)
    assert url.port is not None
    with socket.create_connection((url.host, url.port)) as client:
        client.sendall(
            b"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Basic dGVzdF9rZXk6\r\nContent-Length: 100\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert client.recv(1024).startswith(b"HTTP/1.1 100 ")  # sent when the body is read
        yield client


def _wait_until_refused(server: Server) -> None:
    """Until the server takes no more connections; AssertionError after 20 seconds."""
    url = httpx2.URL(server.url)
    assert url.port is not None
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection((url.host, url.port)).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.01)
    raise AssertionError("the server still takes connections")
