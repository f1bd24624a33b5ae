"""Whether the database's tables are those of this code."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from persistence import migrations


class SchemaState(StrEnum):
    """How the tables are, seen from this code."""

    OK = "ok"
    BEHIND = "behind"
    NEWER = "newer"


PROBLEMS: Final = {
    SchemaState.BEHIND: migrations.problem(1),
    SchemaState.NEWER: migrations.problem(None),
}
"""What is wrong with them, and what to do."""


class SchemaCheck:
    """Asks until they are those of this code; a process that has started on them goes on when they become newer."""

    def __init__(self, connect: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> None:
        self._connect = connect
        self._are_current = False

    async def state(self) -> SchemaState:
        """How they are; whatever cannot be found out counts as behind."""
        if self._are_current:
            return SchemaState.OK
        try:
            async with self._connect() as connection:
                lacking = await migrations.pending(connection)
        except Exception:
            return SchemaState.BEHIND
        self._are_current = lacking == 0
        return SchemaState.NEWER if lacking is None else SchemaState.BEHIND if lacking else SchemaState.OK
