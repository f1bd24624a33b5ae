"""Checks whether the database's tables are those of this version."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from persistence import migrations


class SchemaState(StrEnum):
    """The state of the tables, compared with this version."""

    OK = "ok"
    BEHIND = "behind"
    NEWER = "newer"


PROBLEMS: Final = {
    SchemaState.BEHIND: migrations.problem(1),
    SchemaState.NEWER: migrations.problem(None),
}
"""The problem of each state, and what to do."""


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
                missing = await migrations.pending(connection)
        except Exception:
            return SchemaState.BEHIND
        self._are_current = missing == 0
        return SchemaState.NEWER if missing is None else SchemaState.BEHIND if missing else SchemaState.OK
