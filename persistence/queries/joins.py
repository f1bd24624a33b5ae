"""Rows joined with the rows that they reference."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, select, true

from persistence.models import UserRow


@dataclass(frozen=True, slots=True)
class Referenced:
    """Rows that are referenced: `column` has their id, and `rows` makes them, under a name, with the column `id`.

    Only rows that have the same value in the column `within` are found, if it is given.
    """

    column: str
    rows: Callable[[str], FromClause]
    within: str | None = None

    @property
    def columns(self) -> list[str]:
        """The columns of the rows that reference these."""
        return [self.column] if self.within is None else [self.column, self.within]

    def is_referenced(self, source: FromClause, rows: FromClause) -> ColumnElement[bool]:
        """The condition for these rows, which a row of the source references."""
        found = rows.c.id == source.c[self.column]
        return found if self.within is None else found & (rows.c[self.within] == source.c[self.within])


References = Mapping[str, Referenced]
"""What rows reference, by the name of the reference."""

_NONE: Final[References] = {}


def user_in(column: str) -> Referenced:
    """The user whose id is in a column."""
    return Referenced(column, UserRow.__table__.alias)


def own_columns(columns: Sequence[str], references: References = _NONE) -> list[str]:
    """The columns that a source needs so that `joined` can read *columns*; each once, including `id`."""
    own = [name for name in columns if "." not in name]
    used = [column for name in _used(columns) for column in references[name].columns]
    return list(dict.fromkeys(["id", *own, *used]))


def joined(
    source: FromClause,
    columns: Sequence[str],
    references: References = _NONE,
    *,
    beside: FromClause | None = None,
    facts: FromClause | None = None,
) -> Select[Any]:
    """These columns of the source's rows and of the referenced rows, in this order.

    With *beside*, the source is read for each row of *beside*. With *facts*, each row ends with these columns; if the
    source has no rows, there is one row with the facts only.
    """
    referenced = {name: references[name].rows(name) for name in _used(columns)}
    rows = _joined_to(source, beside, facts)
    for name, each in referenced.items():
        rows = rows.outerjoin(each, references[name].is_referenced(source, each))
    fact_columns = facts.c if facts is not None else ()
    return select(*(_column(source, referenced, name) for name in columns), *fact_columns).select_from(rows)


def _joined_to(source: FromClause, beside: FromClause | None, facts: FromClause | None) -> FromClause:
    if facts is None:
        return source if beside is None else beside.join(source, true())
    return (facts if beside is None else beside.join(facts, true())).outerjoin(source, true())


def _used(columns: Sequence[str]) -> Collection[str]:
    return dict.fromkeys(name.partition(".")[0] for name in columns if "." in name)


def _column(source: FromClause, referenced: Mapping[str, FromClause], name: str) -> ColumnElement[Any]:
    reference, dot, column = name.partition(".")
    # Columns of several referenced rows have the same name, so each needs its own label.
    return referenced[reference].c[column].label(f"{reference}_{column}") if dot else source.c[name]
