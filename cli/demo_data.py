"""Demo data: four people and their tasks of the last weeks, made by the services that everybody uses.

What happened is played back in the order in which it happened, so that every task has the history it tells.
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
PEOPLE: Final = {"admin": Role.ADMIN, "moderator": Role.MODERATOR, "alice": Role.USER, "bob": Role.USER}
LAST: Final = "admin"
"""Made when everything else is there, and so the sign that it is."""
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
class _Story:
    """One task: who makes it, for whom, and when it moves where."""

    title: str
    description: str
    owner: Actor
    assignee_id: UUID | None
    priority: TaskPriority
    due_at: datetime | None
    moves: list[tuple[datetime, TaskStatus | None]]
    """In order of time; None: it is created."""
    task_id: UUID | None = None


async def load_once(database: Database, hash_password: HashPassword, *, announce: Callable[[], None]) -> bool:
    """Make the people and their tasks, unless somebody is there already; whether these people are there now.

    What was interrupted is finished. *announce* is called before anything is made.
    """
    known = await _known_people(database)
    if LAST in known:
        return True
    if len(known) != await user_service.count_users(database.unit_of_work(OPERATOR)):
        return False
    announce()
    people = [known.get(name) or await _person(database, name, hash_password) for name in PEOPLE if name != LAST]
    await _play(database, people, but_for=await _titles(database) if known else frozenset())
    await _person(database, LAST, hash_password)
    return True


async def _play(database: Database, people: list[Actor], *, but_for: Collection[str]) -> None:
    stories = [each for each in _stories(Random(7), people, datetime.now(UTC)) if each.title not in but_for]
    moments = sorted(((at, move, story) for story in stories for at, move in story.moves), key=lambda each: each[0])
    for at, move, story in moments:
        await _happen(database, story, at, move)


async def _known_people(database: Database) -> dict[str, Actor]:
    known = {}
    for name in PEOPLE:
        with suppress(NotFound):
            row = await user_service.get_user_by_name(database.unit_of_work(OPERATOR), username=name)
            if row.email == _email(name):
                known[name] = _actor(row)
    return known


async def _titles(database: Database) -> set[str]:
    tasks = await task_service.slice_tasks(database.unit_of_work(OPERATOR), skip=0, limit=len(PLACES) * len(JOBS))
    return {task.title for task in tasks}


async def _person(database: Database, name: str, hash_password: HashPassword) -> Actor:
    row = await user_service.register(
        database.unit_of_work(OPERATOR, now=datetime.now(UTC) - timedelta(days=DAYS + 1)),
        username=name,
        email=_email(name),
        password=PASSWORD,
        hash_password=hash_password,
        role=PEOPLE[name],
    )
    return _actor(row)


def _actor(row: UserRow) -> Actor:
    return Actor(row.id, row.role, None, row.access_version)


def _email(name: str) -> str:
    return f"{name}@example.org"


def _stories(random: Random, people: list[Actor], now: datetime) -> Iterator[_Story]:
    pairs = [(place, job) for place in PLACES for job in JOBS]
    random.shuffle(pairs)
    for place, (title, description) in pairs:
        owner = random.choices(people, weights=(2, 5, 4))[0]
        due_at = now + timedelta(days=random.randint(-10, 40), hours=random.randint(0, 9))
        yield _Story(
            title=title.format(place),
            description=description,
            owner=owner,
            assignee_id=random.choice(people).user_id if random.random() < 0.6 else None,
            priority=random.choices(list(TaskPriority), weights=(3, 6, 3, 1))[0],
            due_at=due_at.replace(minute=0, second=0, microsecond=0) if random.random() < 0.7 else None,
            moves=list(_moves(random, now)),
        )


def _moves(random: Random, now: datetime) -> Iterator[tuple[datetime, TaskStatus | None]]:
    at = now - timedelta(minutes=random.randint(60 * 24, 60 * 24 * DAYS))
    yield at, None
    for status in random.choice(_PATHS):
        at += (now - at) * random.uniform(0.1, 0.7)
        yield at, status


async def _happen(database: Database, story: _Story, at: datetime, move: TaskStatus | None) -> None:
    uow = database.unit_of_work(story.owner, now=at)
    if move is None:
        task = await task_service.create_task(
            uow,
            title=story.title,
            description=story.description,
            priority=story.priority,
            due_at=story.due_at,
            assignee_id=story.assignee_id,
        )
        story.task_id = task.id
    elif story.task_id is not None:
        await task_service.update_task_status(uow, task_id=story.task_id, status=move)
