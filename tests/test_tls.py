"""`serve --tls`: https under the names that Chargebee's clients call, from an authority kept."""

from __future__ import annotations

import re
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.server import Server


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("tls") / "state.sqlite", "--tls") as running:
        yield running


def _ca(server: Server) -> Path:
    return Path(server.database).parent / "tls" / "ca.pem"


def _address(server: Server) -> tuple[str, int]:
    port = httpx2.URL(server.url).port
    assert port is not None
    return "127.0.0.1", port


def _certificate(server: Server, name: str | None) -> dict[str, object]:
    """What the server shows a client that asks for `name` (None: does not say whom it calls)."""
    trust = ssl.create_default_context(cafile=_ca(server))
    trust.check_hostname = name is not None
    with (
        socket.create_connection(_address(server), timeout=30) as plain,
        trust.wrap_socket(plain, server_hostname=name) as connection,
    ):
        return dict(connection.getpeercert() or {})


def _health(server: Server, host: str = "127.0.0.1") -> dict[str, object]:
    """What is answered at that address, whose certificate must have it."""
    trust = ssl.create_default_context(cafile=_ca(server))
    url = f"https://{host}:{_address(server)[1]}/_mock/health"
    answered: dict[str, object] = httpx2.get(url, verify=trust).json()
    return answered


@pytest.mark.parametrize(
    "name",
    [
        "acme-test.chargebee.com",
        "ACME-test.Chargebee.com",
        "acme-test.localhost",
        "localhost",
        "chargebee-mock",
        "acme-test.eu.example.com",
    ],
)
def test_a_client_finds_a_certificate_for_the_name_it_calls(shared: Server, name: str) -> None:
    assert _certificate(shared, name)["subjectAltName"] == (("DNS", name.lower()),)


def test_a_client_that_names_nobody_finds_chargebee_and_this_machine(shared: Server) -> None:
    assert _certificate(shared, None)["subjectAltName"] == (
        ("DNS", "*.chargebee.com"),
        ("DNS", "localhost"),
        ("IP Address", "127.0.0.1"),
        ("IP Address", "0:0:0:0:0:0:0:1"),
    )


@pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0"])
def test_the_address_that_a_connection_came_in_on_is_in_the_certificate(
    database: Path, host: str
) -> None:
    with Server(database, "--tls", "--host", host) as server:
        assert _health(server, "127.0.0.2")["status"] == "ok"


def test_a_client_that_says_nothing_is_not_waited_for_at_a_stop(database: Path) -> None:
    with Server(database, "--tls") as server, socket.create_connection(_address(server)):
        assert _health(server)["status"] == "ok"
        assert server.stop() == 0


def test_a_name_that_no_certificate_can_have_harms_nobody(shared: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _certificate(shared, "under_score.example.com")

    assert _health(shared)["status"] == "ok"


def test_a_certificate_lasts_no_longer_than_every_client_takes(shared: Server) -> None:
    certificate = _certificate(shared, "acme-test.chargebee.com")

    start, end = (
        ssl.cert_time_to_seconds(str(certificate[when])) for when in ("notBefore", "notAfter")
    )
    assert (end - start) / 86_400 <= 825


def test_a_client_that_does_not_trust_the_authority_is_not_answered(shared: Server) -> None:
    with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx2.get(f"{shared.url}/_mock/health")


def test_the_host_still_names_the_site(shared: Server) -> None:
    trust = ssl.create_default_context(cafile=_ca(shared))
    with httpx2.Client(base_url=shared.url, verify=trust, auth=("test_key", "")) as client:
        here = {"Host": "acme-test.chargebee.com"}
        created = client.post(
            "/api/v1/orders", data={"id": "tls", "invoice_id": "__demo_inv__1"}, headers=here
        )
        elsewhere = client.get("/api/v1/orders/tls")

    assert (created.status_code, elsewhere.status_code) == (200, 404)


def test_the_ready_line_is_followed_by_what_to_trust(database: Path) -> None:
    server = Server(database, "--tls").start()
    assert server.process is not None
    assert server.process.stdout is not None
    told = server.process.stdout.readline()
    server.stop()

    assert server.url.startswith("https://127.0.0.1:")
    assert told.split() == [
        *("clients", "trust", "it", "with", "SSL_CERT_FILE,", "REQUESTS_CA_BUNDLE", "or"),
        *("NODE_EXTRA_CA_CERTS", "set", "to", str(_ca(server))),
    ]


def test_the_authority_is_kept_for_the_next_start(database: Path) -> None:
    with Server(database, "--tls") as server:
        first = _ca(server).read_bytes()
    _ca(server).unlink()  # the key and its certificate are the other file

    with Server(database, "--tls") as server:
        assert _ca(server).read_bytes() == first
        assert _health(server)["status"] == "ok"


def test_servers_that_start_together_make_one_authority(tmp_path: Path) -> None:
    commands = [
        f"from pathlib import Path; from mock_server import tls; "
        f"print(tls.prepare(Path({str(tmp_path)!r})).read_text())"
    ] * 4
    started = [
        subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    seen = {process.communicate(timeout=60)[0] for process in started}

    assert [process.returncode for process in started] == [0] * 4
    assert len(seen) == 1
    assert "BEGIN CERTIFICATE" in seen.pop()


def test_nobody_else_reads_the_key(shared: Server) -> None:
    folder = _ca(shared).parent
    kept = {
        path.name: (stat.S_IMODE(path.stat().st_mode), "PRIVATE KEY" in path.read_text("ascii"))
        for path in folder.glob("*.pem")
    }

    assert kept == {"authority.pem": (0o600, True), "ca.pem": (0o644, False)}


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100])
def test_a_file_that_is_no_authority_is_named_and_left_alone(
    database: Path, content: bytes
) -> None:
    kept = database.parent / "tls" / "authority.pem"
    kept.parent.mkdir()
    kept.write_bytes(content)

    refused = subprocess.run(
        [
            *(sys.executable, "-m", "mock_server", "serve", "--tls"),
            *("--port", "0", "--database", str(database)),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert refused.returncode == 1
    assert refused.stderr == (
        f"Error: {kept} is not a certificate and its key; delete it, and a new one is made\n"
    )
    assert kept.read_bytes() == content


def test_two_workers_have_the_same_authority(database: Path) -> None:
    with Server(database, "--tls", "--workers", "2") as server:
        assert [_health(server)["status"] for _ in range(10)] == ["ok"] * 10


def test_a_state_in_memory_has_its_authority_in_the_usual_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mock_server", "serve", "--tls", "--port", "0"]
    with subprocess.Popen(
        [*command, "--database", ":memory:"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parent.parent)},
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(2)]
        process.terminate()

    assert told[1].split()[-1] == str(tmp_path / ".chargebee-mock" / "tls" / "ca.pem")


def test_a_client_that_speaks_plain_http_gets_no_answer_and_harms_nobody(shared: Server) -> None:
    with pytest.raises(httpx2.TransportError):
        httpx2.get(re.sub("^https", "http", shared.url) + "/_mock/health")

    assert _health(shared)["status"] == "ok"


def test_without_tls_its_libraries_are_not_imported() -> None:
    imported = subprocess.run(
        [sys.executable, "-c", "import mock_server.server, sys; print('trustme' in sys.modules)"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert imported.stdout == "False\n"
