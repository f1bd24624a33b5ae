"""Demo data: four users and their tasks of the last four weeks, created with the same services as the API.

All changes are made in the order of their times, so that every task has a complete history.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from cli.sample_texts import JOBS, PLACES
from domain.actor import OPERATOR, Actor
from domain.errors import NotFound
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from persistence.database import Database
from persistence.models import UserRow
from services import task as task_service
from services import user as user_service
from services.user import HashPassword

PASSWORD: Final = "Taskriver-1"  # noqa: S105 - printed at every start; `dev` refuses to run in production
USERS: Final = {"admin": Role.ADMIN, "moderator": Role.MODERATOR, "alice": Role.USER, "bob": Role.USER}
LAST: Final = "admin"
"""This user is created last. If the user exists, the demo data are complete."""
DAYS: Final = 28

_PATHS: Final = (
    (),
    (),
    (TaskStatus.IN_PROGRESS,),
    (TaskStatus.IN_PROGRESS, TaskStatus.DONE),
    (TaskStatus.IN_PROGRESS, TaskStatus.TODO, TaskStatus.IN_PROGRESS, TaskStatus.DONE),
    (TaskStatus.DONE,),
    (TaskStatus.CANCELLED,),
)


@dataclass(slots=True)
class _DemoTask:
    """One task, and its changes of status."""

    title: str
    description: str
    owner: Actor
    assignee_id: UUID | None
    priority: TaskPriority
    due_at: datetime | None
    steps: list[tuple[datetime, TaskStatus | None]]
    """The changes of status in order of time; None: the task is created."""
    task_id: UUID | None = None


async def load_once(database: Database, hash_password: HashPassword, *, announce: Callable[[], None]) -> bool:
    """Create the users and their tasks, unless the database has other users; returns whether the demo users exist now.

    It continues after an interruption. *announce* is called before the first change.
    """
    known = await _existing_users(database)
    if LAST in known:
        return True
    if len(known) != await user_service.count_users(database.unit_of_work(OPERATOR)):
        return False
    announce()
    users = [known.get(name) or await _create_user(database, name, hash_password) for name in USERS if name != LAST]
    await _create_tasks(database, users, but_for=await _titles(database) if known else frozenset())
    await _create_user(database, LAST, hash_password)
    return True


async def _create_tasks(database: Database, users: list[Actor], *, but_for: Collection[str]) -> None:
    tasks = [each for each in _demo_tasks(Random(7), users, datetime.now(UTC)) if each.title not in but_for]
    steps = sorted(((at, status, task) for task in tasks for at, status in task.steps), key=lambda each: each[0])
    for at, status, task in steps:
        await _apply(database, task, at, status)


async def _existing_users(database: Database) -> dict[str, Actor]:
    known = {}
    for name in USERS:
        with suppress(NotFound):
            row = await user_service.get_user_by_name(database.unit_of_work(OPERATOR), username=name)
            if row.email == _email(name):
                known[name] = _actor(row)
    return known


async def _titles(database: Database) -> set[str]:
    tasks = await task_service.slice_tasks(database.unit_of_work(OPERATOR), skip=0, limit=len(PLACES) * len(JOBS))
    return {task.title for task in tasks}


async def _create_user(database: Database, name: str, hash_password: HashPassword) -> Actor:
    row = await user_service.register(
        database.unit_of_work(OPERATOR, now=datetime.now(UTC) - timedelta(days=DAYS + 1)),
        username=name,
        email=_email(name),
        password=PASSWORD,
        hash_password=hash_password,
        role=USERS[name],
    )
    return _actor(row)


def _actor(row: UserRow) -> Actor:
    return Actor(row.id, row.role, None, row.access_version)


def _email(name: str) -> str:
    return f"{name}@example.org"


def _demo_tasks(random: Random, users: list[Actor], now: datetime) -> Iterator[_DemoTask]:
    pairs = [(place, job) for place in PLACES for job in JOBS]
    random.shuffle(pairs)
    for place, (title, description) in pairs:
        owner = random.choices(users, weights=(2, 5, 4))[0]
        due_at = now + timedelta(days=random.randint(-10, 40), hours=random.randint(0, 9))
        yield _DemoTask(
            title=title.format(place),
            description=description,
            owner=owner,
            assignee_id=random.choice(users).user_id if random.random() < 0.6 else None,
            priority=random.choices(list(TaskPriority), weights=(3, 6, 3, 1))[0],
            due_at=due_at.replace(minute=0, second=0, microsecond=0) if random.random() < 0.7 else None,
            steps=list(_steps(random, now)),
        )


def _steps(random: Random, now: datetime) -> Iterator[tuple[datetime, TaskStatus | None]]:
    at = now - timedelta(minutes=random.randint(60 * 24, 60 * 24 * DAYS))
    yield at, None
    for status in random.choice(_PATHS):
        at += (now - at) * random.uniform(0.1, 0.7)
        yield at, status


async def _apply(database: Database, task: _DemoTask, at: datetime, status: TaskStatus | None) -> None:
    uow = database.unit_of_work(task.owner, now=at)
    if status is None:
        row = await task_service.create_task(
            uow,
            title=task.title,
            description=task.description,
            priority=task.priority,
            due_at=task.due_at,
            assignee_id=task.assignee_id,
        )
        task.task_id = row.id
    elif task.task_id is not None:
        await task_service.update_task_status(uow, task_id=task.task_id, status=status)
