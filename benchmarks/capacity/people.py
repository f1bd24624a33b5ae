"""A database with users who are members of projects. It is created for each run."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from benchmarks.capacity.tokens import numbered
from benchmarks.dataset import plain
from persistence.database import Database
from persistence.migrations import upgrade
from persistence.models import membership_id

MANAGER: Final = 1
_ROWS: Final = Path(__file__).with_name("people.sql").read_text(encoding="utf-8")
_COLUMNS: Final = ("id", "project_id", "user_id", "role", "created_at")


@dataclass(slots=True)
class People:
    """The numbers of users, and the members of each project; the manager is in all of them."""

    users: set[int] = field(default_factory=lambda: {MANAGER})
    members: dict[int, set[int]] = field(default_factory=dict)

    def join(self, project: int, users: Iterable[int]) -> None:
        """Add members to a project."""
        found = set(users)
        self.users |= found
        self.members.setdefault(project, set()).update(found - {MANAGER})


async def database_with(server_url: str, name: str, people: People) -> str:
    """The URL of a new database with these people on the server of *server_url*; an earlier one is dropped."""
    url = f"{server_url.rpartition('/')[0]}/{name}"
    connection = await asyncpg.connect(plain(server_url))
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    database = Database(url)
    await upgrade(database.engine)
    await database.close()
    rows = _ROWS.replace("USERS", _array(people.users)).replace("PROJECTS", _array(people.members))
    connection = await asyncpg.connect(plain(url))
    try:
        await connection.execute(rows)
        await connection.copy_records_to_table("memberships", records=_memberships(people), columns=_COLUMNS)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return url


def _memberships(people: People) -> Iterable[tuple[UUID, UUID, UUID, str, datetime]]:
    now = datetime.now(UTC)
    for project, members in people.members.items():
        for user in [MANAGER, *sorted(members)]:
            ids = numbered(project), numbered(user)
            yield membership_id(*ids), *ids, "MANAGER" if user == MANAGER else "MEMBER", now


def _array(numbers: Iterable[int]) -> str:
    return ",".join(map(str, sorted(numbers)))
