"""Locks of rows: the statements that read rows of one table, and lock them or note their versions.

Every transaction locks rows of several tables in the same order: a row before the rows that reference it. Two that lock
in different order could wait for each other. Rows that are not locked are read last.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from persistence.models.base import Base
from persistence.models.rows import row_factory

Rows = dict[tuple[type[Base], UUID], Base]
"""Rows by model and id."""


class LockMode(IntEnum):
    """How a row is kept from others until the commit."""

    EXCLUSIVE = 0
    """No other transaction can change the row or lock it."""
    IN_BATCH = 1
    """Like EXCLUSIVE, but members of one group commit change the row one after the other."""
    SHARED = 2
    """No other transaction can change the row. Others can lock it in this mode, too."""
    NONE = 3
    """The row is read and may be changed by others. Shared locks that never cease would block its changes for ever."""


class RowLock(NamedTuple):
    """A row that a decision reads."""

    model: type[Base]
    id: UUID
    mode: LockMode = LockMode.EXCLUSIVE


class LockedTable(NamedTuple):
    """A table of which rows are locked, and how."""

    model: type[Base]
    mode: LockMode


class LockStatement(NamedTuple):
    """The statement for the locks of one table; its parameter is the list of ids."""

    table: LockedTable
    text: str
    ids: list[UUID]

    def rows(self, found: Iterable[Sequence[Any]]) -> Iterator[tuple[RowLock, Base, int]]:
        """The rows that the statement has found, each with its version (PostgreSQL's xmin)."""
        model, mode = self.table
        make = row_factory(model)
        for values in found:
            row: Any = make(values)
            yield RowLock(model, row.id, mode), row, values[-1]


def lock_statements(locks: Iterable[RowLock]) -> list[LockStatement]:
    """The statements that read and lock these rows, in the order in which they must be executed.

    Outside a batch IN_BATCH means EXCLUSIVE, so that one statement locks all rows of a table in the order of their ids.
    """
    alone = [lock._replace(mode=LockMode.EXCLUSIVE) if lock.mode is LockMode.IN_BATCH else lock for lock in locks]
    return _statements(alone, lock=True)


def read_statements(locks: Iterable[RowLock]) -> list[LockStatement]:
    """The statements that read these rows without locking them."""
    return _statements(locks, lock=False)


def _statements(locks: Iterable[RowLock], *, lock: bool) -> list[LockStatement]:
    return [LockStatement(table, _text(table, lock), ids) for table, ids in ids_in_order(locks).items()]


def ids_in_order(locks: Iterable[RowLock]) -> Mapping[LockedTable, list[UUID]]:
    """The ids by table, in the order in which they must be locked."""
    ids: dict[LockedTable, set[UUID]] = {}
    for model, row_id, mode in locks:
        ids.setdefault(LockedTable(model, mode), set()).add(row_id)
    return {table: sorted(ids[table]) for table in sorted(ids, key=_place)}


def strength(mode: LockMode) -> str:
    """The locking clause. Not FOR UPDATE: it would block, and could deadlock with, writes of referencing rows."""
    return "FOR SHARE" if mode is LockMode.SHARED else "FOR NO KEY UPDATE"


@lru_cache(maxsize=100)
def _place(table: LockedTable) -> tuple[bool, int, LockMode]:
    """The place in the order of locks."""
    names = [each.name for each in Base.metadata.sorted_tables]
    return table.mode is LockMode.NONE, names.index(table.model.__tablename__), table.mode


@lru_cache(maxsize=100)
def _text(table: LockedTable, lock: bool) -> str:
    model, mode = table
    columns = ", ".join(column.name for column in model.__table__.columns)
    locking = f" ORDER BY id {strength(mode)}" if lock and mode is not LockMode.NONE else ""
    return f"SELECT {columns}, xmin FROM {model.__tablename__} WHERE id = ANY($1::uuid[]){locking}"  # noqa: S608
