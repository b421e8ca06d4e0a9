"""The program that a test's server runs: the command line of the `mock_server` beside this file.

A script that is run by its path, since many a project has a `mock_server` of its own to import.
"""

from __future__ import annotations

import sys
from pathlib import Path


def ours_first(path: list[str], ours: str) -> list[str]:
    """The search path, with the folders that have another `mock_server` behind ours."""
    place = path.index(ours) if ours in path else len(path)
    before, after = path[:place], path[place + 1 :]
    rivals = [
        folder
        for folder in before
        if Path(folder, "mock_server").is_dir() or Path(folder, "mock_server.py").is_file()
    ]
    return [*(folder for folder in before if folder not in rivals), ours, *rivals, *after]


if __name__ == "__main__":
    sys.path[:] = ours_first(sys.path, str(Path(__file__).absolute().parents[1]))

    from mock_server.cli import main

    main(prog_name="chargebee-mock")
