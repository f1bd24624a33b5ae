"""Use cases of comments: one function, one transaction."""

from uuid import UUID

from domain import policy
from domain.comment import CommentEvent, check_comment
from domain.policy import Action
from domain.task import ExpectedVersion, check_version
from persistence.models import CommentRow
from persistence.models.base import new_id
from persistence.unit_of_work import UnitOfWork
from services.idempotency import find_earlier_result
from services.task import scope_of
from services.task_access import TaskAccess, write_to_task


async def create_comment(uow: UnitOfWork, *, task_id: UUID, text: str) -> CommentRow:
    """Write a comment on a task.

    Raises:
        Invalid: the text breaks a limit.
        NotFound: the actor sees no such task.
        IdempotencyMismatch: the key was used for another request.
    """
    comment = CommentRow(
        id=new_id(),
        task_id=task_id,
        author_id=uow.actor.user_id,
        text=check_comment(text),
        version=1,
        created_at=uow.now,
        updated_at=uow.now,
    )
    async with uow:
        request = {"task_id": task_id, "text": comment.text}
        if earlier := await find_earlier_result(uow, "create_comment", comment.id, request):
            return await uow.comments.get(earlier)

        def decide(access: TaskAccess) -> CommentRow:
            access.require(Action.CREATE_COMMENT, path=("taskId",))
            uow.comments.add(comment)
            uow.record(_event(access, comment))
            return comment

        return await write_to_task(uow, task_id, decide, path=("taskId",))


async def update_comment(
    uow: UnitOfWork, *, comment_id: UUID, text: str, expected_version: ExpectedVersion = None
) -> CommentRow:
    """Change the text of a comment; the current text changes nothing and records no event.

    Raises:
        Invalid: the text breaks a limit.
        NotFound: the actor sees no such comment.
        Forbidden: the actor may see the comment but not change it.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key was used for another request.
    """
    checked = check_comment(text)
    request = {"comment_id": comment_id, "text": checked, "expected_version": expected_version}
    async with uow:
        if await find_earlier_result(uow, "update_comment", comment_id, request):
            return await uow.comments.get(comment_id)
        task_id = (await uow.comments.get(comment_id)).task_id

        def decide(access: TaskAccess, found: CommentRow | None) -> CommentRow:
            access.require(Action.READ_TASK)
            comment = uow.comments.existing(found)
            policy.require_user(uow.actor, Action.UPDATE_COMMENT, comment.author_id, path=("id",))
            check_version(comment.version, expected_version, what="comment")
            if comment.text != checked:
                uow.revise(comment, text=checked)
                uow.record(_event(access, comment))
            return comment

        return await write_to_task(uow, task_id, decide, locks=lambda _: [uow.comments.lock_of(comment_id)])


def _event(access: TaskAccess, comment: CommentRow) -> CommentEvent:
    return CommentEvent(**scope_of(access), version=comment.version, at=comment.updated_at, comment_id=comment.id)
