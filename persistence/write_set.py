"""The rows that a transaction inserts, updates and deletes, written by one statement.

Each part of the statement is a data-modifying CTE that reads its rows from arrays, so the text depends only on the
tables and columns, not on the number of rows. An update or a deletion names rows that the transaction has locked: they
exist, and no other transaction changes them. The statement fails if it changes fewer rows than it names.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

import asyncpg
import orjson
from sqlalchemy import Column, DateTime, Table
from sqlalchemy.dialects import postgresql

from persistence.errors import Duplicate
from persistence.models.base import Base
from persistence.transaction import Transaction

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


class Operation(StrEnum):
    """What is done with rows."""

    UPDATE = "UPDATE"
    DELETE = "DELETE"
    INSERT = "INSERT"


class Part(NamedTuple):
    """An operation on the rows of one table. `columns` are those that are written; a deletion writes none."""

    table: Table
    operation: Operation
    columns: tuple[str, ...]

    @property
    def parameters(self) -> list[Column[Any]]:
        """The columns whose values are parameters: the key, if the row exists already, and the written ones."""
        key = [] if self.operation is Operation.INSERT else list(self.table.primary_key.columns)
        return [*key, *(self.table.c[name] for name in self.columns)]


class Written(NamedTuple):
    """A statement with its arguments, and the number of rows that it must change."""

    text: str
    arguments: list[list[Any]]
    rows: int


@dataclass(slots=True)
class WriteSet:
    """Rows by operation; a row is updated with the columns that any row of its table changes."""

    inserted: dict[Table, list[Base]] = field(default_factory=dict)
    updated: dict[Table, list[Base]] = field(default_factory=dict)
    deleted: dict[Table, list[Base]] = field(default_factory=dict)
    changed: dict[Table, set[str]] = field(default_factory=dict)
    """The columns that are updated."""

    def __bool__(self) -> bool:
        return bool(self.inserted or self.updated or self.deleted)

    def insert(self, row: Base) -> None:
        """Insert a row. A time that is None becomes the time of the database's clock."""
        self.inserted.setdefault(_table(row), []).append(row)

    def update(self, row: Base, columns: Iterable[str]) -> None:
        """Update these columns of a locked row."""
        rows = self.updated.setdefault(_table(row), [])
        if not any(row is each for each in rows):
            rows.append(row)
        self.changed.setdefault(_table(row), set()).update(columns)

    def delete(self, row: Base) -> None:
        """Delete a locked row; an earlier update of it is left out."""
        table = _table(row)
        others = [each for each in self.updated.pop(table, []) if each is not row]
        if others:
            self.updated[table] = others
        self.deleted.setdefault(table, []).append(row)

    def written(self) -> Written:
        """The statement that writes everything."""
        parts = list(self._parts())
        text = statement_of(tuple(part for part, _ in parts))
        return Written(text, list(_arguments(parts)), sum(len(rows) for _, rows in parts))

    def _parts(self) -> Iterable[tuple[Part, list[Base]]]:
        for table, rows in self.updated.items():
            columns = tuple(column.key for column in table.columns if column.key in self.changed[table])
            yield Part(table, Operation.UPDATE, columns), rows
        for table, rows in self.deleted.items():
            yield Part(table, Operation.DELETE, ()), rows
        for table, rows in self.inserted.items():
            yield Part(table, Operation.INSERT, insertable(table)), rows


def merged(sets: Iterable[WriteSet]) -> WriteSet:
    """The rows of several write sets that name different rows."""
    result = WriteSet()
    for each in sets:
        for mine, others in (
            (result.inserted, each.inserted),
            (result.updated, each.updated),
            (result.deleted, each.deleted),
        ):
            for table, rows in others.items():
                mine.setdefault(table, []).extend(rows)
        for table, columns in each.changed.items():
            result.changed.setdefault(table, set()).update(columns)
    return result


async def send(transaction: Transaction, write_set: WriteSet) -> None:
    """Write everything with one statement; without rows it does nothing.

    Raises:
        Duplicate: a row violates a unique index.
        RuntimeError: a row that is updated or deleted is not there; locked rows are.
    """
    if not write_set:
        return
    written = write_set.written()
    try:
        changed = await transaction.value(written.text, *written.arguments)
    except asyncpg.UniqueViolationError as error:
        raise Duplicate(error.constraint_name or "") from error
    if changed != written.rows:
        raise RuntimeError(f"{written.rows} rows had to be written, and {changed} were")


async def insert_new(transaction: Transaction, table: Any, rows: Sequence[Base]) -> Sequence[Any]:
    """Insert rows, except those whose key exists; returns the keys of the inserted rows."""
    part = Part(table, Operation.INSERT, insertable(table))
    keys = ", ".join(column.name for column in table.primary_key.columns)
    text = f"{_insert(part, _given(part, 1))} ON CONFLICT ({keys}) DO NOTHING RETURNING {keys}"
    return await transaction.fetch(text, *_arguments([(part, rows)]))


@lru_cache(maxsize=500)
def statement_of(parts: tuple[Part, ...]) -> str:
    """The text of the statement; its result is the number of rows that it has changed."""
    ctes, counts, number = [], [], 1
    for index, part in enumerate(parts):
        ctes.append(f"part{index} AS ({_WRITERS[part.operation](part, _given(part, number))} RETURNING 1)")
        number += len(part.parameters)
        counts.append(f"(SELECT count(*) FROM part{index})")  # noqa: S608
    return f"WITH {', '.join(ctes)} SELECT {' + '.join(counts)} AS rows"


@lru_cache(maxsize=100)
def insertable(table: Table) -> tuple[str, ...]:
    """The columns of an INSERT: all but generated ones."""
    return tuple(column.key for column in table.columns if column.identity is None)


def _arguments(parts: Iterable[tuple[Part, Sequence[Base]]]) -> Iterable[list[Any]]:
    for part, rows in parts:
        for column in part.parameters:
            name, encode = column.key, _ENCODERS.get(type(column.type))
            values = [row.__dict__.get(name) for row in rows]
            yield values if encode is None else [encode(value) for value in values]


def _given(part: Part, number: int) -> str:
    """The rows of the parameters from this number on."""
    columns = part.parameters
    arrays = ", ".join(f"${number + place}::{_type(column)}[]" for place, column in enumerate(columns))
    return f"unnest({arrays}) AS given({', '.join(column.name for column in columns)})"


def _update(part: Part, given: str) -> str:
    changes = ", ".join(f"{name} = given.{name}" for name in part.columns)
    return f"UPDATE {part.table.name} AS stored SET {changes} FROM {given} WHERE {_same_key(part.table)}"  # noqa: S608


def _delete(part: Part, given: str) -> str:
    return f"DELETE FROM {part.table.name} AS stored USING {given} WHERE {_same_key(part.table)}"  # noqa: S608


def _insert(part: Part, given: str) -> str:
    names = ", ".join(part.columns)
    values = ", ".join(_value(part.table.c[name]) for name in part.columns)
    return f"INSERT INTO {part.table.name} ({names}) SELECT {values} FROM {given}"  # noqa: S608 - of the models


def _value(column: Column[Any]) -> str:
    if isinstance(column.type, DateTime) and not column.nullable:
        return f"coalesce(given.{column.name}, clock_timestamp())"
    return f"given.{column.name}"


def _same_key(table: Table) -> str:
    return " AND ".join(f"stored.{column.name} = given.{column.name}" for column in table.primary_key.columns)


def _type(column: Column[Any]) -> str:
    # A cast to a type with a length would cut longer values off instead of refusing them.
    return str(column.type.compile(dialect=_DIALECT)).partition("(")[0]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _table(row: Base) -> Table:
    table: Table = row.__table__  # type: ignore[assignment]
    return table


_ENCODERS: Final[Mapping[type[Any], Callable[[Any], Any]]] = {postgresql.JSONB: _json}
_WRITERS: Final = {Operation.UPDATE: _update, Operation.DELETE: _delete, Operation.INSERT: _insert}
