"""Conditions whose number of rows PostgreSQL cannot estimate."""

from sqlalchemy import ColumnElement, false, func


def usually(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that most rows meet: PostgreSQL expects half of the rows.

    For a comparison of two columns, or of a value in JSON, it expects nearly no row. Then it reads and sorts all rows
    of a list instead of following the list's index.
    """
    return func.coalesce(condition, false())
