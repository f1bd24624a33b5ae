"""The text of the statement that writes rows: each part of it is a data-modifying CTE that reads its rows from arrays.

So the text depends only on tables and columns, not on the number of rows. An update or a deletion names rows that are
locked: they exist, and no other transaction changes them. Either the transaction has locked them before, or the
statement does: then it first locks all rows that were read, if they still have the same version (PostgreSQL's xmin).

The statement fails with a division by zero, and writes nothing, if a row has another version or is locked by another
transaction, or if fewer rows are changed than it names. So an event is never stored without its change.
"""

from enum import StrEnum
from functools import lru_cache
from itertools import count
from typing import Any, Final, NamedTuple

from sqlalchemy import ARRAY, Column, DateTime, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from persistence.row_locks import LockedTable, strength

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
        return _parameters(self)


@lru_cache(maxsize=500)
def statement_of(locked: tuple[LockedTable, ...], parts: tuple[Part, ...]) -> str:
    """The text of the statement. Its parameters are arrays: ids and versions of each table to lock, then each part's.

    PostgreSQL executes all data-modifying CTEs, in no fixed order. So each part reads from `locks`, which fails unless
    all rows are locked: before that nothing is written, and no event has an id.
    """
    numbers = count(1)
    ctes: list[str] = []
    complete: list[str] = []
    for index, table in enumerate(locked):
        ids, versions = f"${next(numbers)}::uuid[]", f"${next(numbers)}::xid[]"
        ctes.append(f"lock{index} AS MATERIALIZED ({_lock(table, ids, versions)})")
        complete.append(_is_complete(f"lock{index}", ids))
    if locked:
        ctes.append(f"locks AS MATERIALIZED (SELECT {_one_if(complete)})")
        complete.clear()
    for index, part in enumerate(parts):
        arrays = [f"${next(numbers)}::{_parameter_type(column)}[]" for column in part.parameters]
        source = _given(part, arrays) + (", locks" if locked else "")
        ctes.append(f"part{index} AS ({_WRITERS[part.operation](part, source)} RETURNING 1)")
        complete.append(_is_complete(f"part{index}", arrays[0]))
    return f"WITH {', '.join(ctes)} SELECT {_one_if(complete)}"


def insert_new_statement(part: Part) -> str:
    """The text of a statement that inserts rows, except those whose key exists; its rows are the inserted keys."""
    arrays = [f"${number}::{_parameter_type(column)}[]" for number, column in enumerate(part.parameters, 1)]
    keys = ", ".join(column.name for column in part.table.primary_key.columns)
    return f"{_insert(part, _given(part, arrays))} ON CONFLICT ({keys}) DO NOTHING RETURNING {keys}"


@lru_cache(maxsize=100)
def insertable(table: Table) -> tuple[str, ...]:
    """The columns of an INSERT: all but generated ones."""
    return tuple(column.key for column in table.columns if column.identity is None)


@lru_cache(maxsize=500)
def _parameters(part: Part) -> list[Column[Any]]:
    key = [] if part.operation is Operation.INSERT else list(part.table.primary_key.columns)
    return [*key, *(part.table.c[name] for name in part.columns)]


def _is_complete(cte: str, array: str) -> str:
    return f"(SELECT count(*) FROM {cte}) = cardinality({array})"  # noqa: S608 - of the names above


def _one_if(conditions: list[str]) -> str:
    """An expression that divides by zero unless all conditions are true."""
    return f"1 / ({' AND '.join(conditions)})::int"


def _lock(locked: LockedTable, ids: str, versions: str) -> str:
    # A row that another transaction has locked is skipped: the others of a group commit must not wait for it. The
    # condition is evaluated for the version of the row that is locked, even if the snapshot has an older one.
    return (
        f"SELECT stored.id FROM {locked.model.__tablename__} AS stored"  # noqa: S608 - of the models
        f" JOIN unnest({ids}, {versions}) AS given(id, version)"
        " ON stored.id = given.id AND stored.xmin = given.version"
        f" ORDER BY stored.id {strength(locked.mode)} OF stored SKIP LOCKED"
    )


def _given(part: Part, arrays: list[str]) -> str:
    return f"unnest({', '.join(arrays)}) AS given({', '.join(column.name for column in part.parameters)})"


def _update(part: Part, source: str) -> str:
    changes = ", ".join(f"{name} = {_given_value(part.table.c[name])}" for name in part.columns)
    return f"UPDATE {part.table.name} AS stored SET {changes} FROM {source} WHERE {_same_key(part.table)}"  # noqa: S608


def _delete(part: Part, source: str) -> str:
    return f"DELETE FROM {part.table.name} AS stored USING {source} WHERE {_same_key(part.table)}"  # noqa: S608


def _insert(part: Part, source: str) -> str:
    values = {column.name: _value(column, part) for column in part.table.columns}
    given = {name: value for name, value in values.items() if value is not None}
    names = ", ".join(given)
    return f"INSERT INTO {part.table.name} ({names}) SELECT {', '.join(given.values())} FROM {source}"  # noqa: S608


def _value(column: Column[Any], part: Part) -> str | None:
    """The value of a new row's column; None for the default."""
    given = _given_value(column) if column.name in part.columns else None
    if isinstance(column.type, DateTime) and not column.nullable:
        return f"coalesce({given}, clock_timestamp())" if given else "clock_timestamp()"
    return given


def _given_value(column: Column[Any]) -> str:
    """The value of a column among the parameters."""
    value = f"given.{column.name}"
    return f"{value}::{_type(column)}" if isinstance(column.type, ARRAY) else value


def _parameter_type(column: Column[Any]) -> str:
    # unnest takes nested arrays apart, so an array is given as its text.
    return "TEXT" if isinstance(column.type, ARRAY) else _type(column)


def _same_key(table: Table) -> str:
    return " AND ".join(f"stored.{column.name} = given.{column.name}" for column in table.primary_key.columns)


def _type(column: Column[Any]) -> str:
    kind = column.type
    return f"{_without_length(kind.item_type)}[]" if isinstance(kind, ARRAY) else _without_length(kind)


def _without_length(kind: TypeEngine[Any]) -> str:
    # A cast to a type with a length would cut longer values off instead of refusing them.
    return str(kind.compile(dialect=_DIALECT)).partition("(")[0]


_WRITERS: Final = {Operation.UPDATE: _update, Operation.DELETE: _delete, Operation.INSERT: _insert}
