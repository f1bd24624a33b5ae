"""The GraphQL type for the stream's items about comments."""

import strawberry

from domain.comment import CommentEvent
from graphql_api.context import FieldContext
from graphql_api.schema.comment import Comment
from graphql_api.schema.fields import resolver
from graphql_api.schema.stream import TaskStreamItem
from graphql_api.schema.viewer import BY_RELATION
from persistence.models import CommentRow
from persistence.queries.comment import COMMENTS


@strawberry.type(description="A comment was written or changed.")
class CommentChanged(TaskStreamItem):
    """A change of a comment; `row` is its event."""

    row: strawberry.Private[CommentEvent]

    @strawberry.field(description="The current comment; null if it was deleted since.", metadata=BY_RELATION)
    @resolver
    async def comment(self, field: FieldContext) -> Comment | None:
        """Load the comment."""
        row = await field.context.loaders.by_id(CommentRow, COMMENTS.by_ids).load(self.row.comment_id)
        return Comment.of(row) if row is not None else None
