"""Pages of lists in Chargebee's form: from where they go on."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from mock_server.wire import errors

MAX_OFFSET: Final = 1000
"""Characters of an `offset`."""

_OFFSET: Final = re.compile(r'\["([0-9]{1,15})","([0-9]{1,18})"\]')


class Position(NamedTuple):
    """A row's place in its list: second of creation and sequence number, the latest first.

    What the number counts is the store's affair (`store.paging`).
    """

    created_at: int
    seq: int


def read_offset(offset: str | None) -> Position | None:
    """The last row of the page before; ApiError where `offset` is none of ours."""
    if offset is None:
        return None
    match = _OFFSET.fullmatch(offset.replace(" ", ""))
    if match is None:
        raise errors.wrong_format("offset")
    return Position(int(match[1]) // 1000, int(match[2]))


def next_offset(last: Position) -> str:
    """What to send as `offset` to go on after `last`: `["<milliseconds>","<sequence>"]`."""
    return json.dumps([str(last.created_at * 1000), str(last.seq)], separators=(",", ":"))
