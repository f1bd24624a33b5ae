"""Demo data: four users, their projects, and the tasks of the last four weeks, created with the services of the API.

All changes are made in the order of their times, so that every task has a complete history.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from cli.demo_project_data import archive_projects, create_projects
from cli.demo_task import DemoTask, Steps, create_tasks, full_hour, steps_of
from cli.sample_texts import JOBS, PLACES
from domain.actor import OPERATOR, Actor
from domain.errors import NotFound
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from persistence.database import Database
from persistence.models import UserRow
from services import user as user_service
from services.import_export import snapshot_of_tasks
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


async def load_once(database: Database, hash_password: HashPassword, *, announce: Callable[[], None]) -> bool:
    """Create the users, their projects and their tasks, unless the database has other users; returns whether the demo
    users exist now.

    It continues after an interruption. *announce* is called before the first change.
    """
    known = await _existing_users(database)
    if LAST in known:
        return True
    if len(known) != await user_service.count_users(database.unit_of_work(OPERATOR)):
        return False
    announce()
    existing = await _existing_tasks(database) if known else {}
    users = {
        name: known.get(name) or await _create_user(database, name, hash_password) for name in USERS if name != LAST
    }
    await _create_tasks(database, users, existing)
    await _create_user(database, LAST, hash_password)
    return True


async def _create_tasks(database: Database, users: Mapping[str, Actor], existing: Mapping[str, UUID]) -> None:
    now = datetime.now(UTC)
    tasks = [*_personal_tasks(Random(7), list(users.values()), now), *await create_projects(database, users, now)]
    await create_tasks(database, tasks, existing)
    await archive_projects(database, users, now)


async def _existing_users(database: Database) -> dict[str, Actor]:
    known = {}
    for name in USERS:
        with suppress(NotFound):
            row = await user_service.get_user_by_name(database.unit_of_work(OPERATOR), username=name)
            if row.email == _email(name):
                known[name] = _actor(row)
    return known


async def _existing_tasks(database: Database) -> dict[str, UUID]:
    """The ids of the tasks, by title."""
    async with snapshot_of_tasks(database.unit_of_work(OPERATOR)) as snapshot:
        return {each.task.title: each.task.id async for page in snapshot.pages() for each in page}


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
    return Actor(row.id, row.role, None, row.access_version, name=row.username)


def _email(name: str) -> str:
    return f"{name}@example.org"


def _personal_tasks(random: Random, users: list[Actor], now: datetime) -> Iterator[DemoTask]:
    pairs = [(place, job) for place in PLACES for job in JOBS]
    random.shuffle(pairs)
    for place, (title, description) in pairs:
        owner = random.choices(users, weights=(2, 5, 4))[0]
        due_at = now + timedelta(days=random.randint(-10, 40), hours=random.randint(0, 9))
        yield DemoTask(
            title=title.format(place),
            description=description,
            owner=owner,
            assignee_id=random.choice(users).user_id if random.random() < 0.6 else None,
            priority=random.choices(list(TaskPriority), weights=(3, 6, 3, 1))[0],
            due_at=full_hour(due_at) if random.random() < 0.7 else None,
            steps=_steps(random, now),
        )


def _steps(random: Random, now: datetime) -> Steps:
    start = now - timedelta(minutes=random.randint(60 * 24, 60 * 24 * DAYS))
    return steps_of(random, random.choice(_PATHS), start=start, until=now)
