"""Checks whether the database's tables are those of this version.

The revisions are read from the files of the migrations. Alembic applies them, see `persistence.migrations`. A server
only checks them, and does not import Alembic, which takes 9 MB of memory in each process.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

import migrations

_REVISION: Final = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_HAS_VERSION: Final = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_VERSION: Final = text("SELECT version_num FROM alembic_version")


def problem(missing: int | None) -> str | None:
    """The problem with the tables if this number of migrations is missing, see `pending`; None if there is none."""
    if missing is None:
        return "The database's tables are newer than this version of Taskriver: install the newer version."
    return "The database's tables are older than this version: run `taskriver migrate`." if missing else None


class SchemaState(StrEnum):
    """The state of the tables, compared with this version."""

    OK = "ok"
    BEHIND = "behind"
    NEWER = "newer"


PROBLEMS: Final = {SchemaState.BEHIND: problem(1), SchemaState.NEWER: problem(None)}
"""The problem of each state, and what to do."""


@cache
def revisions() -> Sequence[str]:
    """The revisions of this version, in the order in which they are applied: that of the names of their files."""
    files = sorted((Path(migrations.__file__).parent / "versions").glob("*.py"))
    return [match[1] for file in files if (match := _REVISION.search(file.read_text(encoding="utf-8")))]


async def pending(connection: AsyncConnection) -> int | None:
    """The number of migrations to apply; None if the database has a migration that this version does not know."""
    applied = await connection.scalar(_VERSION) if await connection.scalar(_HAS_VERSION) else None
    if applied is None:
        return len(revisions())
    return len(revisions()) - 1 - revisions().index(applied) if applied in revisions() else None


async def is_current(connection: AsyncConnection) -> bool:
    """Whether all migrations of this version are applied."""
    return await pending(connection) == 0


class SchemaCheck:
    """Checks until the tables are current. A process that has started keeps running when they become newer."""

    def __init__(self, connect: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> None:
        self._connect = connect
        self._are_current = False

    async def state(self) -> SchemaState:
        """The current state; behind if it cannot be determined."""
        if self._are_current:
            return SchemaState.OK
        try:
            async with self._connect() as connection:
                missing = await pending(connection)
        except Exception:
            return SchemaState.BEHIND
        self._are_current = missing == 0
        return SchemaState.NEWER if missing is None else SchemaState.BEHIND if missing else SchemaState.OK
