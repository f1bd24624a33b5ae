"""Deletes a project with its tasks and its memberships, in one transaction."""

from typing import Final
from uuid import UUID

from domain.errors import Invalid
from domain.policy import Action
from domain.task import ExpectedVersion, check_version
from persistence.models import ProjectRow
from persistence.unit_of_work import UnitOfWork
from services.idempotency import find_earlier_result
from services.membership_event import role_changed
from services.project import lock_project
from services.task import remove_task

BATCH_SIZE: Final = 1_000
"""Tasks that one statement deletes, well within its time-out."""


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
    async with uow:
        request: dict[str, object] = {"project_id": project_id, "expected_version": expected_version}
        if confirm_key is not None:
            request["confirm_key"] = confirm_key
        if await find_earlier_result(uow, "delete_project", project_id, request):
            return project_id
        project, _, _ = await lock_project(uow, project_id, Action.DELETE_PROJECT)
        check_version(project.version, expected_version, what="project")
        await _check_confirmed(uow, project, confirm_key)
        while tasks := await uow.tasks.lock_some_of(project_id, at_most=BATCH_SIZE):
            for task in tasks:
                remove_task(uow, task)
            await uow.send()
        for user_id in await uow.memberships.users_in(project_id):
            uow.record(role_changed(uow, project_id, user_id, None))
        uow.projects.remove(project)
        await uow.commit()
    return project_id


async def _check_confirmed(uow: UnitOfWork, project: ProjectRow, confirm_key: str | None) -> None:
    """Check that a project with tasks is not deleted by accident. While it is locked, nobody adds a task."""
    is_confirmed = confirm_key is not None and confirm_key.strip().upper() == project.key
    if not is_confirmed and await uow.projects.has_tasks(project.id):
        raise Invalid(
            f"The project has tasks. To delete it with all of them, give its key, {project.key}, as confirmKey.",
            path=("confirmKey",),
        )
