"""`make bench-idle`: whether pooled clients that call now and then lose a request.

A client that keeps its connection may send a request just when the server closes that connection,
and then it is lost. So the clients here call at intervals of about 5 seconds, where many servers
close: Python's `requests.Session`, and Node's agent with keepAlive if there is a Node.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.server import Server

_NODE: Final = """
const http = require("http");
const [url, clients, requests, interval] = process.argv.slice(1);
const body = "invoice_id=__demo_inv__1";
let lost = 0;
function post(agent) {
  return new Promise((done) => {
    const options = { agent, method: "POST", headers: {
      authorization: "Basic dGVzdF9rZXk6",
      "content-type": "application/x-www-form-urlencoded", "content-length": body.length } };
    const call = http.request(url, options, (answer) => {
      if (answer.statusCode !== 200) lost++;
      answer.resume().on("end", done);
    });
    call.on("error", () => { lost++; done(); });
    call.end(body);
  });
}
async function client(number) {
  const agent = new http.Agent({ keepAlive: true });
  for (let sent = 0; sent < requests; sent++) {
    await post(agent);
    if (sent + 1 < requests)
      await new Promise((done) => setTimeout(done, interval * 1000 + number - clients / 2));
  }
  agent.destroy();
}
Promise.all(Array.from({ length: +clients }, (_, number) => client(number)))
  .then(() => console.log(lost));
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=40, help="of each kind (default 40)")
    parser.add_argument("--requests", type=int, default=12, help="of each client (default 12)")
    parser.add_argument("--interval", type=float, default=5.0, help="seconds (default 5)")
    asked = parser.parse_args()
    kinds: dict[str, Callable[[str, argparse.Namespace], int]] = {"requests.Session": _sessions}
    if shutil.which("node"):
        kinds["Node, http.Agent"] = _agents
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "state.sqlite") as server,
        ThreadPoolExecutor() as together,
    ):
        url = f"{server.url}/api/v1/orders"
        lost = {name: together.submit(count, url, asked) for name, count in kinds.items()}
        for name, counted in lost.items():
            sent = asked.clients * asked.requests
            print(f"{name:20}{counted.result():5} of {sent} POSTs lost", flush=True)
    return 1 if any(counted.result() for counted in lost.values()) else 0


def _sessions(url: str, asked: argparse.Namespace) -> int:
    """How many requests the sessions lose."""
    with ThreadPoolExecutor(asked.clients) as clients:
        return sum(clients.map(lambda number: _session(url, number, asked), range(asked.clients)))


def _session(url: str, number: int, asked: argparse.Namespace) -> int:
    import requests

    lost = 0
    with requests.Session() as session:
        for sent in range(asked.requests):
            try:
                answer = session.post(
                    url, data={"invoice_id": "__demo_inv__1"}, auth=("test_key", ""), timeout=30
                )
                lost += answer.status_code != 200
            except requests.RequestException:
                lost += 1
            if sent + 1 < asked.requests:
                time.sleep(asked.interval + (number - asked.clients / 2) / 1000)
    return lost


def _agents(url: str, asked: argparse.Namespace) -> int:
    """How many requests Node's agents lose."""
    given = [url, str(asked.clients), str(asked.requests), str(asked.interval)]
    counted = subprocess.run(
        ["node", "-e", _NODE, *given], capture_output=True, text=True, check=True
    )
    return int(counted.stdout)


if __name__ == "__main__":
    sys.exit(main())
