"""Operations on comments: one function, one transaction.

Each locks the task, whose number of comments changes with them. The version of the task stays as it is: a comment is no
reason to refuse a change of the task that is based on the version before it.
"""

from typing import NamedTuple
from uuid import UUID

from domain import policy
from domain.comment import CommentChange, CommentEvent, check_comment
from domain.errors import NotFound
from domain.policy import Action
from domain.task import ExpectedVersion, check_version
from persistence.models import CommentRow, VisibleTaskRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.unit_of_work import UnitOfWork, repeated_for_other_rows
from services.idempotency import find_earlier_result
from services.task_access import TaskAccess, write_to_task
from services.task_event import scope_of

_TASK_PATH = ("taskId",)


class CommentOnTask(NamedTuple):
    """A comment and its task, both as they are after a change."""

    comment: CommentRow
    task: VisibleTaskRow


@repeated_for_other_rows
async def create_comment(uow: UnitOfWork, *, task_id: UUID, text: str) -> CommentOnTask:
    """Write a comment on a task.

    Raises:
        Invalid: the text breaks a limit.
        NotFound: the actor sees no such task.
        Forbidden: the project of the task is archived.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    comment = new_row(
        CommentRow,
        id=new_id(),
        task_id=task_id,
        author_id=uow.actor.user_id,
        text=check_comment(text),
        version=1,
        created_at=uow.now,
        updated_at=uow.now,
    )

    def decide(access: TaskAccess) -> CommentOnTask:
        access.require(Action.CREATE_COMMENT, path=_TASK_PATH)
        uow.comments.add(comment)
        _count(access, 1)
        _record(access, comment, CommentChange.CREATED)
        return CommentOnTask(comment, access.seen)

    async with uow:
        request = {"task_id": task_id, "text": comment.text}
        if earlier := await find_earlier_result(uow, "create_comment", comment.id, request):
            return await _as_it_is_now(uow, earlier)
        return await write_to_task(uow, task_id, decide, path=_TASK_PATH)


@repeated_for_other_rows
async def update_comment(
    uow: UnitOfWork, *, comment_id: UUID, text: str, expected_version: ExpectedVersion = None
) -> CommentOnTask:
    """Change the text of a comment. The current text changes nothing.

    Raises:
        Invalid: the text breaks a limit.
        NotFound: the actor sees no such comment.
        Forbidden: the actor did not write it, or the project of the task is archived.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    checked = check_comment(text)

    def decide(access: TaskAccess, found: CommentRow | None) -> CommentOnTask:
        comment = _permitted(access, Action.UPDATE_COMMENT, found)
        check_version(comment.version, expected_version, what="comment")
        if comment.text != checked:
            uow.revise(comment, text=checked)
            _record(access, comment, CommentChange.UPDATED)
        return CommentOnTask(comment, access.seen)

    async with uow:
        request = {"comment_id": comment_id, "text": checked, "expected_version": expected_version}
        if await find_earlier_result(uow, "update_comment", comment_id, request):
            return await _as_it_is_now(uow, comment_id)
        task_id = (await uow.comments.get(comment_id)).task_id
        return await write_to_task(uow, task_id, decide, locks=lambda _: [uow.comments.lock_of(comment_id)])


@repeated_for_other_rows
async def delete_comment(
    uow: UnitOfWork, *, comment_id: UUID, expected_version: ExpectedVersion = None
) -> VisibleTaskRow | None:
    """Delete a comment; returns its task, or None if a repeated request finds the task no longer.

    Raises:
        NotFound: the actor sees no such comment.
        Forbidden: the actor may see the comment, but not delete it, or the project of the task is archived.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """

    def decide(access: TaskAccess, found: CommentRow | None) -> VisibleTaskRow:
        comment = _permitted(access, Action.DELETE_COMMENT, found)
        check_version(comment.version, expected_version, what="comment")
        comment.version, comment.updated_at = comment.version + 1, uow.time_after(comment.updated_at)
        uow.comments.remove(comment)
        _count(access, -1)
        _record(access, comment, CommentChange.DELETED)
        return access.seen

    async with uow:
        request: dict[str, object] = {"comment_id": comment_id, "expected_version": expected_version}
        if await find_earlier_result(uow, "delete_comment", comment_id, request):
            return None
        task_id = (await uow.comments.get(comment_id)).task_id
        return await write_to_task(uow, task_id, decide, locks=lambda _: [uow.comments.lock_of(comment_id)])


def _permitted(access: TaskAccess, action: Action, comment: CommentRow | None) -> CommentRow:
    """The comment, if the actor may do this to it."""
    access.require(Action.READ_TASK)
    found, within = access.uow.comments.existing(comment), access.within
    policy.require_comment(
        access.uow.actor, action, found.author_id, access.task, within.role, is_archived=within.is_archived
    )
    return found


def _count(access: TaskAccess, difference: int) -> None:
    access.uow.change(access.task, comment_count=access.task.comment_count + difference)


def _record(access: TaskAccess, comment: CommentRow, change: CommentChange) -> None:
    access.uow.record(
        CommentEvent(
            **scope_of(access.uow, access.task),
            version=comment.version,
            at=comment.updated_at,
            comment_id=comment.id,
            change=change,
            comment_count=access.task.comment_count,
        )
    )


async def _as_it_is_now(uow: UnitOfWork, comment_id: UUID) -> CommentOnTask:
    """The comment of a request that was carried out before; it may have changed since."""
    comment = await uow.comments.find(comment_id)
    task = await uow.tasks.find(comment.task_id) if comment is not None else None
    if comment is None or task is None:
        raise NotFound("This was done already; since then the comment was deleted, or you may not see it any more.")
    return CommentOnTask(comment, task)
