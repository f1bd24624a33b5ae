"""Use cases of tasks: one function, one transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from domain import policy
from domain.actor import OPERATOR_ID, Actor
from domain.errors import Forbidden, NotFound
from domain.events import People, TaskChange, TaskEvent
from domain.policy import Action
from domain.task import (
    ExpectedVersion,
    TaskPriority,
    TaskStatus,
    check_transition,
    check_version,
    completed_at,
)
from persistence.errors import Duplicate, ReferenceLost
from persistence.models import MembershipRow, ProjectRow, TaskCounterRow, TaskRow, VisibleTaskRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.queries.task_list import EVERYTHING, TaskFilter
from persistence.unit_of_work import UnitOfWork
from services.idempotency import find_earlier_result
from services.task_access import (
    ProjectAccess,
    TaskAccess,
    check_references,
    project_access,
    project_reads,
    reference_reads,
    require_creation,
    write_to_task,
)
from services.task_edit import EDITABLE, TaskEdit, checked_values, permissions_of, with_status
from services.unset import UnsetType

_FIRST_TASK: Final = frozenset({"pk_task_counters", "uq_tasks_project_id_number"})
"""What two transactions violate that make the first task of a project, with its counter."""


async def slice_tasks(uow: UnitOfWork, *, skip: int, limit: int) -> list[VisibleTaskRow]:
    """Tasks by age, the oldest first, from an offset: for clients that know no cursors and no projects.

    Of the tasks in projects it returns those that the actor owns or is assigned to.
    """
    async with uow:
        return await uow.tasks.slice(skip=skip, limit=limit)


async def count_tasks(uow: UnitOfWork, *, wanted: TaskFilter = EVERYTHING) -> int:
    """How many tasks of these the actor sees."""
    async with uow:
        return await uow.tasks.count(wanted)


async def create_task(
    uow: UnitOfWork,
    *,
    title: str,
    description: str = "",
    priority: TaskPriority = TaskPriority.MEDIUM,
    due_at: datetime | None = None,
    assignee_id: UUID | None = None,
    project_id: UUID | None = None,
    label_ids: Collection[UUID] = (),
) -> VisibleTaskRow:
    """Create a task that belongs to the actor, in a project or, without one, a personal task.

    Raises:
        Forbidden: if the actor is the operator, who is not a user and can own nothing, or may not create tasks in the
            project.
        Invalid: if a value breaks a limit, or the assignee is not an active user, or no member of the project.
        IdempotencyMismatch: if the key was used for another request.
        NotFound: if the actor sees no such project, or if the task was created under this key before, and is not there
            for the actor any more.
    """
    require_owner(uow.actor)
    given = {
        "title": title,
        "description": description,
        "priority": priority,
        "due_at": due_at,
        "assignee_id": assignee_id,
        "label_ids": label_ids,
    }
    values = checked_values(given)
    task = new_row(
        TaskRow,
        id=new_id(),
        status=TaskStatus.TODO,
        owner_id=uow.actor.user_id,
        version=1,
        created_at=uow.now,
        updated_at=uow.now,
        project_id=project_id,
        comment_count=0,
        **values,
    )
    # Of requests without a project, the fingerprint is that of earlier versions.
    request = {name: value for name, value in values.items() if name != "label_ids" or value}
    if project_id is not None:
        request["project_id"] = project_id
    try:
        return await _create_once(uow, task, request)
    except (Duplicate, ReferenceLost) as error:
        if isinstance(error, Duplicate) and error.constraint not in _FIRST_TASK:
            raise
        # At the same time, another transaction made the first task of the project, or deleted the project.
        return await _create_once(uow, task, request)


async def _create_once(uow: UnitOfWork, task: TaskRow, request: dict[str, object]) -> VisibleTaskRow:
    project_id = task.project_id
    async with uow:
        created = await find_earlier_result(uow, "create_task", task.id, request)
        if created is not None:
            return await _as_it_is_now(uow, created)
        references = reference_reads(uow, request, project_id)
        if project_id is None:
            return await uow.write(partial(_create, uow, task, request, ProjectAccess()), *references)
        locks = *project_reads(uow, project_id), uow.projects.counter_lock(project_id), *references
        return await uow.write(partial(_create_in_project, uow, task, request), *locks)


async def update_task(
    uow: UnitOfWork, *, task_id: UUID, edit: TaskEdit, expected_version: ExpectedVersion = None
) -> VisibleTaskRow:
    """Change any of a task's fields; all of them together are one version and one event.

    Setting a field to its current value changes nothing and records no event. A request that is repeated under the key
    of its unit of work changes nothing either; it returns the current task.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not change this of it.
        Invalid: if a value breaks a limit, or the new assignee is not an active user, or no member of the project.
        InvalidTransition: if the board has no such move.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    values = edit.checked()
    async with uow:
        request = {"task_id": task_id, "expected_version": expected_version, **values}
        if await find_earlier_result(uow, "update_task", task_id, request):
            return await _as_it_is_now(uow, task_id)
        locks = partial(reference_reads, uow, values)
        return await write_to_task(uow, task_id, partial(_update, values, expected_version), locks=locks)


async def update_task_status(
    uow: UnitOfWork, *, task_id: UUID, status: TaskStatus, expected_version: ExpectedVersion = None
) -> VisibleTaskRow:
    """Change the status of a task.

    Setting the current status changes nothing and records no event.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not change it.
        InvalidTransition: if the board has no such move.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    return await update_task(uow, task_id=task_id, edit=TaskEdit(status=status), expected_version=expected_version)


async def assign_task(
    uow: UnitOfWork, *, task_id: UUID, assignee_id: UUID | UnsetType | None, expected_version: ExpectedVersion = None
) -> VisibleTaskRow:
    """Assign or unassign a task; the owner stays. UNSET leaves the assignee unchanged.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not assign it.
        Invalid: if the assignee is not an active user, or no member of the project.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    edit = TaskEdit(assignee_id=assignee_id)
    return await update_task(uow, task_id=task_id, edit=edit, expected_version=expected_version)


async def delete_task(uow: UnitOfWork, *, task_id: UUID, expected_version: ExpectedVersion = None) -> UUID:
    """Remove a task for good; returns its id.

    Raises:
        NotFound: if the actor sees no such task.
        Forbidden: if the actor may look at it but not delete it.
        Conflict: if *expected_version* is not the current one.
        IdempotencyMismatch: if the key was used for another request.
    """
    async with uow:
        request: dict[str, object] = {"task_id": task_id, "expected_version": expected_version}
        if await find_earlier_result(uow, "delete_task", task_id, request):
            return task_id
        return await write_to_task(uow, task_id, partial(_delete, expected_version))


def require_owner(actor: Actor) -> None:
    """Check that the actor can own a task.

    Raises:
        Forbidden: the actor may create no task, or is the operator, who is not a user.
    """
    policy.require_user(actor, Action.CREATE_TASK, actor.user_id)
    if actor.user_id == OPERATOR_ID:
        raise Forbidden("A task belongs to the user who creates it; do it in a user's name.")


def creation(uow: UnitOfWork, task: TaskRow) -> TaskEvent:
    """The event of a new task."""
    return _event(uow, task, (TaskChange.CREATED,), before=None, after=_people(task), from_status=None)


async def _as_it_is_now(uow: UnitOfWork, task_id: UUID) -> VisibleTaskRow:
    """The task of a request that was carried out before; it may have changed since."""
    task = await uow.tasks.find(task_id)
    if task is None:
        raise NotFound("This was done already; since then the task was deleted, or you may not see it any more.")
    return task


def _create(
    uow: UnitOfWork, task: TaskRow, values: Mapping[str, Any], within: ProjectAccess, *references: Any
) -> VisibleTaskRow:
    """Add the task if it may refer to its assignee and its labels."""
    check_references(values, task.project_id, references)
    uow.tasks.add(task)
    uow.record(creation(uow, task))
    return within.seen(task)


def _create_in_project(
    uow: UnitOfWork,
    task: TaskRow,
    values: Mapping[str, Any],
    found: ProjectRow | None,
    membership: MembershipRow | None,
    counter: TaskCounterRow | None,
    *references: Any,
) -> VisibleTaskRow:
    """Add the task with the next number of its project, if the actor may."""
    project = require_creation(uow, found, membership)
    task.number = counter.last + 1 if counter is not None else 1
    created = _create(uow, task, values, project_access(project, membership), *references)
    uow.tasks.note_project(task.id, project.id)
    if counter is not None:
        uow.change(counter, last=task.number)
    else:
        uow.projects.add_counter(project)
    return created


def _update(
    values: Mapping[str, Any], expected_version: ExpectedVersion, access: TaskAccess, *references: Any
) -> VisibleTaskRow:
    """Change the task if the actor may and the values fit."""
    task = access.task
    for action in permissions_of(values):
        access.require(action)
    check_version(task.version, expected_version)
    values = with_status(values, task.status)
    if "status" in values:
        check_transition(task.status, values["status"])
    check_references(values, task.project_id, references, assignee_id=task.assignee_id)
    _change(access.uow, task, values)
    return access.seen


def _change(uow: UnitOfWork, task: TaskRow, values: Mapping[str, Any]) -> None:
    """Change the values that differ, as one version with one event; if none differs, change nothing."""
    changed = {name: value for name, value in values.items() if getattr(task, name) != value}
    if not changed:
        return
    before, from_status, at = _people(task), task.status, uow.time_after(task.updated_at)
    changes = tuple([EDITABLE[name].change for name in changed])
    if "status" in changed:
        changed["completed_at"] = completed_at(changed["status"], at)
    uow.revise(task, **changed)
    uow.record(_event(uow, task, changes, before=before, after=_people(task), from_status=from_status))


def _delete(expected_version: ExpectedVersion, access: TaskAccess) -> UUID:
    """Remove the task if the actor may."""
    access.require(Action.DELETE_TASK)
    check_version(access.task.version, expected_version)
    remove_task(access.uow, access.task)
    return access.task.id


def remove_task(uow: UnitOfWork, task: TaskRow) -> None:
    """Remove a locked task, with the event of its deletion."""
    task.version += 1
    task.updated_at = uow.time_after(task.updated_at)
    uow.record(_event(uow, task, (TaskChange.DELETED,), before=_people(task), after=None, from_status=task.status))
    uow.tasks.remove(task)


def _people(task: TaskRow) -> People:
    return People(task.owner_id, task.assignee_id, task.project_id)


def scope_of(access: TaskAccess) -> dict[str, Any]:
    """The facts that the event of a change by the actor has in common with every event of this task.

    They are those of an event that does not change the task.
    """
    uow, task = access.uow, access.task
    people = _people(task)
    return {
        "task_id": task.id,
        "to_status": task.status,
        "before": people,
        "after": people,
        "actor_id": uow.actor.user_id,
        "request_id": uow.request_id,
        "mutation_id": uow.mutation_id,
    }


def _event(
    uow: UnitOfWork,
    task: TaskRow,
    changes: tuple[TaskChange, ...],
    *,
    before: People | None,
    after: People | None,
    from_status: TaskStatus | None,
) -> TaskEvent:
    return TaskEvent(
        task_id=task.id,
        version=task.version,
        changes=changes,
        from_status=from_status,
        to_status=task.status,
        title=task.title,
        before=before,
        after=after,
        actor_id=uow.actor.user_id,
        at=task.updated_at,
        request_id=uow.request_id,
        mutation_id=uow.mutation_id,
    )
