"""The recipes of docs/recipes.md work.

There is no container engine and no CI service here. What they are told (images, ports, commands,
health checks, names, volumes) is held against the image and the compose file, the commands and
health checks are run, and a stand-in starts the server where testcontainers would start its image.
The recipes for pytest and node:test are run as they are. Of Vitest and Jest, the modules that they
call are run in their order.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from mock_server.settings import ENVIRONMENT_PREFIX, Settings
from tests.server import Server
from tests.test_readme import ROOT, blocks

_NAME = re.compile(r"(?:#|//) (\S+\.\w+)(, .*)?\n")
_IMAGE = "registry.example.com/chargebee-mock"
_STAND_IN = '''
import subprocess

class DockerContainer:
    """What the recipe calls of testcontainers; the command in place of the image that runs it."""

    def __init__(self, image):
        assert image == "registry.example.com/chargebee-mock"

    def with_exposed_ports(self, *ports):
        self.ports = ports
        return self

    def waiting_for(self, strategy):
        assert strategy.path == "/_mock/health" and strategy.port in self.ports
        return self

    def __enter__(self):
        command = ["chargebee-mock", "serve", "--port", "0", "--database", ":memory:"]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.published = self.server.stdout.readline().strip().rpartition(":")[2]
        return self

    def __exit__(self, *exception):
        self.server.terminate()
        self.server.communicate()

    def get_container_host_ip(self):
        return "localhost"

    def get_exposed_port(self, port):
        assert port in self.ports
        return int(self.published)

class HttpWaitStrategy:
    def __init__(self, port, path):
        self.port, self.path = port, path
'''


def _files() -> dict[str, str]:
    """Every recipe by the name of the file that its first line says."""
    named = {}
    for block in blocks(ROOT / "docs" / "recipes.md"):
        name = _NAME.match(block.text)
        if name is not None:
            named[name[1] + (name[2] or "")] = block.text
    return named


FILES = _files()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One in which `chargebee-mock` is installed."""
    program = tmp_path / "bin" / "chargebee-mock"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m mock_server "$@"\n', "utf-8"
    )
    program.chmod(0o755)
    return os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def image() -> dict[str, str]:
    """The image's instructions; of one that stands there twice, the last."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    return dict(line.split(maxsplit=1) for line in text.splitlines() if line)


def _write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name.partition(",")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FILES[name], "utf-8")


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_block_that_is_a_recipe_has_a_file_name() -> None:
    recipes = [
        block for block in blocks(ROOT / "docs" / "recipes.md") if block.language and not block.mark
    ] + [block for block in blocks(ROOT / "docs" / "recipes.md") if block.mark == "recipe"]

    assert len(recipes) == len(FILES)


def test_every_recipe_takes_the_image_under_the_name_that_it_was_built_with() -> None:
    document = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    (built,) = re.findall(r"^docker build --tag (\S+) \.$", document, re.MULTILINE)

    assert built == _IMAGE
    assert set(re.findall(r"registry\.example\.com/[^\s\"]+", document)) == {built}


class TestContinuousIntegration:
    """GitHub's and GitLab's own parts are not run: only what they are told, and the scripts."""

    @pytest.fixture(params=["github", "gitlab"])
    def job(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        """Image, options, address and scripts of the job, in one form for both."""
        if request.param == "github":
            (job,) = yaml.safe_load(FILES[".github/workflows/test.yml"])["jobs"].values()
            service = job["services"]["chargebee-mock"]
            return {
                "image": service["image"],
                "ports": service["ports"],
                "options": service["env"],
                "url": job["env"]["CHARGEBEE_URL"],
                "host": "127.0.0.1",
                "scripts": [step["run"] for step in job["steps"] if "run" in step],
            }
        job = yaml.safe_load(FILES[".gitlab-ci.yml"])["test"]
        (service,) = job["services"]
        return {
            "image": service["name"],
            "ports": ["8010:8010"],
            "options": service["variables"],
            "url": job["variables"]["CHARGEBEE_URL"],
            "host": service["alias"],
            "scripts": [*job["script"], *job["after_script"]],
        }

    def test_the_address_is_that_of_the_image(
        self, job: dict[str, Any], image: dict[str, str]
    ) -> None:
        port = image["EXPOSE"]

        assert job["image"] == _IMAGE
        assert job["ports"] == [f"{port}:{port}"]
        assert job["url"] == f"http://{job['host']}:{port}"

    def test_the_options_are_options(self, job: dict[str, Any], database: Path) -> None:
        knobs = {ENVIRONMENT_PREFIX + name.upper() for name in Settings.__slots__}
        assert set(job["options"]) <= knobs
        assert all(isinstance(value, str) for value in job["options"].values())

        with Server(database, **job["options"]) as server, server.site().api() as api:
            refused = api.post("/orders", data={"invoice_id": "__demo_inv__1", "notes": "?"})

        assert refused.status_code == 400

    def test_the_calls_succeed_under_the_name_of_the_service(
        self, job: dict[str, Any], database: Path, tmp_path: Path
    ) -> None:
        calls = [script for script in job["scripts"] if script.startswith("curl ")]
        assert len(calls) == 2

        with Server(database, **job["options"]) as server:
            port = httpx2.URL(server.url).port
            name = f"--connect-to ::127.0.0.1:{port}"
            for call in calls:
                shown = _run(
                    ["bash", "-euo", "pipefail", "-c", call.replace("curl ", f"curl {name} ")],
                    tmp_path,
                    os.environ | {"CHARGEBEE_URL": job["url"]},
                )
                assert "list" in json.loads(shown)

        assert [script for script in job["scripts"] if script not in calls] == ["make test"]


class TestCompose:
    """The network alias and the volume are Docker's; the rest is run."""

    @pytest.fixture
    def services(self) -> dict[str, Any]:
        compose = yaml.safe_load(FILES["compose.yml"])
        assert list(compose["volumes"]) == ["chargebee"]
        services: dict[str, Any] = compose["services"]
        return services

    @pytest.fixture
    def running(self, services: dict[str, Any], tmp_path: Path) -> Iterator[Server]:
        """The service with its options, its volume in `tmp_path`, and a port that is free."""
        service = services["chargebee-mock"]
        assert service["environment"].keys() == {"CHARGEBEE_MOCK_PORT", "CHARGEBEE_MOCK_TLS"}
        assert service["volumes"] == ["chargebee:/data"]
        options = [f"{name}={value}" for name, value in service["environment"].items()]
        with Server(tmp_path / "chargebee.sqlite", launcher=["env", *options]) as server:
            yield server

    def test_the_image_may_listen_where_the_command_says(
        self, services: dict[str, Any], image: dict[str, str]
    ) -> None:
        assert image["USER"] != "root"
        assert services["chargebee-mock"]["environment"]["CHARGEBEE_MOCK_PORT"] == "443"
        assert services["chargebee-mock"]["sysctls"] == {"net.ipv4.ip_unprivileged_port_start": 443}

    def test_the_app_waits_and_finds_the_certificate_in_the_volume(
        self, services: dict[str, Any], running: Server
    ) -> None:
        shop = services["shop"]
        volume, mounted, mode = shop["volumes"][0].split(":")
        (certificate,) = shop["environment"].values()
        kept = Path(running.database).parent / Path(certificate).relative_to(mounted)

        assert shop["depends_on"] == {"chargebee-mock": {"condition": "service_healthy"}}
        assert (volume, mode) == ("chargebee", "ro")
        assert list(shop["environment"]) == ["NODE_EXTRA_CA_CERTS"]
        (alias,) = services["chargebee-mock"]["networks"]["default"]["aliases"]
        port = httpx2.URL(running.url).port
        trust = ssl.create_default_context(cafile=kept)
        with (
            socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
            trust.wrap_socket(plain, server_hostname=alias) as connection,
        ):
            assert connection.getpeercert() is not None
        assert alias == "acme-test.chargebee.com"

    def test_the_health_check_sees_the_server(
        self, services: dict[str, Any], running: Server
    ) -> None:
        probe = [sys.executable, "-m", "mock_server", "health"]
        here = os.environ | services["chargebee-mock"]["environment"]
        here["CHARGEBEE_MOCK_PORT"] = str(httpx2.URL(running.url).port)
        here["CHARGEBEE_MOCK_DATABASE"] = str(running.database)

        while_up = subprocess.run(probe, env=here, check=False)
        running.stop()
        while_down = subprocess.run(probe, env=here, capture_output=True, check=False)

        assert (while_up.returncode, while_down.returncode) == (0, 1)


class TestPytest:
    @pytest.fixture
    def command(self) -> list[str]:
        return [sys.executable, "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider"]

    def test_the_fixture_starts_the_server(
        self, tmp_path: Path, environment: dict[str, str], command: list[str]
    ) -> None:
        _write(tmp_path, "tests/conftest.py", "tests/test_orders.py")

        assert "2 passed" in _run([*command, "-rA", "tests"], tmp_path, environment)

    def test_the_fixture_starts_the_container(
        self, tmp_path: Path, environment: dict[str, str], command: list[str]
    ) -> None:
        _write(tmp_path, "tests/conftest.py, with testcontainers", "tests/test_orders.py")
        core = tmp_path / "testcontainers" / "core"
        core.mkdir(parents=True)
        for module in ("container", "wait_strategies"):
            (core / f"{module}.py").write_text(_STAND_IN, "utf-8")

        found = environment | {"PYTHONPATH": str(tmp_path)}
        assert "2 passed" in _run([*command, "-rA", "tests"], tmp_path, found)


class TestNode:
    @pytest.fixture
    def folder(self, node_packages: Path) -> Iterator[Path]:
        """A project in which Node finds the SDK."""
        project = node_packages / uuid.uuid4().hex
        _write(project, *(name for name in FILES if name.endswith(".mjs")))
        yield project
        shutil.rmtree(project)

    def test_node_test_starts_the_server(self, folder: Path, environment: dict[str, str]) -> None:
        reported = _run(
            ["node", "--no-deprecation", "--test", "--test-reporter=tap", "test/orders.test.mjs"],
            folder,
            environment,
        )

        assert "# pass 2\n" in reported
        assert "# fail 0\n" in reported

    @pytest.mark.parametrize(
        ("config", "paths", "export"),
        [
            ("vitest.config.mjs", "[config.test.globalSetup, config.test.globalSetup]", None),
            ("jest.config.mjs", "[config.globalSetup, config.globalTeardown]", "default"),
        ],
    )
    def test_the_global_setup_starts_the_server_and_ends_it(
        self, folder: Path, environment: dict[str, str], config: str, paths: str, export: str | None
    ) -> None:
        names = [export, export] if export else ["setup", "teardown"]
        (folder / "runner.mjs").write_text(
            f"""
            import config from "./{config}";

            const here = (path) => "./" + path.replace("<rootDir>/", "");
            const [first, last] = await Promise.all({paths}.map((path) => import(here(path))));
            await first.{names[0]}();
            const health = `${{process.env.CHARGEBEE_URL}}/_mock/health`;
            console.log((await fetch(health)).status);
            await last.{names[1]}();
            console.log(await fetch(health).catch(() => "gone"));
            """,
            "utf-8",
        )

        assert _run(["node", "runner.mjs"], folder, environment) == "200\ngone\n"
