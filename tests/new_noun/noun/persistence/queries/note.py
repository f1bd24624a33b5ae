"""Queries for notes."""

from typing import Final

from persistence.models import NoteRow
from persistence.queries.child_list import ChildList
from persistence.queries.joins import user_in

NOTES: Final = ChildList(
    order="task.notes",
    parent_id=NoteRow.task_id,
    place=NoteRow.id,
    columns=dict(NoteRow.__table__.c),
    references={"author": user_in("author_id")},
)
"""The notes on a task, the oldest first: their ids sort by time."""
