"""GraphQL inputs and payloads of the comment mutations."""

import strawberry

from domain.comment import MAX_COMMENT
from graphql_api.schema.comment import Comment
from graphql_api.schema.common import Payload
from graphql_api.schema.task import Task

_TEXT = f"1 to {MAX_COMMENT:,} characters."
_EXPECTED_VERSION = (
    "Makes the change only if the comment has this version; otherwise the error code is CONFLICT. "
    "Null or left out: the version is not checked."
)


@strawberry.input(description="A new comment.")
class CreateCommentInput:
    """Input of `createComment`."""

    task_id: strawberry.ID = strawberry.field(description="The id of the task.")
    text: str = strawberry.field(description=_TEXT)


@strawberry.input(description="The new text of a comment.")
class UpdateCommentInput:
    """Input of `updateComment`."""

    id: strawberry.ID = strawberry.field(description="The id of the comment.")
    text: str = strawberry.field(description=_TEXT)
    expected_version: int | None = strawberry.field(default=None, description=_EXPECTED_VERSION)


@strawberry.input(description="The comment to delete.")
class DeleteCommentInput:
    """Input of `deleteComment`."""

    id: strawberry.ID = strawberry.field(description="The id of the comment.")
    expected_version: int | None = strawberry.field(default=None, description=_EXPECTED_VERSION)


@strawberry.type
class ChangedComment(Payload):
    """A payload with the comment and its task after the change."""

    comment: Comment | None = strawberry.field(default=None, description="The comment after the change.")
    task: Task | None = strawberry.field(
        default=None, description="The task of the comment, with the number of its comments."
    )


@strawberry.type(description="The result of `createComment`.")
class CreateCommentPayload(ChangedComment):
    """Payload of `createComment`."""


@strawberry.type(description="The result of `updateComment`.")
class UpdateCommentPayload(ChangedComment):
    """Payload of `updateComment`."""


@strawberry.type(description="The result of `deleteComment`.")
class DeleteCommentPayload(Payload):
    """Payload of `deleteComment`."""

    deleted_comment_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the deleted comment."
    )
    task: Task | None = strawberry.field(
        default=None,
        description="The task of the comment, with the number of its comments. "
        "Null if the request was repeated with its idempotency key.",
    )
