"""What is printed to a terminal: a stranger's text is shown, and does nothing."""

from __future__ import annotations

import logging
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.log import LINES, _Line, printable, request_line

TURNED = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\r\nb\tc", r"a\x0d\x0ab\x09c"),
        ("a\x7fb\x9bc", r"a\x7fb\x9bc"),
        ("a\u202eb\u2028c", r"a\u202eb\u2028c"),
        ("half \ud800", r"half \ud800"),
        ("Ærø, 東京, עברית, 👩\u200d💻, \\x1b", "Ærø, 東京, עברית, 👩\u200d💻, \\x1b"),
    ],
)
def test_what_a_terminal_would_act_upon_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_text_of_several_lines_keeps_them() -> None:
    assert printable("a\n\tb\x1b\r", keep=LINES) == "a\n\tb\\x1b\\x0d"


@given(st.text(st.characters(exclude_categories=()), max_size=50))
@example("".join(map(chr, range(0xA0))))
@example(TURNED)
def test_no_text_is_more_than_a_line_or_turns_one(text: str) -> None:
    shown = printable(text)

    assert len(shown.splitlines()) <= 1
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(one) for one in shown}
    assert not set(TURNED) & set(shown)
    shown.encode()


def test_a_line_of_a_request_is_one_line() -> None:
    remark = "parameter a\n12:00:00 DELETE / 200 is not used; ignored"

    line = request_line("GET", "/api/v1/\x9b2J", 404, 1000, [remark])

    assert line == (
        r"GET /api/v1/\x9b2J 404 1.0 ms; parameter a\x0a12:00:00 DELETE / 200 is not used; ignored"
    )


def test_a_traceback_cannot_pass_for_a_line_of_the_log() -> None:
    try:
        raise ValueError("bad\n12:00:00 all is well\x1b[0m")
    except ValueError:
        failure = sys.exc_info()
    record = logging.LogRecord("x", logging.ERROR, "", 0, "request %s\n failed", ("1",), failure)

    first, *others = _Line(coloured=False).format(record).split("\n")

    assert first.endswith(r"request 1\x0a failed")
    assert all(line.startswith("  ") for line in others)
    assert others[-1] == r"  12:00:00 all is well\x1b[0m"
