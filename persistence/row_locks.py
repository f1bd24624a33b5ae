"""Locks of rows: the statements that read rows of one table, and lock them or note their versions.

Every transaction locks rows of several tables in the same order: a row before the rows that reference it. Two that lock
in different order could wait for each other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from persistence.models.base import Base
from persistence.models.rows import row_factory

Rows = dict[tuple[type[Base], UUID], Base]
"""Rows by model and id."""


class RowLock(NamedTuple):
    """A row to lock. A shared lock lets others share it, and keeps the row as it is."""

    model: type[Base]
    id: UUID
    shared: bool = False


class LockedTable(NamedTuple):
    """A table of which rows are locked, and how."""

    model: type[Base]
    shared: bool


class LockStatement(NamedTuple):
    """The statement for the locks of one table; its parameter is the list of ids."""

    table: LockedTable
    text: str
    ids: list[UUID]

    def rows(self, found: Iterable[Sequence[Any]]) -> Iterator[tuple[RowLock, Base, int]]:
        """The rows that the statement has found, each with its version (PostgreSQL's xmin)."""
        model, shared = self.table
        make = row_factory(model)
        for values in found:
            row: Any = make(values)
            yield RowLock(model, row.id, shared), row, values[-1]


def lock_statements(locks: Iterable[RowLock]) -> list[LockStatement]:
    """The statements that read and lock these rows, in the order in which they must be executed."""
    return _statements(locks, lock=True)


def read_statements(locks: Iterable[RowLock]) -> list[LockStatement]:
    """The statements that read these rows without locking them."""
    return _statements(locks, lock=False)


def _statements(locks: Iterable[RowLock], *, lock: bool) -> list[LockStatement]:
    return [LockStatement(table, _text(table, lock), ids) for table, ids in ids_in_order(locks).items()]


def ids_in_order(locks: Iterable[RowLock]) -> Mapping[LockedTable, list[UUID]]:
    """The ids by table, in the order in which they must be locked."""
    ids: dict[LockedTable, set[UUID]] = {}
    for model, row_id, shared in locks:
        ids.setdefault(LockedTable(model, shared), set()).add(row_id)
    return {table: sorted(ids[table]) for table in sorted(ids, key=_place)}


def strength(*, shared: bool) -> str:
    """The locking clause. Not FOR UPDATE: it would block, and could deadlock with, writes of referencing rows."""
    return "FOR SHARE" if shared else "FOR NO KEY UPDATE"


@lru_cache(maxsize=100)
def _place(table: LockedTable) -> tuple[int, bool]:
    """The place in the order of locks."""
    names = [each.name for each in Base.metadata.sorted_tables]
    return names.index(table.model.__tablename__), table.shared


@lru_cache(maxsize=100)
def _text(table: LockedTable, lock: bool) -> str:
    model, shared = table
    columns = ", ".join(column.name for column in model.__table__.columns)
    locking = f" ORDER BY id {strength(shared=shared)}" if lock else ""
    return f"SELECT {columns}, xmin FROM {model.__tablename__} WHERE id = ANY($1::uuid[]){locking}"  # noqa: S608
