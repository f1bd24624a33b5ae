"""asyncpg asks each new connection about array types. Those of PostgreSQL itself are the same in every database."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, Final

import pytest
from asyncpg.connection import Connection

FIRST_OF_DATABASE: Final = 16_384
"""The first object identifier that is not PostgreSQL's own."""
_NO_STATEMENT: Final = SimpleNamespace(name="no statement was sent")
"""In place of the statement that has read the types. Its name says that it has replaced no prepared statement."""
READ: Final = Connection._introspect_types
"""What reads them, as it is in production."""


def remember(patch: pytest.MonkeyPatch) -> None:
    """Let this process read them once: tests open thousands of connections, and each answer takes milliseconds."""
    known: dict[frozenset[int], Any] = {}

    async def types(connection: Connection, identifiers: Iterable[int], seconds: float | None) -> tuple[Any, Any]:
        wanted = frozenset(identifiers)
        if wanted in known:
            return known[wanted], _NO_STATEMENT
        found, statement = await READ(connection, wanted, seconds)
        if max(wanted) < FIRST_OF_DATABASE:
            known[wanted] = found
        return found, statement

    patch.setattr(Connection, "_introspect_types", types)
