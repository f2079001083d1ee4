"""Many rows into a table at once, written whole: values converted column by column, one statement for all rows.

SQLAlchemy's own way converts value by value, which takes three times as long as the database does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from backlint.sync.tables import UNSTORABLE, Instant, Words

Convert = Callable[[tuple[Any, ...]], Iterable[Any]]  # a column's values -> what the driver takes
COPY_FROM = 500  # rows from which PostgreSQL takes COPY, which is twice as quick there


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows that are not there yet, all with the same columns; every column that may not be null must be among them."""
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name != "postgresql":
        _execute(connection, _insert_text(table, names), table, names, rows)
    elif len(rows) >= COPY_FROM:
        _copy(connection, table, names, rows)
    else:
        connection.execute(table.insert(), list(rows))


def replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """As `insert`; where the primary key exists, every other column is replaced. SQLite only."""
    if rows:
        names = tuple(rows[0])
        _execute(connection, _insert_text(table, names) + _replacing(table, names), table, names, rows)


def _execute(
    connection: Connection, text: str, table: Table, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> None:
    connection.exec_driver_sql(text, _converted(table, names, rows))


def _converted(table: Table, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    columns = zip(*(row.values() for row in rows), strict=True)
    converts = [_CONVERTS.get(type(table.c[name].type)) for name in names]
    done = [column if convert is None else convert(column) for column, convert in zip(columns, converts, strict=True)]
    return list(zip(*done, strict=True))


def _words(values: tuple[Any, ...]) -> list[Any]:
    return [
        value if value is None or (value.isascii() and "\0" not in value) else UNSTORABLE.sub("\ufffd", value)
        for value in values
    ]


def _instants(values: tuple[Any, ...]) -> list[Any]:
    return [None if value is None else _instant(value) for value in values]


def _instant(value: datetime) -> str:
    """As SQLAlchemy keeps times in SQLite."""
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        value = value.astimezone(UTC)
    return value.isoformat(" ", "microseconds")[:26]


def _json(values: tuple[Any, ...]) -> list[Any]:
    return [json.dumps(value) if value else "{}" if isinstance(value, dict) else "[]" for value in values]


def _days(values: tuple[date | None, ...]) -> list[str | None]:
    return [None if value is None else value.isoformat() for value in values]


_CONVERTS: Mapping[type, Convert] = {Words: _words, Instant: _instants, sa.JSON: _json, sa.Date: _days}


@cache
def _insert_text(table: Table, names: tuple[str, ...]) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return f'INSERT INTO "{table.name}" ({listed}) VALUES ({", ".join("?" * len(names))})'  # noqa: S608 - our own names


@cache
def _replacing(table: Table, names: tuple[str, ...]) -> str:
    key = [column.name for column in table.primary_key]
    others = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in key)
    listed = ", ".join(f'"{name}"' for name in key)
    return f" ON CONFLICT ({listed}) DO " + (f"UPDATE SET {others}" if others else "NOTHING")


def _copy(connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> None:
    convert = [table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for name in names]
    driver: Any = connection.connection.driver_connection
    quoted = ", ".join(f'"{name}"' for name in names)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({quoted}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([to(row[name]) if to else row[name] for name, to in zip(names, convert, strict=True)])
