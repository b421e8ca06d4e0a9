"""The JDK's own HTTP client, which offers HTTP/2 with each request unless it is told not to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.server import Server

PROGRAM = """
import java.net.*;
import java.net.http.*;

class MakeOrders {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int number = 0; number < 3; number++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0]))
                .header("Authorization", "Basic dGVzdF9rZXk6")
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString("invoice_id=__demo_inv__1"))
                .build();
            HttpResponse<String> answer =
                client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.version());
        }
    }
}
"""


def test_a_client_without_options_makes_orders(server: Server, tmp_path: Path) -> None:
    if (java := shutil.which("java")) is None or shutil.which("javac") is None:
        pytest.skip("there is no JDK")
    source = tmp_path / "MakeOrders.java"
    source.write_text(PROGRAM, "ascii")

    done = subprocess.run(
        [java, source, f"{server.url}/api/v1/orders"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.splitlines() == ["200 HTTP_1_1"] * 3, done.stderr
