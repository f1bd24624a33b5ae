"""Rows joined with the users that they reference."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, select, true

from persistence.models import UserRow

References = Mapping[str, str]
"""The name of a reference to a user → the column with the user's id."""

REFERENCES_OF_A_TASK: Final[References] = {"owner": "owner_id", "assignee": "assignee_id"}
_NONE: Final[References] = {}


def own_columns(columns: Sequence[str], references: References = _NONE) -> list[str]:
    """The columns that a source needs so that `joined` can read *columns*; each once, including `id`."""
    own = [name for name in columns if "." not in name]
    used = [references[name] for name in _used(columns)]
    return list(dict.fromkeys(["id", *own, *used]))


def joined(
    source: FromClause,
    columns: Sequence[str],
    references: References = _NONE,
    *,
    beside: FromClause | None = None,
    facts: FromClause | None = None,
) -> Select[Any]:
    """These columns of the source's rows and of the referenced users, in this order.

    With *beside*, the source is read for each row of *beside*. With *facts*, each row ends with these columns; if the
    source has no rows, there is one row with the facts only.
    """
    users = {name: UserRow.__table__.alias(name) for name in _used(columns)}
    rows = _joined_to(source, beside, facts)
    for name, user in users.items():
        rows = rows.outerjoin(user, user.c.id == source.c[references[name]])
    fact_columns = facts.c if facts is not None else ()
    return select(*(_column(source, users, name) for name in columns), *fact_columns).select_from(rows)


def _joined_to(source: FromClause, beside: FromClause | None, facts: FromClause | None) -> FromClause:
    if facts is None:
        return source if beside is None else beside.join(source, true())
    return (facts if beside is None else beside.join(facts, true())).outerjoin(source, true())


def _used(columns: Sequence[str]) -> Collection[str]:
    return dict.fromkeys(name.partition(".")[0] for name in columns if "." in name)


def _column(source: FromClause, users: Mapping[str, FromClause], name: str) -> ColumnElement[Any]:
    reference, dot, column = name.partition(".")
    # Columns of several users have the same name, so each needs its own label.
    return users[reference].c[column].label(f"{reference}_{column}") if dot else source.c[name]
