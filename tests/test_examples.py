"""The sample project's own tests, run as it would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "examples" / "shop"


def test_the_tests_of_the_shop_pass(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "pytest_chargebee_mock.plugin", "--verbose"]
    alone = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, "--rootdir", str(SHOP), "-c", os.devnull, "-p", "no:cacheprovider", str(SHOP)],
        cwd=tmp_path,
        env=os.environ | alone,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for story in ("three_times", "busy", "got_lost", "a_month", "is_shipped"):
        assert f"{story}" in done.stdout
