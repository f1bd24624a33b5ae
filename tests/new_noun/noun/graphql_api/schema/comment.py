"""GraphQL types for comments."""

from datetime import datetime
from typing import ClassVar

import strawberry

from domain.comment import MAX_COMMENT
from graphql_api.schema.common import Node, Payload
from graphql_api.schema.connections import connection
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import Reference
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS
from persistence.models import CommentRow


@strawberry.type(description="A comment on a task.")
class Comment(Node):
    """A comment."""

    model: ClassVar = CommentRow
    text: str = strawberry.field(description=f"1 to {MAX_COMMENT:,} characters.")
    version: int = strawberry.field(description="The version of the comment. It grows by one with every change.")
    created_at: datetime = strawberry.field(description="When the comment was written.")
    updated_at: datetime = strawberry.field(description="When the comment was last changed.")
    author = object_field(FOR_ALL_USERS, "The user who wrote the comment.", Reference(User, "author", "author_id"))


CommentConnection = connection(
    Comment, "Comment", "A page of the comments on a task, oldest first.", edge="A comment in a list.", item="comment"
)


@strawberry.input(description="A new comment.")
class CreateCommentInput:
    """Input of `createComment`."""

    task_id: strawberry.ID = strawberry.field(description="The id of the task.")
    text: str = strawberry.field(description=f"1 to {MAX_COMMENT:,} characters.")


@strawberry.input(description="The new text of a comment.")
class UpdateCommentInput:
    """Input of `updateComment`."""

    id: strawberry.ID = strawberry.field(description="The id of the comment.")
    text: str = strawberry.field(description=f"1 to {MAX_COMMENT:,} characters.")
    expected_version: int | None = strawberry.field(default=None, description="Only if the comment has this version.")


@strawberry.type
class ChangedComment(Payload):
    """A payload with the comment after the change."""

    comment: Comment | None = strawberry.field(default=None, description="The comment after the change.")


@strawberry.type(description="The result of `createComment`.")
class CreateCommentPayload(ChangedComment):
    """Payload of `createComment`."""


@strawberry.type(description="The result of `updateComment`.")
class UpdateCommentPayload(ChangedComment):
    """Payload of `updateComment`."""
