"""Comments: queries, mutations and the subscription."""

import strawberry

from domain.actor import Actor
from domain.comment import CommentEvent
from graphql_api.auth.permissions import SIGNED_IN
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, query, subscription
from graphql_api.resolvers.stream import After, Filter, Source, item_of, listen
from graphql_api.schema.comment import (
    Comment,
    CreateCommentInput,
    CreateCommentPayload,
    UpdateCommentInput,
    UpdateCommentPayload,
)
from graphql_api.schema.comment_stream import CommentChanged
from graphql_api.schema.common import Id
from graphql_api.schema.ids import decode_id_of
from graphql_api.schema.resolves_to import One
from persistence.queries.comment import COMMENTS
from persistence.queries.query import Query
from services import comment as comment_service


def _comment(actor: Actor, id: Id) -> Query:
    return COMMENTS.by_id(actor, decode_id_of("Comment", id, field="id"))


@strawberry.type
class CommentQueries:
    """Fields of Query."""

    comment = query(SIGNED_IN, "A comment by its id, or null.", One(Comment, _comment, nullable=True))


@strawberry.type
class CommentMutations:
    """Fields of Mutation."""

    @mutation(SIGNED_IN, "Write a comment on a task that you may see.")
    async def create_comment(self, field: FieldContext, input: CreateCommentInput) -> CreateCommentPayload | None:
        """One service call."""
        task_id = decode_id_of("Task", input.task_id, field="taskId")
        row = await comment_service.create_comment(field.idempotent_unit_of_work(), task_id=task_id, text=input.text)
        return CreateCommentPayload(comment=Comment.of(row))

    @mutation(SIGNED_IN, "Change the text of a comment that you wrote. Admins: every comment.")
    async def update_comment(self, field: FieldContext, input: UpdateCommentInput) -> UpdateCommentPayload | None:
        """One service call."""
        row = await comment_service.update_comment(
            field.idempotent_unit_of_work(),
            comment_id=decode_id_of("Comment", input.id, field="id"),
            text=input.text,
            expected_version=input.expected_version,
        )
        return UpdateCommentPayload(comment=Comment.of(row))


@strawberry.type
class CommentSubscriptions:
    """Fields of Subscription."""

    @subscription(SIGNED_IN, "Receive new and changed comments on tasks, live.")
    async def comment_changed(self, field: FieldContext, filter: Filter = None, after: After = None) -> Source:
        """New and changed comments."""
        return listen(field.context, filter, after, item_of(CommentChanged), events=CommentEvent)
