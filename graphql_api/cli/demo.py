"""Demo data: four people and their tasks of the last weeks, made by the services that everybody uses.

What happened is played back in the order in which it happened, so that every task has the history it tells.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from domain.actor import OPERATOR, Actor
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from persistence.engine import Database
from persistence.models import UserRow
from services import task as task_service
from services import user as user_service
from services.user import HashPassword

PASSWORD: Final = "Taskriver-1"  # noqa: S105 - printed at every start; `dev` refuses to run in production
PEOPLE: Final = {"admin": Role.ADMIN, "moderator": Role.MODERATOR, "alice": Role.USER, "bob": Role.USER}
DAYS: Final = 45

_PLACES: Final = (
    "checkout page", "invoice e-mail", "onboarding tour", "search results", "mobile menu", "price list",
    "password reset", "order history", "newsletter form", "product gallery", "delivery tracker", "help centre",
    "cookie banner", "contact form", "gift card", "wish list", "returns label", "store finder", "size guide",
    "review widget", "loyalty page", "landing page", "stock warning", "payment receipt",
)  # fmt: skip
_JOBS: Final = (
    ("Review the wording of the {}", "Read it aloud once. Whatever makes you stop is what a customer stumbles over."),
    ("Fix the layout of the {} on small screens", "Below 380 pixels the last column is cut off; see the screenshots."),
    ("Measure how fast the {} loads", "Median and 95th percentile, on a mid-range phone, before and after the change."),
    ("Write browser tests for the {}", "The happy path, an empty state and one failure are enough to begin with."),
    ("Translate the {} into Spanish", "Ask the support team for the terms that customers use themselves."),
    ("Collect feedback on the {}", "Five conversations of fifteen minutes; notes go into the shared folder."),
    ("Check the {} with a screen reader", "Headings, labels and the order of focus. Keyboard only, too."),
    ("Document the {} for the support team", "One page: what it does, what goes wrong, what to answer."),
    ("Plan the redesign of the {}", "What stays, what goes, and how we will know that it is better."),
    ("Remove the old version of the {}", "Nobody has been sent there since the spring; check the logs once more."),
)
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


async def load_once(database: Database, hash_password: HashPassword) -> bool:
    """Make the people and their tasks, unless somebody is there already; whether it did."""
    if await user_service.count_users(database.unit_of_work(OPERATOR)):
        return False
    people = [await _person(database, name, role, hash_password) for name, role in PEOPLE.items()]
    stories = list(_stories(Random(7), people, datetime.now(UTC)))
    moments = sorted(((at, move, story) for story in stories for at, move in story.moves), key=lambda each: each[0])
    for at, move, story in moments:
        await _happen(database, story, at, move)
    return True


def welcome(host: str, port: int) -> str:
    """What a newcomer should know, as it is printed at every start."""
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else shown}:{port}"  # noqa: S104 - shown, not bound
    return "\n".join(
        [
            "",
            "  Taskriver is running.",
            "",
            f"    GraphQL        {url}/graphql",
            f"    Subscriptions  {url.replace('http', 'ws', 1)}/graphql   (graphql-transport-ws)",
            f"    Health         {url}/readyz",
            "",
            f"  Sign in as {', '.join(PEOPLE)}; the password is {PASSWORD} for each of them.",
            "  The data are kept in .taskriver; Ctrl-C stops everything.",
            "",
        ]
    )


async def _person(database: Database, name: str, role: Role, hash_password: HashPassword) -> Actor:
    row: UserRow = await user_service.register(
        database.unit_of_work(OPERATOR, now=datetime.now(UTC) - timedelta(days=DAYS + 1)),
        username=name,
        email=f"{name}@example.org",
        password=PASSWORD,
        hash_password=hash_password,
        role=role,
    )
    return Actor(row.id, row.role, None, row.access_version)


def _stories(random: Random, people: list[Actor], now: datetime) -> Iterator[_Story]:
    pairs = [(place, job) for place in _PLACES for job in _JOBS]
    random.shuffle(pairs)
    for place, (title, description) in pairs:
        owner = random.choices(people, weights=(1, 2, 5, 4))[0]
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
