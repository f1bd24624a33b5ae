"""A task of the demo data, with the times of its changes."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from domain.actor import Actor
from domain.task import TaskPriority, TaskStatus
from persistence.database import Database
from services import comment as comment_service
from services import task as task_service
from services import task_creation


@dataclass(frozen=True, slots=True)
class DemoComment:
    """A comment on a task."""

    author: Actor
    text: str


Steps = list[tuple[datetime, TaskStatus | DemoComment | None]]
"""Changes of the status and comments in order of time; None: the task is created."""


@dataclass(slots=True)
class DemoTask:
    """One task, its changes of status, and its comments."""

    title: str
    description: str
    owner: Actor
    assignee_id: UUID | None
    priority: TaskPriority
    due_at: datetime | None
    steps: Steps
    project_id: UUID | None = None
    label_ids: Collection[UUID] = ()
    parent: "DemoTask | None" = None
    task_id: UUID | None = None


def steps_of(
    random: Random,
    path: Iterable[TaskStatus],
    *,
    start: datetime,
    until: datetime,
    comments: Iterable[DemoComment] = (),
) -> Steps:
    """The creation at *start*, and the changes of a *path* and the comments after it, before *until*."""
    steps: Steps = [(start, None), *_after(random, path, start, until), *_after(random, comments, start, until)]
    return sorted(steps, key=lambda each: each[0])


def _after(
    random: Random, changes: Iterable[TaskStatus | DemoComment], start: datetime, until: datetime
) -> Iterator[tuple[datetime, TaskStatus | DemoComment]]:
    at = start
    for change in changes:
        at += (until - at) * random.uniform(0.1, 0.7)
        yield at, change


def full_hour(at: datetime) -> datetime:
    """The time without minutes, as people choose due dates."""
    return at.replace(minute=0, second=0, microsecond=0)


def days_before(at: datetime, days: float) -> datetime:
    """The time this many days earlier."""
    return at - timedelta(days=days)


async def create_tasks(database: Database, tasks: Iterable[DemoTask], existing: Mapping[str, UUID]) -> None:
    """Create the tasks and change them, all in the order of the times. *existing* tasks, by title, stay as they are."""
    new = []
    for task in tasks:
        task.task_id = existing.get(task.title)
        if task.task_id is None:
            new.append(task)
    steps = sorted(((at, change, task) for task in new for at, change in task.steps), key=lambda each: each[0])
    for at, change, task in steps:
        await _apply(database, task, at, change)


async def _apply(database: Database, task: DemoTask, at: datetime, change: TaskStatus | DemoComment | None) -> None:
    if isinstance(change, DemoComment):
        await comment_service.create_comment(
            database.unit_of_work(change.author, now=at), task_id=_id_of(task), text=change.text
        )
        return
    uow = database.unit_of_work(task.owner, now=at)
    if change is not None:
        await task_service.update_task_status(uow, task_id=_id_of(task), status=change)
        return
    row = await task_creation.create_task(
        uow,
        title=task.title,
        description=task.description,
        priority=task.priority,
        due_at=task.due_at,
        assignee_id=task.assignee_id,
        project_id=task.project_id,
        label_ids=task.label_ids,
        parent_id=_id_of(task.parent) if task.parent is not None else None,
    )
    task.task_id = row.id


def _id_of(task: DemoTask) -> UUID:
    assert task.task_id is not None
    return task.task_id
