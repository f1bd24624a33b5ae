"""The repository of comments."""

from persistence.models import CommentRow
from persistence.queries.comment import COMMENTS
from persistence.repositories.rows import RowRepository


class CommentRepository(RowRepository[CommentRow]):
    """The comments on tasks that one actor may see."""

    model, name, by_id = CommentRow, "Comment", staticmethod(COMMENTS.by_id)
