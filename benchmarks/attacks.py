"""`make bench-attacks`: what strangers may send, and the memory that it costs the server.

Each attack of ATTACKS meets a fresh server. Its resident memory is read before and after, and the
highest in between is the kernel's own count, so the figures are those of Linux. What goes over
LIMIT or ends the server is marked, and makes the exit code 1. To add an attack, write a function
that takes a `Target` and returns what was answered, and give it a line in ATTACKS.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, TypeAlias

from tests.server import Server

LIMIT: Final = 300
"""MB that the server may take, whatever comes."""

_MB: Final = 1_000_000
_PIECE: Final = 65_536
_PATIENCE: Final = 60.0
"""Seconds that an attacker waits for an answer."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server that is attacked."""

    host: str
    port: int

    def send(self, pieces: Iterable[bytes]) -> str:
        """Send all that, on one connection, and read the answer: its status line and its length."""
        with socket.create_connection((self.host, self.port), timeout=_PATIENCE) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except OSError:
                pass  # it hung up; the answer may be there all the same
            return _answer(connection)


Attack: TypeAlias = Callable[[Target], str]
"""Attacks the server, and says what it answered."""


def _one_header(target: Target) -> str:
    head = b"GET /api/v1/orders HTTP/1.1\r\nx-long: "
    return target.send(_between(head, _filler(200 * _MB), b"\r\n\r\n"))


def _many_headers(target: Target) -> str:
    lines = b"".join(b"x-%07d: %s\r\n" % (n, b"v" * 48) for n in range(1000))
    repeated = (lines for _ in range(200 * _MB // len(lines)))
    return target.send(_between(b"GET /api/v1/orders HTTP/1.1\r\n", repeated, b"\r\n"))


def _long_path(target: Target) -> str:
    return target.send(_between(b"GET /api/v1/", _filler(200 * _MB), b" HTTP/1.1\r\n\r\n"))


def _trailers(target: Target) -> str:
    head = (
        b"POST /api/v1/orders HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic dGVzdF9rZXk6\r\n"
        b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-long: "
    )
    return target.send(_between(head, _filler(200 * _MB), b"\r\n\r\n"))


def _unread_answers(target: Target) -> str:
    """Sends requests, one after the other, and reads none of the answers."""
    request = b"GET /api/v1/orders HTTP/1.1\r\nhost: localhost\r\n\r\n"
    with socket.create_connection((target.host, target.port), timeout=5) as connection:
        try:
            for _ in range(20 * _MB // len(request)):
                connection.sendall(request)
        except TimeoutError:
            return "none: it reads no more"
        except OSError as error:
            return f"none: {error}"
    return "all was read"


def _body(path: str, length: int, *, declared: bool = True) -> Attack:
    """An attack with a body of that many bytes, with or without a Content-Length."""

    def attack(target: Target) -> str:
        head = _post(path, b"application/json")
        if declared:
            return target.send([head + b"content-length: %d\r\n\r\n" % length, *_filler(length)])
        chunks = (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in _filler(length))
        return target.send(
            _between(head + b"transfer-encoding: chunked\r\n\r\n", chunks, b"0\r\n\r\n")
        )

    return attack


def _mistakes(path: str, before: bytes, mistake: bytes, after: bytes, length: int) -> Attack:
    """An attack with a JSON body of that length, which has one mistake beside the other."""

    def attack(target: Target) -> str:
        mistakes = length // len(mistake)
        middle = b",".join(mistake.replace(b"#", b"%06d" % n) for n in range(mistakes))
        body = before + middle + after
        head = _post(path, b"application/json") + b"content-length: %d\r\n\r\n" % len(body)
        return target.send([head, body])

    return attack


def _fixture(content_type: bytes, before: bytes, item: bytes, after: bytes, length: int) -> Attack:
    """An attack with a fixture of that length: one item beside the other, `#` is its number."""

    def attack(target: Target) -> str:
        items = (item.replace(b"#", b"%06d" % n) for n in range(length // len(item)))
        body = before + b"".join(items) + after
        head = _post("/_mock/seed", content_type) + b"content-length: %d\r\n\r\n" % len(body)
        return target.send([head, body])

    return attack


def _hosts(number: int, form: str, **headers: str) -> Attack:
    """An attack with one call for each of that many hosts."""

    def attack(target: Target) -> str:
        statuses: Counter[int] = Counter()
        connection = HTTPConnection(target.host, target.port, timeout=_PATIENCE)
        for n in range(number):
            connection.request("GET", "/api/v1/orders", headers={"Host": form % n, **headers})
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
        connection.close()
        return ", ".join(f"{count} times {status}" for status, count in statuses.items())

    return attack


def _long_lists(number: int) -> Attack:
    """An attack with that many lists of 73 kB, which the journal is told to forget at the end."""

    def attack(target: Target) -> str:
        customers = [
            {"id": f"c{n}", "created_at": n, "invoice_notes": "x" * 570} for n in range(100)
        ]
        connection = HTTPConnection(target.host, target.port, timeout=_PATIENCE)

        def ask(method: str, path: str, body: str | None = None) -> bytes:
            headers = {"Authorization": "Basic dGVzdF9rZXk6", "Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return answer.read()

        ask("POST", "/_mock/seed", json.dumps({"customers": customers}))
        lengths = {len(ask("GET", "/api/v1/customers?limit=100")) for _ in range(number)}
        forgotten = ask("DELETE", "/_mock/requests").decode()
        connection.close()
        return f"200, {max(lengths)} bytes each; {forgotten}"

    return attack


_JSON: Final = b"application/json"
_YAML: Final = b"application/yaml"

ATTACKS: Final[dict[str, Attack]] = {
    "200 MB in one header": _one_header,
    "200 MB in many headers": _many_headers,
    "a path of 200 MB": _long_path,
    "200 MB in a trailer": _trailers,
    "20 MB of requests, answers unread": _unread_answers,
    "8,000 hosts of 60 kB, no key": _hosts(8000, "%d." + "x" * 60_000),
    "10,000 lists of 73 kB, then forgotten": _long_lists(10_000),
    "12,000 sites": _hosts(12_000, "s%d-test.localhost", Authorization="Basic dGVzdF9rZXk6"),
    "/_mock: JSON of 60 MB": _body("/_mock/faults", 60 * _MB),
    "/_mock: JSON of 60 MB in chunks": _body("/_mock/faults", 60 * _MB, declared=False),
    "/_mock: a path without a body, 60 MB": _body("/_mock/reset", 60 * _MB),
    "/api: a body of 60 MB in chunks": _body("/api/v1/orders", 60 * _MB, declared=False),
    "/_mock: 1 MB of unknown names": _mistakes("/_mock/requests/verify", b"{", b'"#":0', b"}", _MB),
    "/_mock: 1 MB of unknown choices": _mistakes(
        "/_mock/webhook_endpoints", b'{"enabled_events":[', b"0", b"]}", _MB
    ),
    "/_mock: 1 MB of conditions": _mistakes(
        "/_mock/requests/verify", b'{"params":{', b'"#":{"x":0}', b"}}", _MB
    ),
    "/_mock: 1 MB of empty patterns": _mistakes(
        "/_mock/requests/verify", b'{"in_order":[', b"{}", b"]}", _MB
    ),
    "/_mock: 1 MB of what is no pattern": _mistakes(
        "/_mock/requests/verify", b'{"in_order":[', b"0", b"]}", _MB
    ),
    "a fixture of mistakes, JSON, 16 MB": _fixture(
        _JSON, b'{"customers":[', b"{},", b"0]}", 16 * _MB
    ),
    "a fixture of mistakes, JSON, 2.9 MB": _fixture(
        _JSON, b'{"customers":[', b"{},", b"0]}", 2_900_000
    ),
    "a fixture of mistakes, YAML, 16 MB": _fixture(
        _YAML, b"customers:\n", b"- {}\n", b"", 16 * _MB
    ),
    "a fixture of unknown names, JSON, 5 MB": _fixture(
        _JSON, b'{"customers":[{', b'"#":0,', b'"x":0}]}', 5 * _MB
    ),
    "a fixture with a repeated key, JSON, 1 MB": _fixture(
        _JSON, b"{", b'"#":0,', b'"000007":0}', _MB
    ),
    "a fixture of sixties, YAML, 1 MB": _fixture(_YAML, b"a: 1", b":1", b"", _MB),
    "a fixture of digits, YAML, 16 MB": _fixture(_YAML, b"a: 1", b"1", b"", 16 * _MB),
    "a sound fixture, JSON, 16 MB": _fixture(
        _JSON,
        b'{"customers":[',
        b'{"id":"#","created_at":0,"first_name":"Ada Augusta","last_name":"of somewhere"},',
        b'{"id":"last","created_at":0}]}',
        15 * _MB,
    ),
}
"""The attacks, by the name that is printed."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="those whose name has this in it")
    parser.add_argument("--memory", action="store_true", help="with --database :memory:")
    asked = parser.parse_args()
    print(f"{'MB of memory':40}{'before':>8}{'highest':>9}{'after':>8}{'seconds':>9}  answer")
    withstood = [
        _measure(name, attack, in_memory=asked.memory)
        for name, attack in ATTACKS.items()
        if asked.only in name
    ]
    return 0 if all(withstood) else 1


def _measure(name: str, attack: Attack, *, in_memory: bool) -> bool:
    """Print what it costs; whether the server withstands it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state.sqlite"
        with Server(":memory:" if in_memory else file) as server:
            return _attack(server, name, attack)


def _attack(server: Server, name: str, attack: Attack) -> bool:
    assert server.process is not None
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    target = Target(host, int(port))
    target.send([b"GET /_mock/health HTTP/1.1\r\nhost: localhost\r\n\r\n"])
    before, _ = _memory(server.process.pid)
    started = time.perf_counter()
    answer = attack(target)
    seconds = time.perf_counter() - started
    if server.process.poll() is not None:
        print(f"{name:40}{before:8.0f}{'the server has ended':>26}", flush=True)
        return False
    after, highest = _memory(server.process.pid)
    withstood = highest <= LIMIT
    mark = "" if withstood else f"  over {LIMIT} MB"
    print(
        f"{name:40}{before:8.0f}{highest:9.0f}{after:8.0f}{seconds:9.1f}  {answer}{mark}",
        flush=True,
    )
    return withstood


def _post(path: str, content_type: bytes) -> bytes:
    """The head of a POST, but for the length of its body."""
    return (
        b"POST %s HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic dGVzdF9rZXk6\r\n"
        b"content-type: %s\r\n" % (path.encode(), content_type)
    )


def _filler(length: int) -> Iterator[bytes]:
    piece = b"a" * _PIECE
    for start in range(0, length, _PIECE):
        yield piece[: length - start]


def _between(head: bytes, pieces: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    yield head
    yield from pieces
    yield end


def _answer(connection: socket.socket) -> str:
    """The status line of an answer, and how many bytes it has in all."""
    status, length = b"", 0
    try:
        while more := connection.recv(1 << 20):
            status = status or more.partition(b"\r\n")[0]
            length += len(more)
            connection.settimeout(0.5)
    except OSError as error:  # a time-out where the connection is kept open
        if not status:
            return f"none: {error}"
    return f"{status.decode()}, {length} bytes" if status else "none: hung up"


def _memory(pid: int) -> tuple[float, float]:
    """The resident memory of a process and the highest it has been, in MB."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    now, highest = (int(status[name].split()[0]) * 1024 / _MB for name in ("VmRSS", "VmHWM"))
    return now, highest


if __name__ == "__main__":
    sys.exit(main())
