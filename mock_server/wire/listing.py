"""Lists in Chargebee's form: how many, from where, and where the next page begins."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from mock_server.wire import errors
from mock_server.wire.parameters import Integer, Parameters, number, text

MAX_OFFSET: Final = 1000
"""Characters of an `offset`."""

_OFFSET: Final = re.compile(r'\["([0-9]{1,15})","([0-9]{1,18})"\]')


class Position(NamedTuple):
    """A row's place in its list: second of creation and sequence number, the latest first.

    What the number counts is the store's affair (`store.paging`).
    """

    created_at: int
    seq: int


class Listing(Parameters):
    """Parameters of every list; a filter of one is an attribute of its own subclass."""

    limit: Integer | None = number(1, 100, default=10)
    offset: str | None = text(MAX_OFFSET)

    @property
    def size(self) -> int:
        return 10 if self.limit is None else self.limit

    def after(self) -> Position | None:
        """The last row of the page before; ApiError where `offset` is none of ours."""
        if self.offset is None:
            return None
        match = _OFFSET.fullmatch(self.offset.replace(" ", ""))
        if match is None:
            raise errors.wrong_format("offset")
        return Position(int(match[1]) // 1000, int(match[2]))


def next_offset(last: Position) -> str:
    """What to send as `offset` to go on after `last`: `["<milliseconds>","<sequence>"]`."""
    return json.dumps([str(last.created_at * 1000), str(last.seq)], separators=(",", ":"))
