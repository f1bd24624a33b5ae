"""GraphQL types for comments."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import strawberry

from domain.actor import Actor
from domain.comment import MAX_COMMENT
from graphql_api.schema.common import Node
from graphql_api.schema.connections import connection
from graphql_api.schema.object_fields import object_field
from graphql_api.schema.resolves_to import Expression, Reference
from graphql_api.schema.user import User
from graphql_api.schema.viewer import FOR_ALL_USERS, PERSONAL
from persistence.models import CommentRow
from persistence.queries.comment import REFERENCES_OF_A_COMMENT


def _did_write(actor: Actor, author_id: UUID) -> bool:
    return author_id == actor.user_id


def _is_edited(_: Actor, version: int) -> bool:
    return version > 1


@strawberry.type(description="A comment on a task.")
class Comment(Node):
    """A comment."""

    model: ClassVar = CommentRow
    text: str = strawberry.field(description=f"1 to {MAX_COMMENT:,} characters.")
    version: int = strawberry.field(description="The version of the comment. It grows by one with every change.")
    created_at: datetime = strawberry.field(description="When the comment was written.")
    updated_at: datetime = strawberry.field(description="When the comment was last changed.")

    author = object_field(
        FOR_ALL_USERS,
        "The user who wrote the comment.",
        Reference(User, "author", REFERENCES_OF_A_COMMENT["author"].column),
    )
    is_edited = object_field(
        FOR_ALL_USERS, "Whether the text was changed after it was written.", Expression(_is_edited, ("version",))
    )
    viewer_did_write = object_field(
        PERSONAL,
        "Whether you wrote the comment. Then you may change and delete it, while you may comment on the task.",
        Expression(_did_write, ("author_id",)),
    )


CommentConnection = connection(
    Comment, "Comment", "A page of the comments on a task, oldest first.", edge="A comment in a list.", item="comment"
)
