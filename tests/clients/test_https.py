"""Programs written for the real Chargebee, run unchanged: https, and `acme-test.chargebee.com`.

Neither program is told where the sandbox is. What a hosts file or a network alias does for a user,
finding this machine under Chargebee's name, a hook does here; it also leads port 443, which only
one server can have, to the test's own. Names, TLS and the SDKs' own checks are not touched.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.server import Server

PYTHON = """
import chargebee

chargebee.configure("test_key", "acme-test")
order = chargebee.Order.create({"id": "unchanged", "invoice_id": "__demo_inv__1"}).order
print(order.id, order.status)
"""
PYTHON_HOOK = """
import os, socket

found = socket.getaddrinfo

def getaddrinfo(host, port, *rest, **named):
    if host == "acme-test.chargebee.com":
        host, port = "127.0.0.1", int(os.environ["SANDBOX_PORT"])
    return found(host, port, *rest, **named)

socket.getaddrinfo = getaddrinfo
"""
NODE = """
const chargebee = require("chargebee");

chargebee.configure({ api_key: "test_key", site: "acme-test" });
chargebee.order
  .create({ id: "unchanged", invoice_id: "__demo_inv__1" })
  .request()
  .then(({ order }) => console.log(order.id, order.status))
  .catch((error) => console.log(error.detail.code));
"""
NODE_HOOK = """
const { Agent } = require("https");
const { createConnection } = Agent.prototype;

Agent.prototype.createConnection = function (options, ...rest) {
  const address = { address: "127.0.0.1", family: 4 };
  const lookup = (host, { all }, found) =>
    all ? found(null, [address]) : found(null, address.address, address.family);
  return options.host === "acme-test.chargebee.com"
    ? createConnection.call(this, { ...options, lookup, port: process.env.SANDBOX_PORT }, ...rest)
    : createConnection.call(this, options, ...rest);
};
"""


@pytest.fixture
def chargebee(database: Path) -> Iterator[Server]:
    with Server(database, "--tls") as running:
        yield running


def _ca(server: Server) -> Path:
    return Path(server.database).parent / "tls" / "ca.pem"


def _python(server: Server, program: str, folder: Path, **variables: str) -> str:
    """What the program prints, or, where it fails, its complaint."""
    (folder / "sitecustomize.py").write_text(PYTHON_HOOK, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-c", program]
    return _run(command, server, folder, PYTHONPATH=str(folder), **variables)


def _run(command: list[str], server: Server, folder: Path, **variables: str) -> str:
    port = str(httpx2.URL(server.url).port)
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"SANDBOX_PORT": port} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout if done.returncode == 0 else done.stderr


def _order_of_acme(server: Server) -> int:
    """The status that the site acme-test answers when it is asked for the program's order."""
    with httpx2.Client(verify=False, auth=("test_key", "")) as client:
        return client.get(
            f"{server.url}/api/v1/orders/unchanged", headers={"Host": "acme-test.chargebee.com"}
        ).status_code


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the SDK calls ssl.wrap_socket")
def test_the_python_sdk_takes_the_authority_as_its_own(chargebee: Server, tmp_path: Path) -> None:
    named = (
        f"import chargebee.main; chargebee.main.ChargeBee.ca_cert_path = {str(_ca(chargebee))!r}"
    )

    printed = _python(chargebee, named + PYTHON, tmp_path)

    assert printed == "unchanged new\n"
    assert _order_of_acme(chargebee) == 200


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the SDK calls ssl.wrap_socket")
def test_the_python_sdk_by_itself_trusts_only_its_own_list(
    chargebee: Server, tmp_path: Path
) -> None:
    complaint = _python(chargebee, PYTHON, tmp_path)

    assert "CERTIFICATE_VERIFY_FAILED" in complaint
    assert _order_of_acme(chargebee) == 404


def test_the_python_sdk_leaves_the_check_to_python(chargebee: Server, tmp_path: Path) -> None:
    left = "import chargebee.main; chargebee.main.ChargeBee.verify_ca_certs = False"

    complaint = _python(chargebee, left + PYTHON, tmp_path)
    printed = _python(chargebee, left + PYTHON, tmp_path, SSL_CERT_FILE=str(_ca(chargebee)))

    assert "CERTIFICATE_VERIFY_FAILED" in complaint
    assert printed == "unchanged new\n"
    assert _order_of_acme(chargebee) == 200


def test_a_node_program_runs_unchanged(chargebee: Server, node_packages: Path) -> None:
    hook = Path(chargebee.database).parent / "hook.js"
    hook.write_text(NODE_HOOK, encoding="utf-8")
    command = ["node", "--no-deprecation", "--require", str(hook), "-e", NODE]

    complaint = _run(command, chargebee, node_packages)
    printed = _run(command, chargebee, node_packages, NODE_EXTRA_CA_CERTS=str(_ca(chargebee)))

    assert "UNABLE_TO_VERIFY_LEAF_SIGNATURE" in complaint
    assert printed == "unchanged new\n"
    assert _order_of_acme(chargebee) == 200
