"""Locks of rows: the statement that reads and locks rows of one table.

Every transaction locks rows of several tables in the same order: a row before the rows that reference it. Two that lock
in different order could wait for each other.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from persistence.models.base import Base
from persistence.models.rows import row_factory


class RowLock(NamedTuple):
    """A row to lock. A shared lock lets others share it, and keeps the row as it is."""

    model: type[Base]
    id: UUID
    shared: bool = False


class LockStatement(NamedTuple):
    """The statement for the locks of one table; its parameter is the list of ids."""

    model: type[Base]
    text: str
    ids: list[UUID]


def lock_statements(locks: Iterable[RowLock], *, skip_locked: bool = False) -> list[LockStatement]:
    """The statements for these locks, in the order in which they must be executed.

    With *skip_locked* they do not wait: rows that another transaction has locked are not found.
    """
    ids: dict[tuple[type[Base], bool], set[UUID]] = {}
    for lock in locks:
        ids.setdefault((lock.model, lock.shared), set()).add(lock.id)
    in_order = sorted(ids, key=lambda key: (_place(key[0]), key[1]))
    return [
        LockStatement(model, _statement(model, shared, skip_locked), sorted(ids[model, shared]))
        for model, shared in in_order
    ]


def locked_rows(statement: LockStatement, found: Iterable[Sequence[Any]]) -> dict[UUID, Base]:
    """The rows that the statement has found, by id."""
    make = row_factory(statement.model)
    rows: list[Any] = [make(values) for values in found]
    return {row.id: row for row in rows}


@lru_cache(maxsize=100)
def _place(model: type[Base]) -> int:
    """The place of the table in the order of locks."""
    return [table.name for table in Base.metadata.sorted_tables].index(model.__tablename__)


@lru_cache(maxsize=100)
def _statement(model: type[Base], shared: bool, skip_locked: bool) -> str:
    # Not FOR UPDATE: it would block writes of rows that reference this row, and could deadlock with them.
    strength = "FOR SHARE" if shared else "FOR NO KEY UPDATE"
    columns = ", ".join(column.name for column in model.__table__.columns)
    wait = " SKIP LOCKED" if skip_locked else ""
    table = model.__tablename__
    return f"SELECT {columns} FROM {table} WHERE id = ANY($1::uuid[]) ORDER BY id {strength}{wait}"  # noqa: S608
