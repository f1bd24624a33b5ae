"""Deletes a project with its tasks and its memberships.

A project can have any number of tasks, so they are deleted in several transactions. The first one archives the project
and ends the memberships of the others. From then on no task can be added, and listeners load again once instead of
receiving every deletion. If the process ends in between, the actor can repeat the deletion, which continues.
"""

from typing import Final
from uuid import UUID

from domain.audit import AuditAction
from domain.errors import Invalid
from domain.events import ProjectChange
from domain.policy import Action
from domain.task import ExpectedVersion, check_version
from persistence.errors import ReferenceLost
from persistence.models import ProjectRow
from persistence.unit_of_work import OtherRows, UnitOfWork, repeated_for_other_rows
from services.audit import member_entry, project_entry
from services.idempotency import find_earlier_result
from services.project import lock_project
from services.project_event import project_changed, role_changed
from services.task import remove_task

BATCH_SIZE: Final = 500
"""Tasks that one transaction deletes, well within the time-out of a statement."""
_DELETED: Final = "the project is being deleted"


@repeated_for_other_rows
async def delete_project(
    uow: UnitOfWork, *, project_id: UUID, expected_version: ExpectedVersion = None, confirm_key: str | None = None
) -> UUID:
    """Delete a project; returns its id. Its keys can be used again.

    A project with tasks is deleted with them if *confirm_key* is its current key, ignoring case. Every task has an
    event of its deletion.

    Raises:
        NotFound: the actor sees no such project.
        Forbidden: the actor may see the project, but not delete it.
        Invalid: the project has tasks, and *confirm_key* is not its key.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    request: dict[str, object] = {"project_id": project_id, "expected_version": expected_version}
    if confirm_key is not None:
        request["confirm_key"] = confirm_key
    async with uow:  # without a commit: the key is claimed by the transaction that deletes the project
        if await find_earlier_result(uow, "delete_project", project_id, request):
            return project_id
    await _close(uow, project_id, expected_version, confirm_key)
    await _delete_tasks(uow, project_id)
    await _empty_trash(uow, project_id)
    try:
        return await _delete_empty(uow, project_id, request)
    except ReferenceLost as error:  # a task was added at the moment when the project was archived
        raise OtherRows from error


async def _close(uow: UnitOfWork, project_id: UUID, expected_version: ExpectedVersion, confirm_key: str | None) -> None:
    """Check everything, archive the project, and end the memberships of the others."""
    async with uow:
        project, _, _ = await lock_project(uow, project_id, Action.DELETE_PROJECT)
        check_version(project.version, expected_version, what="project")
        await _check_confirmed(uow, project, confirm_key)
        if not project.is_archived:
            uow.audit(project_entry(AuditAction.PROJECT_ARCHIVED, project, reason=_DELETED))
        uow.change(project, is_archived=True)  # not a new version: a repetition may name the current one
        others = [user_id for user_id in await uow.memberships.users_in(project_id) if user_id != uow.actor.user_id]
        users = await uow.users.find_many(others)
        for membership in await uow.lock(*(uow.memberships.lock_of_pair(project_id, user_id) for user_id in others)):
            uow.audit(
                member_entry(
                    AuditAction.MEMBER_REMOVED, project, users[membership.user_id], membership, reason=_DELETED
                )
            )
            uow.memberships.remove(membership)
            uow.record(role_changed(uow, project_id, membership.user_id, None, previous=membership.role))
        await uow.commit()


async def _delete_tasks(uow: UnitOfWork, project_id: UUID) -> None:
    """Delete all tasks of the project, in batches."""
    last = 0
    while True:
        async with uow:
            await lock_project(uow, project_id, Action.DELETE_PROJECT)
            tasks = await uow.tasks.lock_some_of(project_id, behind=last, at_most=BATCH_SIZE)
            if not tasks:
                return
            for task in tasks:
                remove_task(uow, task)
                last = max(last, task.number or 0)
            await uow.commit()


async def _empty_trash(uow: UnitOfWork, project_id: UUID) -> None:
    """Remove the tasks that were deleted before, in batches."""
    while True:
        async with uow:
            await lock_project(uow, project_id, Action.DELETE_PROJECT)
            removed = await uow.trash.remove_some_of(project_id, at_most=BATCH_SIZE)
            await uow.commit()
        if not removed:
            return


async def _delete_empty(uow: UnitOfWork, project_id: UUID, request: dict[str, object]) -> UUID:
    async with uow:
        if not await find_earlier_result(uow, "delete_project", project_id, request):
            project, role, _ = await lock_project(uow, project_id, Action.DELETE_PROJECT)
            if role is not None:
                uow.record(role_changed(uow, project_id, uow.actor.user_id, None, previous=role))
            uow.record(project_changed(uow, project, ProjectChange.DELETED))
            uow.audit(project_entry(AuditAction.PROJECT_DELETED, project))
            uow.projects.remove(project)
            await uow.commit()
    return project_id


async def _check_confirmed(uow: UnitOfWork, project: ProjectRow, confirm_key: str | None) -> None:
    """Check that a project with tasks is not deleted by accident."""
    is_confirmed = confirm_key is not None and confirm_key.strip().upper() == project.key
    if not is_confirmed and await uow.projects.has_tasks(project.id):
        raise Invalid(
            f"The project has tasks. To delete it with all of them, give its key, {project.key}, as confirmKey.",
            path=("confirmKey",),
        )
