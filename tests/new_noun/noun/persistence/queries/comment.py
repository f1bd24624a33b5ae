"""Queries for comments."""

from typing import Final

from persistence.models import CommentRow
from persistence.queries.child_list import ChildList

COMMENTS: Final = ChildList(
    order="task.comments",
    parent_id=CommentRow.task_id,
    place=CommentRow.id,
    columns=dict(CommentRow.__table__.c),
    references={"author": "author_id"},
)
"""The comments on a task, the oldest first: their ids sort by time."""
