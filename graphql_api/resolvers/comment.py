"""Comments: changed, and received live."""

import strawberry

from domain.comment import CommentEvent
from graphql_api.auth.permissions import TASKS_READ, TASKS_WRITE
from graphql_api.context import FieldContext
from graphql_api.resolvers.fields import mutation, subscription
from graphql_api.resolvers.stream import After, Filter, Source, common_fields, listen, wanted_of
from graphql_api.schema.comment import Comment
from graphql_api.schema.comment_inputs import (
    CreateCommentInput,
    CreateCommentPayload,
    DeleteCommentInput,
    DeleteCommentPayload,
    UpdateCommentInput,
    UpdateCommentPayload,
)
from graphql_api.schema.comment_stream import CommentChanged
from graphql_api.schema.ids import decode_id_of, encode_id
from graphql_api.schema.task import Task
from services import comment as comment_service
from streaming.stream_items import Delivered


@strawberry.type
class CommentMutations:
    """Fields of Mutation."""

    @mutation(TASKS_WRITE, "Write a comment on a task that you may see.")
    async def create_comment(self, field: FieldContext, input: CreateCommentInput) -> CreateCommentPayload | None:
        """One service call."""
        comment, task = await comment_service.create_comment(
            field.idempotent_unit_of_work(),
            task_id=decode_id_of("Task", input.task_id, field="taskId"),
            text=input.text,
        )
        return CreateCommentPayload(comment=Comment.of(comment), task=Task.of(task))

    @mutation(TASKS_WRITE, "Change the text of a comment that you wrote. Admins: every comment.")
    async def update_comment(self, field: FieldContext, input: UpdateCommentInput) -> UpdateCommentPayload | None:
        """One service call."""
        comment, task = await comment_service.update_comment(
            field.idempotent_unit_of_work(),
            comment_id=decode_id_of("Comment", input.id, field="id"),
            text=input.text,
            expected_version=input.expected_version,
        )
        return UpdateCommentPayload(comment=Comment.of(comment), task=Task.of(task))

    @mutation(
        TASKS_WRITE,
        "Delete a comment that you wrote; as owner of a personal task or MANAGER of the project, any comment on it. "
        "Moderators and admins: every comment.",
    )
    async def delete_comment(self, field: FieldContext, input: DeleteCommentInput) -> DeleteCommentPayload | None:
        """One service call."""
        comment_id = decode_id_of("Comment", input.id, field="id")
        task = await comment_service.delete_comment(
            field.idempotent_unit_of_work(), comment_id=comment_id, expected_version=input.expected_version
        )
        return DeleteCommentPayload(
            deleted_comment_id=encode_id("Comment", comment_id), task=Task.of(task) if task is not None else None
        )


@strawberry.type
class CommentSubscriptions:
    """Fields of Subscription."""

    @subscription(TASKS_READ, "Receive changes of comments on tasks, live.")
    async def comment_changed(self, field: FieldContext, filter: Filter = None, after: After = None) -> Source:
        """New, changed and deleted comments."""
        return listen(field.context, wanted_of(filter), after, comment_changed, events=frozenset({CommentEvent}))


def comment_changed(item: Delivered, task: Task | None) -> CommentChanged:
    """The item for a change of a comment."""
    event = item.event
    assert isinstance(event, CommentEvent)
    return CommentChanged(
        **common_fields(item, task),
        row=event,
        comment_id=encode_id("Comment", event.comment_id),
        change=event.change,
        comment_count=event.comment_count,
    )
