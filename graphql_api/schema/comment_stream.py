"""The GraphQL type for the stream's items about comments."""

import strawberry

from domain.comment import CommentEvent
from graphql_api.schema.comment import Comment
from graphql_api.schema.enums import CommentChange
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import Reference
from graphql_api.schema.stream import TaskStreamItem
from graphql_api.schema.task_history import made_by
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.queries.comment import COMMENTS


@strawberry.type(description="A comment on a task was created, updated or deleted.")
class CommentChanged(TaskStreamItem):
    """A change of a comment; `row` is its event."""

    row: strawberry.Private[CommentEvent]
    comment_id: strawberry.ID = strawberry.field(description="The id of the comment.")
    change: CommentChange = strawberry.field(description="What was done with the comment.")
    comment_count: int = strawberry.field(description="The number of comments on the task after the change.")

    by = made_by("actor_id")
    comment = object_field(
        FOR_ALL_USERS,
        "The current comment, which may be newer than this item; null if it was deleted since.",
        Reference(Comment, "comment", "comment_id", COMMENTS.by_ids),
    )
