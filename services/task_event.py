"""Events of tasks, and the facts that they have in common."""

from typing import Any

from domain.events import People, TaskChange, TaskEvent
from domain.task import TaskStatus
from persistence.models import TaskRow
from persistence.unit_of_work import UnitOfWork


def people_of(task: TaskRow) -> People:
    """Whose task it is."""
    return People(task.owner_id, task.assignee_id, task.project_id)


def creation(uow: UnitOfWork, task: TaskRow) -> TaskEvent:
    """The event of a new task."""
    return task_event(uow, task, (TaskChange.CREATED,), before=None, after=people_of(task), from_status=None)


def deletion(uow: UnitOfWork, task: TaskRow) -> TaskEvent:
    """The event of a task that is deleted; its row has the version after that."""
    return task_event(uow, task, (TaskChange.DELETED,), before=people_of(task), after=None, from_status=task.status)


def task_event(
    uow: UnitOfWork,
    task: TaskRow,
    changes: tuple[TaskChange, ...],
    *,
    before: People | None,
    after: People | None,
    from_status: TaskStatus | None,
) -> TaskEvent:
    """The event of a change by the actor, from the row as it is after the change."""
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


def scope_of(uow: UnitOfWork, task: TaskRow) -> dict[str, Any]:
    """The facts that an event has in common with every event of this task. They are those of no change of the task."""
    people = people_of(task)
    return {
        "task_id": task.id,
        "to_status": task.status,
        "before": people,
        "after": people,
        "actor_id": uow.actor.user_id,
        "request_id": uow.request_id,
        "mutation_id": uow.mutation_id,
    }
