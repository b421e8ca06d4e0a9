"""Lists by key: the rows after a position, the latest first or the earliest.

The statements are SQLAlchemy's, built from the tables and compiled once each; a page costs the
same wherever it is. SQLAlchemy is imported with the first list, not at start.

A position has the row's `seq`, which other sites count up as well. On a site whose answers are to
be the same again, one with an id seed, it has the number of the row in its second instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from mock_server.store.rows import Row, Rows
from mock_server.wire.listing import Position

_JOURNAL: Final = "requests"
_NO_ROW: Final = 2**63 - 1
"""A `seq` that comes after all others."""


def page(
    rows: Rows,
    table: str,
    site: str | None,
    *,
    size: int,
    after: Position | None,
    filters: Mapping[str, object] | None = None,
    time: str = "created_at",
    earliest_first: bool = False,
    columns: tuple[str, ...] = (),
) -> tuple[list[Row], Position | None]:
    """At most `size` rows of a site's table, and the last one's position when more follow.

    Without a site they are those of all sites, in the order in which they were written.
    `filters` maps `column` or `column.after`, `column.from`, `column.until` to the value to
    compare with, or `column.like` to a pattern of `wildcard.fits`; None counts as no filter.
    `time` is the column that orders the list. Rows have all columns, or only `columns`, with
    `time` and `seq` among them.
    """
    wanted = {key: value for key, value in (filters or {}).items() if value is not None}
    order = ("seq",) if site is None else (time, "seq")
    statement, defaults = _compiled(
        table, columns, order, tuple(wanted), after is not None, earliest_first
    )
    values = defaults | {"size": size + 1}
    if site is not None:
        values["site"] = site
    values |= {_name(key): value for key, value in wanted.items()}
    repeatable = None
    if after is not None:
        repeatable = _repeatable(rows, table, site)
        seq = after.seq if repeatable is None else _seq(rows, table, repeatable, time, after)
        values |= {f"after_{time}": after.created_at, "after_seq": seq}
    found = rows.execute(statement, values)
    if len(found) <= size:
        return found, None
    if after is None:  # else it was asked already; a list of one page never needs it
        repeatable = _repeatable(rows, table, site)
    last = found[size - 1]
    number = last["seq"] if repeatable is None else _number(rows, table, repeatable, time, last)
    return found[:size], Position(last[time], number)


def _repeatable(rows: Rows, table: str, site: str | None) -> str | None:
    """The site where lists of the table are to be the same again; the journal's never are."""
    if site is None or table == _JOURNAL:
        return None
    kept = rows.find("sites", "id_seed", name=site)
    return site if kept is not None and kept["id_seed"] is not None else None


def _number(rows: Rows, table: str, site: str, time: str, row: Row) -> int:
    """How many rows of the row's second there are up to it."""
    statement = (
        f"SELECT count(*) AS number FROM {table} "
        f"WHERE site = :site AND {time} = :second AND seq <= :seq"
    )
    asked = {"site": site, "second": row[time], "seq": row["seq"]}
    number: int = rows.execute(statement, asked)[0]["number"]
    return number


def _seq(rows: Rows, table: str, site: str, time: str, position: Position) -> int:
    """The `seq` of the row that has this number in that second."""
    statement = (
        f"SELECT seq FROM {table} WHERE site = :site AND {time} = :second "
        f"ORDER BY seq LIMIT 1 OFFSET :before"
    )
    asked = {"site": site, "second": position.created_at, "before": position.seq - 1}
    found = rows.execute(statement, asked)
    return found[0]["seq"] if found else _NO_ROW


@lru_cache
def _compiled(
    table: str,
    shown: tuple[str, ...],
    order: tuple[str, ...],
    filters: tuple[str, ...],
    goes_on: bool,
    earliest_first: bool,
) -> tuple[str, dict[str, Any]]:
    """The statement's text, and its parameters with the values that they have already.

    `shown` are the columns that are wanted, none for all.
    `order` are the columns by which the list is ordered; by `seq` alone it is all sites'.
    """
    from sqlalchemy import bindparam, func, select, tuple_
    from sqlalchemy.dialects import sqlite
    from sqlmodel import SQLModel

    from mock_server.store import tables  # noqa: F401  (fills SQLModel.metadata)

    columns = SQLModel.metadata.tables[table].c
    statement = select(*(columns[name] for name in shown or columns.keys()))
    if order == ("seq",):
        discarded = SQLModel.metadata.tables["discarded"].c.data_key
        statement = statement.where(columns.site.not_in(select(discarded)))
    else:
        statement = statement.where(columns.site == bindparam("site"))
    for key in filters:
        name, _, comparison = key.partition(".")
        value: Any = bindparam(_name(key))
        column: Any = columns[name]
        match comparison:
            case "after":
                statement = statement.where(column > value)
            case "from":
                statement = statement.where(column >= value)
            case "until":
                statement = statement.where(column <= value)
            case "like":
                statement = statement.where(func.fits(value, column))
            case _:
                statement = statement.where(column == value)
    keys = [columns[name] for name in order]
    if goes_on:
        position = tuple_(*(bindparam(f"after_{name}") for name in order))
        place = tuple_(*keys)
        statement = statement.where(place > position if earliest_first else place < position)
    statement = statement.order_by(*(keys if earliest_first else [key.desc() for key in keys]))
    statement = statement.limit(bindparam("size"))
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    return str(compiled), dict(compiled.params)


def _name(key: str) -> str:
    return key.replace(".", "_")
