"""The form of Chargebee's ids, as recorded, and the time that they hold."""

from __future__ import annotations

import string
from typing import Final

FORM: Final = "[0-9A-Za-z]{14,17}"
"""Six characters, seven that hold the time, and a counter of up to four."""

_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase


def milliseconds(id: str) -> int:
    """When the id, given without its prefix, was made: in milliseconds since 1970."""
    moment = 0
    for digit in id[6:13]:
        moment = 62 * moment + _DIGITS.index(digit)
    return moment
