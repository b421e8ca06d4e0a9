"""The ids that the server makes: their form, and that no two are the same."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.wire import ids
from tests.ids import FORM, milliseconds

USED_UP = 62**4 - 62**2
"""Numbers of a series that share their first six characters."""

numbers = st.one_of(st.integers(0, 62**8), st.integers(USED_UP - 3, USED_UP + 3), st.integers(0, 3))
moments = st.floats(0, 7_258_118_400)


@given(st.integers(0, 62**6 - 1), numbers, numbers, moments, moments)
def test_ids_of_a_series_never_meet_whatever_the_clock_says(
    beginning: int, one: int, other: int, then: float, now: float
) -> None:
    series = ids.IdSeries(beginning)

    assert (series.id(one, then) == series.id(other, now)) is (
        one == other and series.id(0, then) == series.id(0, now)
    )


@given(st.integers(0, 62**6 - 1), numbers, st.integers(0, 3_500_000_000_000))
def test_an_id_is_made_of_six_characters_the_time_and_a_counter(
    beginning: int, number: int, moment: int
) -> None:
    id = ids.IdSeries(beginning).id(number, moment / 1000, "ev_")

    assert re.fullmatch(f"ev_{FORM}", id)
    assert abs(milliseconds(id.removeprefix("ev_")) - moment) <= 1


def test_the_form_is_the_recorded_one() -> None:
    """`VMyUhHQ` is the time of a recorded id of the real service."""
    id = ids.IdSeries(0).id(0, 1781856121.780)

    assert (id[:6], id[6:13], id[13:]) == ("000000", "VMyUhHQ", "100")


def test_when_the_counter_is_used_up_the_six_characters_change() -> None:
    series = ids.IdSeries(62**6 - 1)

    assert [series.id(number, 0) for number in (USED_UP - 1, USED_UP)] == [
        "zzzzzz0000000zzzz",
        "0000000000000100",
    ]


@given(st.text(min_size=1, max_size=100, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_seed_gives_the_same_ids_each_time(seed: str) -> None:
    again = ids.IdSeries(ids.seeded(seed)._beginning)

    assert ids.seeded(seed).id(5, 1_700_000_000) == again.id(5, 1_700_000_000)
    assert ids.seeded(seed).id(0, 0)[:6] != ids.seeded(f"{seed}!").id(0, 0)[:6]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_a_process_that_is_forked_off_begins_its_ids_anew() -> None:
    program = (
        "import os; from mock_server.wire.ids import new_id; new_id(0)\n"
        "if child := os.fork(): os.waitpid(child, 0)\n"
        "os.write(1, f'{new_id(0)}\\n'.encode())"
    )

    made = subprocess.check_output([sys.executable, "-c", program], text=True).split()

    assert len({id[:6] for id in made}) == len(made) == 2
