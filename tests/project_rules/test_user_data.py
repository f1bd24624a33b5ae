"""Every column with the id of a user says what happens with its rows when the user is deleted."""

from persistence.models import Base
from persistence.user_data import KEPT, REMOVED_WITHOUT_KEY, removals

NAMES = {"user_id", "actor_id", "author_id", "owner_id", "assignee_id", "deleted_by", "created_by", "invited_by"}
"""Names of columns that have the id of a user, also without a foreign key."""


def test_no_column_is_forgotten():
    """A foreign key to `users` cascades, or the column is listed with what happens."""
    forgotten = set()
    for table in Base.metadata.tables.values():
        for column in table.columns:
            name = f"{table.name}.{column.name}"
            keys = [key for key in column.foreign_keys if key.column.table.name == "users"]
            if (keys or column.name in NAMES) and not any(
                f" {table.name} WHERE {column.name} " in each for each in removals()
            ):
                forgotten.add(name)
    assert forgotten <= KEPT.keys(), "add ON DELETE CASCADE, or list the column in persistence/user_data.py"


def test_the_lists_name_columns_that_exist():
    """And a reason."""
    existing = {f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.columns}
    assert existing >= KEPT.keys() | REMOVED_WITHOUT_KEY
    assert all(KEPT.values())


def test_sessions_and_tokens_are_removed():
    """So the list is not empty."""
    assert {"DELETE FROM sessions WHERE user_id = $1 RETURNING 1"} < set(removals())
