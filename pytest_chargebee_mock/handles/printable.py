"""Text of strangers, as it may be shown in a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """One line, with every character that a terminal would act upon escaped, as `\\x1b`."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
