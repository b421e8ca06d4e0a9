"""Patterns in which `*` stands for any characters, also for none; nothing else is special."""

from __future__ import annotations

from typing import Final

MAX_LENGTH: Final = 1000
"""Characters of a pattern."""


def fits(pattern: str, text: str) -> bool:
    """Whether the text as a whole is what the pattern stands for.

    Each piece between two stars is looked for once, after the one before: whatever the pattern,
    the text is walked through once and never again.
    """
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *pieces, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in pieces:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
