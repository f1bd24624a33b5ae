"""Queries for comments."""

from typing import Final

from persistence.models import CommentRow
from persistence.queries.child_list import ChildList
from persistence.queries.joins import References, user_in

REFERENCES_OF_A_COMMENT: Final[References] = {"author": user_in("author_id")}

COMMENTS: Final = ChildList(
    order="task.comments",
    parent_id=CommentRow.task_id,
    place=CommentRow.id,
    columns=dict(CommentRow.__table__.c),
    references=REFERENCES_OF_A_COMMENT,
)
"""The comments on a task, the oldest first: their ids sort by time."""
