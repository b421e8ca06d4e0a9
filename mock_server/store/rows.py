"""Rows of the tables by their columns: the lane of single-row statements.

Each statement is one text per shape, compiled once by the driver; no ORM stands in the way of a
write. Lists are `paging`'s.

A column or parameter called `site` takes a site's name. Its rows are kept under the site's data key
(`store/data_keys`), which stands in the name's place here, so that nobody else needs to know of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from pydantic_core import from_json

from mock_server.wire import errors
from mock_server.wire.errors import ApiError

Row: TypeAlias = dict[str, Any]

Result = TypeVar("Result")
_Value = TypeVar("_Value")


def read_json(text: str, kind: type[_Value]) -> _Value:
    """The value of a column that holds JSON of that kind; ApiError 503 where it does not."""
    try:
        value = from_json(text)
    except (ValueError, TypeError):
        value = None
    if not isinstance(value, kind):
        raise errors.damaged()
    return value


class TakenError(Exception):
    """A row with this key exists already."""


class Rows:
    """The rows of the transaction that `Database.write` or `Database.read` opened."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._data_keys: dict[str, str] = {}
        self.noticed: set[str] = set()

    def notify(self, channel: str) -> None:
        """Wake whoever listens to the channel (`Database.listen`) once this is committed."""
        self.noticed.add(channel)

    def data_key(self, site: str) -> str:
        """What the rows of the site of that name are kept under; what names no site is itself."""
        known = self._data_keys.get(site)
        if known is not None:
            return known
        statement = "SELECT data_key FROM sites WHERE name = ?"
        row = self._connection.execute(statement, (site,)).fetchone()
        if row is None:
            return site
        key: str = row[0]
        self._data_keys[site] = key
        return key

    def forget_data_keys(self) -> None:
        """Look data keys up anew: another transaction begins, or this one has changed them."""
        self._data_keys.clear()

    def attempt(self, work: Callable[[Rows], Result]) -> Result:
        """The result of `work`; where it raises an ApiError, what it has written is undone."""
        self._connection.execute("SAVEPOINT attempt")
        try:
            result = work(self)
        except ApiError:
            self._connection.execute("ROLLBACK TO attempt")
            self._connection.execute("RELEASE attempt")
            self.forget_data_keys()
            raise
        self._connection.execute("RELEASE attempt")
        return result

    def insert(self, table: str, row: Mapping[str, object]) -> None:
        """Add a row; TakenError where its key is not free."""
        try:
            self._connection.execute(_insert(table, tuple(row)), self._values(row))
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode in _NOT_UNIQUE:
                raise TakenError(table) from None
            raise

    def insert_all(self, table: str, rows: list[Row]) -> None:
        """Add rows that all have the same columns."""
        if rows:
            self._connection.executemany(
                _insert(table, tuple(rows[0])), [self._values(row) for row in rows]
            )

    def replace(self, table: str, row: Mapping[str, object]) -> None:
        """Add a row in the place of the one with its key, if there is one."""
        statement = _insert(table, tuple(row)).replace("INSERT", "INSERT OR REPLACE", 1)
        self._connection.execute(statement, self._values(row))

    def insert_values(
        self, table: str, columns: Sequence[str], data_key: str, values: Iterable[Sequence[object]]
    ) -> None:
        """Add rows under a data key, each given by the values of these columns."""
        self.add_values(table, ("site", *columns), ((data_key, *given) for given in values))

    def add_values(
        self, table: str, columns: Sequence[str], values: Iterable[Sequence[object]]
    ) -> None:
        """Add rows, each given by the values of these columns; no site's name is looked up."""
        self._connection.executemany(_insert(table, tuple(columns)), values)

    def replace_all(
        self, table: str, site: str, columns: tuple[str, ...], rows: Iterable[Row]
    ) -> None:
        """Add rows of the site as `replace` does; a column that a row lacks is NULL."""
        statement = _insert(table, ("site", *columns)).replace("INSERT", "INSERT OR REPLACE", 1)
        data_key = self.data_key(site)
        values = ((data_key, *map(row.get, columns)) for row in rows)
        self._connection.executemany(statement, values)

    def find(self, table: str, *columns: str, **where: object) -> Row | None:
        """The one row where these columns have these values; all of it, or only `columns`."""
        statement = _select(table, columns, tuple(where))
        cursor = self._connection.execute(statement, self._values(where))
        try:
            values = cursor.fetchone()
            return None if values is None else dict(zip(_columns(cursor), values, strict=True))
        finally:
            cursor.close()  # a statement that is not over would hold up the next transaction

    def all(self, table: str, *columns: str, **where: object) -> list[Row]:
        """Every row whose columns have these values, in the order of their creation."""
        statement = _select(table, columns, tuple(where)) + " ORDER BY seq"
        return _fetched(self._connection.execute(statement, self._values(where)))

    def all_of(self, table: str, site: str, column: str, values: Iterable[object]) -> list[Row]:
        """Every row of the site whose `column` has one of these values, in order of creation."""
        wanted = tuple(values)
        marks = ", ".join("?" * len(wanted))
        statement = f'SELECT * FROM {table} WHERE site = ? AND "{column}" IN ({marks}) ORDER BY seq'
        return _fetched(self._connection.execute(statement, (self.data_key(site), *wanted)))

    def update(self, table: str, changes: Mapping[str, object], **where: object) -> None:
        """Change the rows whose columns have these values."""
        self._connection.execute(
            _update(table, tuple(changes), tuple(where)),
            (*changes.values(), *self._values(where)),
        )

    def delete(self, table: str, **where: object) -> int:
        """Remove the rows whose columns have these values; how many there were."""
        statement = f"DELETE FROM {table} WHERE {_condition(tuple(where))}"
        return self._connection.execute(statement, self._values(where)).rowcount

    def execute(self, statement: str, parameters: Mapping[str, object]) -> list[Row]:
        """A statement of the store's own, with named parameters."""
        if "site" in parameters:
            parameters = {**parameters, "site": self.data_key(str(parameters["site"]))}
        return _fetched(self._connection.execute(statement, parameters))

    def values(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a statement of the store's own finds, without the names of its columns."""
        cursor = self._connection.execute(statement, parameters)
        try:
            return cursor.fetchall()
        finally:
            cursor.close()

    def copy_into(self, file: str) -> None:
        """Copy the whole database into an empty file, without its empty pages."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")  # it sees one state by itself
        self._connection.execute("VACUUM INTO ?", (file,))

    def _values(self, row: Mapping[str, object]) -> tuple[object, ...]:
        if "site" in row:
            row = {**row, "site": self.data_key(str(row["site"]))}
        return tuple(row.values())


_NOT_UNIQUE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


@lru_cache
def _insert(table: str, columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({_names(columns)}) VALUES ({marks})"


@lru_cache
def _select(table: str, columns: tuple[str, ...], where: tuple[str, ...]) -> str:
    return f"SELECT {_names(columns) or '*'} FROM {table} WHERE {_condition(where)}"


@lru_cache
def _update(table: str, changed: tuple[str, ...], columns: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{column}" = ?' for column in changed)
    return f"UPDATE {table} SET {changes} WHERE {_condition(columns)}"


def _fetched(cursor: sqlite3.Cursor) -> list[Row]:
    try:
        found = cursor.fetchall()
        if not found:
            return []
        columns = _columns(cursor)
        return [dict(zip(columns, values, strict=True)) for values in found]
    finally:
        cursor.close()  # a statement that is not over would hold up the next transaction


def _columns(cursor: sqlite3.Cursor) -> list[str]:
    return [column[0] for column in cursor.description]


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _condition(columns: tuple[str, ...]) -> str:
    return " AND ".join(f'"{column}" = ?' for column in columns)
