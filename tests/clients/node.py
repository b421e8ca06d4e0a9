"""Chargebee's official Node SDK that speaks v1: installed with npm, called from Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

SDK: Final = "chargebee@1.3.7"

_DRIVER: Final = """
const chargebee = require("chargebee");
const { configuration, call, parameters, headers } = JSON.parse(require("fs").readFileSync(0));
chargebee.configure(configuration);
const [resource, operation] = call.split(".");
chargebee[resource][operation](...parameters).headers(headers).request()
  .then((answer) => ({ answer }), (error) => ({ error }))
  .then((outcome) => console.log(JSON.stringify(outcome)));
"""


class NodeError(Exception):
    """What the SDK's promise was rejected with."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.error = error


@dataclass(frozen=True)
class Sdk:
    """The SDK in `packages`, pointed at the server of this port."""

    packages: Path
    port: int

    def call(
        self,
        call: str,
        *parameters: Any,
        headers: Mapping[str, str] | None = None,
        key: str = "test_key",
    ) -> Any:
        """What the call, such as `order.create`, resolves to; NodeError where it is rejected."""
        asked = {
            "configuration": {
                "api_key": key,
                "protocol": "http",
                "site": "127.0.0",
                "hostSuffix": ".1",
                "port": self.port,
            },
            "call": call,
            "parameters": parameters,
            "headers": dict(headers or {}),
        }
        outcome = json.loads(
            subprocess.run(
                ["node", "--no-deprecation", "-e", _DRIVER],
                cwd=self.packages,
                input=json.dumps(asked),
                stdout=subprocess.PIPE,
                text=True,
                timeout=60,
                check=True,
            ).stdout
        )
        if "error" in outcome:
            raise NodeError(outcome["error"])
        return outcome["answer"]


def skip_without_node() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not installed")


def install(folder: Path) -> None:
    """Install the SDK; AssertionError with npm's complaint, and no folder, where that fails."""
    folder.mkdir()
    installed = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", SDK],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if installed.returncode:
        shutil.rmtree(folder)
    assert installed.returncode == 0, installed.stderr
