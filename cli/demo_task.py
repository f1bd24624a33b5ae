"""A task of the demo data, with the times of its changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from domain.actor import Actor
from domain.task import TaskPriority, TaskStatus
from persistence.database import Database
from services import task as task_service
from services import task_creation

Steps = list[tuple[datetime, TaskStatus | None]]
"""Changes of the status in order of time; None: the task is created."""


@dataclass(slots=True)
class DemoTask:
    """One task, and its changes of status."""

    title: str
    description: str
    owner: Actor
    assignee_id: UUID | None
    priority: TaskPriority
    due_at: datetime | None
    steps: Steps
    project_id: UUID | None = None
    task_id: UUID | None = None


def steps_of(random: Random, path: Iterable[TaskStatus], *, start: datetime, until: datetime) -> Steps:
    """The creation at *start*, and the changes of a *path* after it, before *until*."""
    return list(_steps(random, path, start, until))


def _steps(
    random: Random, path: Iterable[TaskStatus], start: datetime, until: datetime
) -> Iterator[tuple[datetime, TaskStatus | None]]:
    at = start
    yield at, None
    for status in path:
        at += (until - at) * random.uniform(0.1, 0.7)
        yield at, status


def full_hour(at: datetime) -> datetime:
    """The time without minutes, as people choose due dates."""
    return at.replace(minute=0, second=0, microsecond=0)


def days_before(at: datetime, days: float) -> datetime:
    """The time this many days earlier."""
    return at - timedelta(days=days)


async def create_tasks(database: Database, tasks: Iterable[DemoTask]) -> None:
    """Create the tasks and change them, all in the order of the times."""
    steps = sorted(((at, status, task) for task in tasks for at, status in task.steps), key=lambda each: each[0])
    for at, status, task in steps:
        await _apply(database, task, at, status)


async def _apply(database: Database, task: DemoTask, at: datetime, status: TaskStatus | None) -> None:
    uow = database.unit_of_work(task.owner, now=at)
    if status is None:
        row = await task_creation.create_task(
            uow,
            title=task.title,
            description=task.description,
            priority=task.priority,
            due_at=task.due_at,
            assignee_id=task.assignee_id,
            project_id=task.project_id,
        )
        task.task_id = row.id
    elif task.task_id is not None:
        await task_service.update_task_status(uow, task_id=task.task_id, status=status)
