"""The documents are true: their snippets run against a real server and say what is written there.

A fenced block marked `setup` installs, starts or stops something and is not run; one marked
`recipe` is the business of `test_recipes.py` and `testing/test_plugin.py`; any other `sh`, `python`
or `js` block is run. A `json` or `text` block right after one is its output, where `…` stands for
anything and ids, times and ports are those of the run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import zip_longest
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from mock_server.listener import listen
from mock_server.settings import ENVIRONMENT_PREFIX, Settings
from mock_server.tail import tail
from tests.clients.node import SDK
from tests.server import Server

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]

_FENCED = re.compile(r"^```(\w*)( setup| recipe)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[a-z]+2?_)?[0-9A-Za-z]{6}[V-Z][0-9A-Za-z]{9,10}(?![0-9A-Za-z])"
)
_VOLATILE = re.compile(r'(?<=")1[789][0-9]{8}000(?=\\?")|(?<=: )1[789][0-9]{8}|curl/[0-9.]+')


@dataclass(frozen=True)
class Snippet:
    """A block of a document that is run, and what the document says that it prints."""

    name: str
    document: str
    language: str
    text: str
    printed: str | None
    prints_json: bool


@dataclass(frozen=True)
class Block:
    line: int
    language: str
    mark: str
    """`setup`, `recipe` or nothing."""
    text: str


def blocks(document: Path) -> list[Block]:
    text = document.read_text("utf-8")
    return [
        Block(text.count("\n", 0, match.start()) + 1, match[1], (match[2] or "").strip(), match[3])
        for match in _FENCED.finditer(text)
    ]


def _snippets(language: str) -> Iterator[Snippet]:
    for document in DOCUMENTS:
        found = blocks(document)
        for block, following in zip_longest(found, found[1:]):
            if block.language != language or block.mark:
                continue
            printed = None
            if following is not None and following.language in ("json", "text"):
                printed = following.text
            prints_json = printed is None or following.language == "json"
            name = f"{document.name}:{block.line}"
            yield Snippet(name, document.name, language, block.text, printed, prints_json)


def _setup_lines() -> list[str]:
    return [
        line
        for document in DOCUMENTS
        for block in blocks(document)
        if block.mark == "setup"
        for line in block.text.splitlines()
    ]


SHELL = list(_snippets("sh"))
PYTHON = list(_snippets("python"))
NODE = list(_snippets("js"))
SESSIONS = sorted({snippet.document for snippet in SHELL})


@pytest.fixture
def fresh(database: Path) -> Iterator[Server]:
    """A server whose default site nobody has used."""
    with Server(database) as running:
        yield running


@pytest.mark.parametrize("document", SESSIONS)
def test_the_shell_commands_of_a_document_work_in_their_order(
    document: str, fresh: Server, tmp_path: Path
) -> None:
    renamed: dict[str, str] = {}

    for snippet in SHELL:
        if snippet.document == document:
            printed = _run(["bash", "-euo", "pipefail", "-c"], snippet, fresh, tmp_path)

            if snippet.printed is None:
                assert "api_error_code" not in json.loads(printed), snippet.name
                continue
            documented = _at(fresh, snippet.printed)
            if snippet.prints_json:
                expected = json.loads(documented)
                documented = json.dumps(expected, indent=1)
                printed = json.dumps(_elided(expected, json.loads(printed)), indent=1)
            _assert_same(snippet.name, documented, printed, renamed)


@pytest.mark.parametrize("snippet", PYTHON, ids=lambda snippet: snippet.name)
def test_the_python_snippet_prints_what_is_written(
    snippet: Snippet, fresh: Server, tmp_path: Path
) -> None:
    printed = _run([sys.executable, "-W", "ignore", "-c"], snippet, fresh, tmp_path)

    assert snippet.printed is not None
    _assert_same(snippet.name, snippet.printed, printed, {})


@pytest.mark.parametrize("snippet", NODE, ids=lambda snippet: snippet.name)
def test_the_node_snippet_prints_what_is_written(
    snippet: Snippet, fresh: Server, node_packages: Path
) -> None:
    printed = _run(["node", "--no-deprecation", "-e"], snippet, fresh, node_packages)

    assert snippet.printed is not None
    _assert_same(snippet.name, snippet.printed, printed, {})


def test_what_is_not_run_only_installs_starts_or_stops() -> None:
    commands = {
        "chargebee-mock tail",
        "docker build",
        "docker compose",
        "docker push",
        "make bench",
        "make listen",
        "make check",
        "make serve",
        "make test",
        "node --test",
        "npm install",
        "pip install",
        "rm -r",
    }

    assert {" ".join(shlex.split(line)[:2]) for line in _setup_lines()} == commands


def test_the_make_targets_of_the_documents_exist() -> None:
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"(?:^|`)make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE)
    }

    declared = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {"serve", "test", "check"} <= named <= set(declared)


def test_the_python_sdk_is_the_one_that_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    (installed,) = {line for line in _setup_lines() if line.startswith("pip install ")}
    assert set(shlex.split(installed)[2:]) <= set(project["dependency-groups"]["dev"])


def test_the_listener_prints_the_webhook_of_an_order(database: Path) -> None:
    (served,) = {line for line in _setup_lines() if "--webhook-url" in line}
    webhook_url = shlex.split(served)[-1].removeprefix("ARGS=--webhook-url ")
    (create,) = {snippet.text for snippet in SHELL if "id=announced" in snippet.text}
    assert "make listen" in _setup_lines()
    default = {option.name: option.default for option in listen.params}
    assert webhook_url == f"http://{default['host']}:{default['port']}"

    listener = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "listen", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listener.stdout is not None
    try:
        listening = listener.stdout.readline().removeprefix("listening on ").strip()
        with Server(database, "--webhook-url", listening) as running:
            subprocess.run(["bash", "-c", _at(running, create)], capture_output=True, check=True)
            assert " order_created ev_" in listener.stdout.readline()
    finally:
        listener.kill()
        listener.communicate()


def test_the_node_sdk_is_the_one_that_is_tested() -> None:
    assert {line for line in _setup_lines() if line.startswith("npm ")} == {f"npm install {SDK}"}


def test_the_table_of_the_tail_has_every_option_and_its_help() -> None:
    text = (ROOT / "docs" / "journal.md").read_text("utf-8")

    rows = re.findall(r"^\| `--([a-z]+)`.* \| (.+) \|$", text, re.MULTILINE)
    assert rows == [(option.name, option.help) for option in tail.params]


def test_the_table_of_options_has_every_option_its_default_and_its_help() -> None:
    rows = re.findall(
        r"^\| `--([a-z-]+)` \|(.*?)\| (.+) \|$", README.read_text("utf-8"), re.MULTILINE
    )

    assert [(name, help.replace("`", "")) for name, _, help in rows] == [
        (knob.name.replace("_", "-"), knob.metadata["help"]) for knob in fields(Settings)
    ]
    assert [cell.replace("`", "").strip() for _, cell, _ in rows] == [
        knob.metadata["shown"] or str(knob.default) for knob in fields(Settings)
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = _LINK.findall(document.read_text("utf-8"))

    assert [target for target in targets if not (document.parent / target).exists()] == []


class TestContainer:
    """What can be held without a container engine."""

    @pytest.fixture
    def service(self) -> dict[str, Any]:
        compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
        assert list(compose["volumes"]) == ["state"]
        service: dict[str, Any] = compose["services"]["chargebee-mock"]
        return service

    @pytest.fixture
    def image(self) -> dict[str, str]:
        """The image's instructions; of one that stands there twice, the last."""
        text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", "")
        return dict(line.split(maxsplit=1) for line in text.splitlines() if line)

    def test_the_service_has_the_port_and_the_volume_of_the_readme(
        self, service: dict[str, Any], image: dict[str, str]
    ) -> None:
        assert service["ports"] == [f"{Settings().port}:{Settings().port}"]
        assert service["volumes"] == ["state:/data"]
        assert (image["EXPOSE"], image["VOLUME"]) == (str(Settings().port), "/data")

    def test_the_service_runs_and_checks_as_the_image_does(self, service: dict[str, Any]) -> None:
        assert service.keys() & {"command", "entrypoint", "healthcheck"} == set()

    def test_the_image_runs_as_a_user_by_number_whose_group_shares_its_folder(
        self, image: dict[str, str]
    ) -> None:
        text = (ROOT / "Dockerfile").read_text("utf-8")

        assert image["USER"] == "10001:0"
        assert "install --directory --owner 10001 --group 0 --mode 2775 /data" in text

    def test_the_environment_names_options(self, service: dict[str, Any]) -> None:
        options = {ENVIRONMENT_PREFIX + knob.name.upper() for knob in fields(Settings)}

        assert set(service["environment"]) <= options

    def test_emails_go_to_the_service_that_shows_them(self, service: dict[str, Any]) -> None:
        compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
        host, port = Settings(smtp=service["environment"]["CHARGEBEE_MOCK_SMTP"]).smtp_address

        assert host in compose["services"]
        assert port == 1025  # where Mailpit takes mail

    def test_the_image_serves_and_its_health_check_sees_it(
        self, image: dict[str, str], database: Path
    ) -> None:
        options = dict(variable.split("=") for variable in image["ENV"].split())
        check = json.loads(image["HEALTHCHECK"].partition(" CMD ")[2])
        assert json.loads(image["CMD"]) == ["chargebee-mock", "serve"]
        assert check == ["chargebee-mock", "health"]
        assert options["CHARGEBEE_MOCK_DATABASE"].startswith("/data/")

        with Server(
            database, launcher=["env", f"CHARGEBEE_MOCK_HOST={options['CHARGEBEE_MOCK_HOST']}"]
        ) as running:
            port = httpx2.URL(running.url).port
            here = os.environ | options | {"CHARGEBEE_MOCK_PORT": str(port)}
            probe = [sys.executable, "-m", "mock_server", *check[1:]]
            while_up = subprocess.run(probe, env=here, check=False)
        while_down = subprocess.run(probe, env=here, capture_output=True, check=False)

        assert (while_up.returncode, while_down.returncode) == (0, 1)

    def test_the_build_context_has_what_the_image_needs_and_little_else(self) -> None:
        ignored, *kept = [
            line
            for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
            if not line.startswith("#")
        ]

        assert ignored == "*"
        assert all((ROOT / line.removeprefix("!")).exists() for line in kept if "**" not in line)
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        build = project["tool"]["hatch"]["build"]["targets"]["wheel"]
        assert {
            f"!{path}"
            for path in (
                *("pyproject.toml", "requirements.txt"),
                *(project["project"]["readme"], *project["project"]["license-files"]),
                *(*build["packages"], *build["force-include"]),
            )
        } <= set(kept)


def _run(command: list[str], snippet: Snippet, server: Server, folder: Path) -> str:
    """What the snippet prints; AssertionError with its complaints where it fails."""
    done = subprocess.run(
        [*command, _at(server, snippet.text)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{snippet.name}: {done.stderr}"
    return done.stdout


def _at(server: Server, text: str) -> str:
    return text.replace("8010", str(httpx2.URL(server.url).port))


def _elided(documented: Any, actual: Any) -> Any:
    """`actual` with `…` wherever the document has it."""
    match documented, actual:
        case "…", _:
            return "…"
        case dict(), dict():
            return {name: _elided(documented.get(name), value) for name, value in actual.items()}
        case list(), list() if len(documented) == len(actual):
            return [_elided(*pair) for pair in zip(documented, actual, strict=True)]
        case _:
            return actual


def _assert_same(name: str, documented: str, actual: str, renamed: dict[str, str]) -> None:
    """The same text but for ids, times and such; ids correspond one to one throughout `renamed`."""
    for written, made in zip(_ID.findall(documented), _ID.findall(actual), strict=False):
        assert renamed.setdefault(written, made) == made, f"{name}: {written}"
    assert len(set(renamed.values())) == len(renamed), f"{name}: one id has two names"
    documented = _ID.sub(lambda match: renamed.get(match[0], match[0]), documented)

    assert _plain(actual) == _plain(documented), name


def _plain(text: str) -> str:
    text = re.sub(r'("(?:duration_us|started_at)"): [\d.]+', r"\1: …", text)
    return _VOLATILE.sub("…", text)
