"""The pager, on whatever rows there are and however they arrive."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.store.database import Database, open_database
from mock_server.store.paging import page
from mock_server.store.rows import Rows
from mock_server.wire.listing import Position, next_offset, read_offset

SITE = "demo-test"
MOMENTS = st.integers(1_700_000_000, 1_700_000_004)
"""Few, so that many rows share a second."""


class Mailbox:
    """E-mails of one site and of its neighbour; `shown` are the ids that a walk has shown."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._made = 0
        self.ids: list[tuple[int, int]] = []
        self.shown: list[str] = []

    def add(self, moments: list[int]) -> None:
        """A row at each moment, and one of another site beside it."""

        def work(rows: Rows) -> None:
            for moment in moments:
                self._made += 1
                self.ids.append((moment, self._made))
                for site in (SITE, "other-test"):
                    rows.insert("emails", self._row(site, moment))

        asyncio.run(self._database.write(work))

    def _row(self, site: str, moment: int) -> dict[str, Any]:
        texts = dict.fromkeys(("event_id", "recipient", "subject", "body", "email_status"), "x")
        return {"site": site, "id": str(self._made), "created_at": moment} | texts

    def latest_first(self) -> list[str]:
        return [str(number) for _, number in sorted(self.ids, reverse=True)]

    def turn(self, size: int, after: Position | None) -> Position | None:
        """Show one page; where the next begins, as a client would send it back."""
        found, last = self._database.read(
            lambda rows: page(rows, "emails", SITE, size=size, after=after)
        )
        assert len(found) == size if last else len(found) <= size
        self.shown += [row["id"] for row in found]
        return read_offset(next_offset(last)) if last else None


@given(st.lists(MOMENTS, max_size=30), st.integers(1, 12))
@settings(deadline=None, max_examples=50)
def test_a_walk_shows_every_row_once_the_latest_first(moments: list[int], size: int) -> None:
    with closing(open_database(":memory:")) as database:
        mailbox = Mailbox(database)
        mailbox.add(moments)

        after = mailbox.turn(size, None)
        while after is not None:
            after = mailbox.turn(size, after)

        assert mailbox.shown == mailbox.latest_first()


def test_a_list_of_one_page_is_one_statement() -> None:
    with closing(open_database(":memory:")) as database:
        mailbox = Mailbox(database)
        mailbox.add([1_700_000_000])
        read: list[str] = []

        def work(rows: Rows) -> None:
            with patch.object(rows, "find", side_effect=lambda table, *_, **__: read.append(table)):
                page(rows, "emails", SITE, size=1, after=None)

        database.read(work)

        assert read == []


@given(st.lists(MOMENTS, max_size=20), st.data())
@settings(deadline=None, max_examples=50)
def test_a_walk_loses_and_repeats_no_row_while_rows_are_added(
    moments: list[int], data: st.DataObject
) -> None:
    with closing(open_database(":memory:")) as database:
        mailbox = Mailbox(database)
        mailbox.add(moments)
        at_the_start = mailbox.latest_first()

        after = mailbox.turn(data.draw(st.integers(1, 6)), None)
        while after is not None:
            mailbox.add(data.draw(st.lists(MOMENTS, max_size=3)))
            after = mailbox.turn(data.draw(st.integers(1, 6)), after)

        assert len(set(mailbox.shown)) == len(mailbox.shown)
        assert [id for id in mailbox.shown if id in at_the_start] == at_the_start
        assert mailbox.shown == [id for id in mailbox.latest_first() if id in mailbox.shown]


@given(st.integers(0, 253_402_300_799), st.integers(0, 2**53))
def test_an_offset_comes_back_as_the_position_that_it_was_made_of(
    created_at: int, seq: int
) -> None:
    position = Position(created_at, seq)

    assert read_offset(next_offset(position)) == position
