"""What belongs to a user: which rows are removed when the user is deleted, and which stay, and why.

Rows of a table with a foreign key to `users` that has `ON DELETE CASCADE` belong to the user alone and are removed. The
row of the user stays, without a name, because tasks, comments and events refer to it. Every other column with the id of
a user is listed here; `tests/project_rules/test_user_data.py` compares the lists with all tables.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from persistence.models import Base

REMOVED_WITHOUT_KEY: Final[frozenset[str]] = frozenset({"idempotency_keys.actor_id"})
"""Columns without a foreign key whose rows are removed, too."""

UNFINISHED: Final = "user_deletions.user_id"
"""The row says that the deletion is not finished."""

KEPT: Final[Mapping[str, str]] = MappingProxyType(
    {
        UNFINISHED: "until the tasks are transferred",
        "user_deletions.tasks_to": "until the tasks are transferred",
        "user_deletions.deleted_by": "until the tasks are transferred",
        "tasks.owner_id": "personal tasks are transferred or deleted; tasks of projects stay",
        "tasks.assignee_id": "tasks are unassigned",
        "trash.owner_id": "deleted personal tasks are removed; those of projects stay",
        "trash.assignee_id": "deleted tasks are unassigned",
        "trash.deleted_by": "stays until the trash is emptied",
        "comments.author_id": "comments stay",
        "memberships.user_id": "removed one by one, with their events and audit entries",
        "events.user_id": "stays as long as events are kept",
        "audit_entries.actor_id": "stays as long as the audit log is kept, with the name",
    }
)
"""Columns whose rows are not simply removed, and what happens with them."""


@lru_cache(maxsize=1)
def removals() -> tuple[str, ...]:
    """The statements that remove what belongs to a user alone; their argument is the id of the user."""
    owned = {
        f"{table.name}.{key.parent.name}"
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "users" and key.ondelete == "CASCADE"
    }
    columns = sorted((owned | REMOVED_WITHOUT_KEY) - {UNFINISHED})
    return tuple(_removal(*each.split(".")) for each in columns)


def _removal(table: str, column: str) -> str:
    return f"DELETE FROM {table} WHERE {column} = $1 RETURNING 1"  # noqa: S608 - of the models
