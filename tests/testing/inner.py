"""pytest in a process and a folder of its own, with the plugin as a project has it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


class Project:
    """Files of a project, and its test runs; `files` are by their path in the folder."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        for name, text in {"pytest.ini": "[pytest]\nfilterwarnings = error\n", **files}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def command(self, *options: str) -> list[str]:
        loaded = ["-p", "pytest_chargebee_mock.plugin", "-p", "xdist"]
        return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *loaded, *options]

    def environment(self, **more: str) -> dict[str, str]:
        alone = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return os.environ | alone | more

    def start(self, *options: str) -> subprocess.Popen[str]:
        """A run that goes on by itself, in a process group of its own as in a terminal."""
        return subprocess.Popen(
            self.command(*options),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def run(
        self, *options: str, launcher: Sequence[str] = (), **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """A run, when it is done; `launcher` is a command that runs it."""
        return subprocess.run(
            [*launcher, *self.command(*options)],
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
