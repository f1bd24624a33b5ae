"""Rows together with the rows that they refer to."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, select, true

from persistence.models import UserRow

References = Mapping[str, str]
"""The name of a reference to a user → the column that holds the user's id."""

REFERENCES_OF_A_TASK: Final[References] = {"owner": "owner_id", "assignee": "assignee_id"}
_NONE: Final[References] = {}


def own_columns(columns: Sequence[str], references: References = _NONE) -> list[str]:
    """The columns that a source must have, so that `joined` can read these of it; each once, `id` among them."""
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
    """These columns of the source's rows, in this order, with those of the users that they refer to.

    With *beside*, the source is read for each row of that. With *facts*, each row ends in these columns, and they are
    there without a row of the source, too.
    """
    users = {name: UserRow.__table__.alias(name) for name in _used(columns)}
    rows = _joined_to(source, beside, facts)
    for name, user in users.items():
        rows = rows.outerjoin(user, user.c.id == source.c[references[name]])
    told = facts.c if facts is not None else ()
    return select(*(_column(source, users, name) for name in columns), *told).select_from(rows)


def _joined_to(source: FromClause, beside: FromClause | None, facts: FromClause | None) -> FromClause:
    if facts is None:
        return source if beside is None else beside.join(source, true())
    return (facts if beside is None else beside.join(facts, true())).outerjoin(source, true())


def _used(columns: Sequence[str]) -> Collection[str]:
    return dict.fromkeys(name.partition(".")[0] for name in columns if "." in name)


def _column(source: FromClause, users: Mapping[str, FromClause], name: str) -> ColumnElement[Any]:
    reference, dot, column = name.partition(".")
    # The same name may stand there twice, and a result keeps them apart only under labels of their own.
    return users[reference].c[column].label(f"{reference}_{column}") if dot else source.c[name]
