"""The rows that a transaction inserts, updates and deletes; one statement writes them all, see `write_statement`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import asyncpg
import orjson
from sqlalchemy import ARRAY, Table
from sqlalchemy.dialects import postgresql

from persistence.errors import Duplicate, ReferenceLost, RowsChanged
from persistence.models.base import Base
from persistence.row_locks import RowLock, ids_in_order
from persistence.transaction import Transaction
from persistence.write_statement import Operation, Part, insert_new_statement, insertable, statement_of

_ALL_LOCKED: Final[Mapping[RowLock, int]] = MappingProxyType({})


class Written(NamedTuple):
    """A statement with its arguments."""

    text: str
    arguments: list[list[Any]]


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
        table = _table(row)
        rows = self.updated.setdefault(table, [])
        if not any(row is each for each in rows):
            rows.append(row)
        self.changed.setdefault(table, set()).update(columns)

    def delete(self, row: Base) -> None:
        """Delete a locked row; an earlier update of it is left out."""
        table = _table(row)
        others = [each for each in self.updated.pop(table, []) if each is not row]
        if others:
            self.updated[table] = others
        self.deleted.setdefault(table, []).append(row)

    def written(self, versions: Mapping[RowLock, int] = _ALL_LOCKED) -> Written:
        """The statement that locks the rows of *versions*, if they have these, and writes everything."""
        parts = list(self._parts())
        locked = ids_in_order(versions)
        arguments: list[list[Any]] = []
        for table, ids in locked.items():
            arguments += ids, [versions[RowLock(table.model, row_id, table.mode)] for row_id in ids]
        arguments += _arguments(parts)
        return Written(statement_of(tuple(locked), tuple([part for part, _ in parts])), arguments)

    def _parts(self) -> Iterable[tuple[Part, list[Base]]]:
        for table, rows in self.updated.items():
            changed = self.changed[table]
            yield Part(table, Operation.UPDATE, tuple([name for name in insertable(table) if name in changed])), rows
        for table, rows in self.deleted.items():
            yield Part(table, Operation.DELETE, ()), rows
        for table, rows in self.inserted.items():
            yield Part(table, Operation.INSERT, _given(table, rows)), rows


def merged(sets: Sequence[WriteSet]) -> WriteSet:
    """The rows of several write sets. They name different rows, or update the same object in turn."""
    if len(sets) == 1:
        return sets[0]
    result = WriteSet()
    for each in sets:
        _extend(result.inserted, each.inserted)
        _extend(result.updated, each.updated)
        _extend(result.deleted, each.deleted)
        for table, columns in each.changed.items():
            result.changed.setdefault(table, set()).update(columns)
    result.updated = {table: list({id(row): row for row in rows}.values()) for table, rows in result.updated.items()}
    return result


def _given(table: Table, rows: Sequence[Base]) -> tuple[str, ...]:
    """The columns that have a value in any of these rows."""
    stored = [row.__dict__ for row in rows]
    return tuple([name for name in insertable(table) if any(row.get(name) is not None for row in stored)])


def _extend(rows: dict[Table, list[Base]], others: Mapping[Table, list[Base]]) -> None:
    for table, more in others.items():
        rows.setdefault(table, []).extend(more)


async def send(transaction: Transaction, write_set: WriteSet, versions: Mapping[RowLock, int] = _ALL_LOCKED) -> None:
    """Write everything with one statement; without rows it does nothing.

    *versions* are those of the rows that were read and not locked; the statement locks them.

    Raises:
        RowsChanged: one of these has another version, or is locked by another transaction; or a row that is updated or
            deleted does not exist.
        Duplicate: a row violates a unique index.
        ReferenceLost: a row violates a foreign key.
    """
    if not write_set:
        return
    written = write_set.written(versions)
    try:
        await transaction.write(written.text, *written.arguments)
    except asyncpg.UniqueViolationError as error:
        raise Duplicate(error.constraint_name or "") from error
    except asyncpg.ForeignKeyViolationError as error:
        raise ReferenceLost(error.constraint_name or "") from error
    except asyncpg.DivisionByZeroError as error:
        raise RowsChanged("Rows that were to be written are locked, or are not as they were read.") from error


async def insert_new(transaction: Transaction, table: Any, rows: Sequence[Base]) -> Sequence[Any]:
    """Insert rows, except those whose key exists; returns the keys of the inserted rows.

    Raises:
        Duplicate: a row violates another unique index, or has the key of a deleted row.
        ReferenceLost: a row violates a foreign key.
    """
    part = Part(table, Operation.INSERT, insertable(table))
    try:
        return await transaction.write(insert_new_statement(part), *_arguments([(part, rows)]))
    except asyncpg.UniqueViolationError as error:
        raise Duplicate(error.constraint_name or "") from error
    except asyncpg.ForeignKeyViolationError as error:
        raise ReferenceLost(error.constraint_name or "") from error


def _arguments(parts: Iterable[tuple[Part, Sequence[Base]]]) -> Iterable[list[Any]]:
    for part, rows in parts:
        stored = [row.__dict__ for row in rows]
        for column in part.parameters:
            name, encode = column.key, _ENCODERS.get(type(column.type))
            values = [row.get(name) for row in stored]
            yield values if encode is None else [encode(value) for value in values]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _table(row: Base) -> Table:
    table: Table = row.__table__  # type: ignore[assignment]
    return table


def _array(value: Sequence[Any] | None) -> str | None:
    """The text of an array of ids, or of names without quotes, commas and braces."""
    return None if value is None else f"{{{','.join(map(str, value))}}}"


_ENCODERS: Final[Mapping[type[Any], Callable[[Any], Any]]] = {postgresql.JSONB: _json, ARRAY: _array}
