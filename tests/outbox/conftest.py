"""Receivers for the tests of deliveries, each in a process and a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.receiver import Receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Callable[[str], Receiver]]:
    """Starts a receiver with these answers, which is stopped with the test."""
    started: list[Receiver] = []

    def start(answers: str = "200") -> Receiver:
        folder = tmp_path / f"receiver-{len(started)}"
        folder.mkdir()
        started.append(Receiver(folder, answers))
        return started[-1].start()

    yield start
    for one in started:
        one.stop()
