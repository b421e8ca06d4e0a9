"""The package as a project gets it: its wheel, with the lowest versions that it says it takes.

`python -m scripts.lowest_versions` builds the wheel, installs it into a virtual environment of its
own, with pytest 7.0, and runs there some of our tests and those of an empty project beside them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent

_OF_OLD_FASTAPI: Final = "ignore:The 'validate_default' attribute with value True"
"""What pydantic, of which FastAPI takes the newest, warns of in the oldest FastAPI."""
_TEST_TOOLS: Final = (
    "pytest==7.0.0",
    "pluggy==1.0.0",
    "pytest-xdist==3.3.1",
    "aiosmtpd",
    "hypothesis",
)
_TESTS: Final = (
    "tests/api/test_orders.py",
    "tests/outbox/test_mail.py::test_an_email_arrives_as_it_was_recorded",
    "tests/sandbox/test_docs.py",
    "tests/sandbox/test_export.py",
    "tests/store/test_schema.py",
    "tests/test_tls.py::test_the_ready_line_is_followed_by_what_to_trust",
    "tests/testing/test_project.py",
    "tests/testing/test_site.py",
    "tests/wire/test_bodies.py",
    "tests/wire/test_headers.py",
)
"""What each of the dependencies has a part in."""

_EMPTY_PROJECT: Final = {
    "tests/mock_server.py": "def answer():\n    return 42\n",
    "tests/test_own.py": (
        "import mock_server\n\n\ndef test_own():\n    assert mock_server.answer() == 42\n"
    ),
}
_WITH_FIXTURES: Final = {
    "tests/test_fixtures.py": (
        "import mock_server\n\n\n"
        "def test_fixtures(chargebee_site, webhook_receiver):\n"
        "    order = chargebee_site.orders.create()\n"
        "    (webhook,) = webhook_receiver.wait_for(1)\n"
        "    assert webhook.event['content']['order'] == order\n"
        "    assert mock_server.answer() == 42\n"
    ),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = _install(folder)
        _pytest(python, ROOT, "--numprocesses", "2", "-W", _OF_OLD_FASTAPI, *_TESTS)
        project = folder / "project"
        _write(project, _EMPTY_PROJECT)
        _pytest(python, project)
        _write(project, _WITH_FIXTURES)
        _pytest(python, project)


def _install(folder: Path) -> Path:
    """The wheel and its lowest dependencies in an environment; its Python."""
    environment = folder / "environment"
    python = environment / "bin" / "python"
    lowest = folder / "lowest.txt"
    _uv("build", "--wheel", "--out-dir", str(folder))
    (wheel,) = folder.glob("*.whl")
    compiled = ("pip", "compile", "--resolution", "lowest-direct", "--python-version", "3.11")
    _uv(*compiled, "--no-header", "pyproject.toml", "--output-file", str(lowest))
    _uv("venv", "--python", sys.executable, str(environment))
    into = ("pip", "install", "--python", str(python))
    _uv(*into, "--requirement", str(lowest), *_TEST_TOOLS)
    _uv(*into, "--no-deps", str(wheel))
    return python


def _pytest(python: Path, folder: Path, *options: str) -> None:
    _run([str(python), "-m", "pytest", "-p", "no:cacheprovider", *options], folder)


def _uv(*arguments: str) -> None:
    _run([str(Path(sys.executable).parent / "uv"), "--quiet", *arguments], ROOT)


def _run(command: list[str], folder: Path) -> None:
    """Run it; ends the script where it fails, after what it said itself."""
    done = subprocess.run(command, cwd=folder, env=os.environ, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed")


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
