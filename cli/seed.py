"""`taskriver seed`: create test data of any size."""

import asyncio
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Annotated, Final
from uuid import UUID, uuid5

import typer

from cli.connections import database_of
from cli.demo_data import DAYS, PASSWORD
from cli.errors import CommandError
from cli.output import AsJSON, counted, examples, print_result
from cli.progress import ProgressBar
from cli.sample_texts import JOBS, PLACES
from cli.settings import read_settings
from domain.actor import OPERATOR, Actor
from domain.errors import NotFound
from domain.task import TaskPriority, TaskStatus
from graphql_api.auth.passwords import Passwords
from persistence.database import Database
from server.settings import Settings
from services import user as user_service
from services.import_export import BATCH_SIZE, ImportedTask, import_tasks

Tasks = Annotated[int, typer.Option(metavar="N", min=1, max=10_000_000, help="Total number of tasks.")]
Users = Annotated[int, typer.Option(metavar="N", min=1, max=999, help="Number of users who own them, in equal shares.")]
InProduction = Annotated[bool, typer.Option("--in-production", help="Allow it when ENVIRONMENT is production.")]

EXAMPLES: Final = examples("taskriver seed --tasks 100000", "taskriver seed --tasks 5000 --users 50 --json")

_NAMESPACE: Final = UUID("2b1c7c1e-3c5c-5d5e-8a6b-9d8b4f0e7a52")
_CONCURRENT_BATCHES: Final = 2
"""While the database stores one batch, the next one is generated."""


def seed(tasks: Tasks = 1_000, users: Users = 10, in_production: InProduction = False, as_json: AsJSON = False) -> None:
    """Create test data: users and their tasks.

    The tasks are created like imported ones: each has an event, so that subscribers receive it and the history of the
    task starts with it. A second run creates only what is missing.
    """
    settings = read_settings()
    if settings.is_production and not in_production:
        raise CommandError(
            "ENVIRONMENT is production: clients would receive the test data. Use --in-production to create them anyway."
        )
    with ProgressBar("tasks", total=tasks) as meter:
        created = asyncio.run(_seed(settings, tasks, users, meter))
    facts = {"created": created, "tasks": meter.count, "users": users}
    existing = meter.count - created
    words = [
        f"Created {counted(created, 'task')} ({meter.rate:,.0f}/s)"
        + (f", {existing:,} existed already." if existing else ".")
    ]
    words.append(f"They belong to {_name(1)} … {_name(users)}" if users > 1 else f"They belong to {_name(1)}")
    words.append(", who cannot sign in." if settings.is_production else f", password {PASSWORD}.")
    rates = {"seconds": round(meter.seconds, 3), "rate": round(meter.rate, 1)}
    print_result(f"{words[0]}\n{words[1]}{words[2]}", facts | rates, as_json=as_json)


async def _seed(settings: Settings, tasks: int, users: int, meter: ProgressBar) -> int:
    async with database_of(settings, no_timeouts=True) as database:
        owners = await _users(database, settings, users)
        batches = _batches(owners, tasks)
        counts = await asyncio.gather(*(_create_batches(database, batches, meter) for _ in range(_CONCURRENT_BATCHES)))
        return sum(counts)


async def _create_batches(database: Database, batches: Iterator[tuple[Actor, range]], meter: ProgressBar) -> int:
    created = 0
    for owner, numbers in batches:
        batch = [_task(owner, number, datetime.now(UTC)) for number in numbers]
        done = await import_tasks(database.unit_of_work(owner), tasks=batch)
        created += len(done.created)
        meter.advance(len(batch), at=meter.count + len(batch))
    return created


def _batches(owners: list[Actor], tasks: int) -> Iterator[tuple[Actor, range]]:
    for place, owner in enumerate(owners):
        share = tasks // len(owners) + (place < tasks % len(owners))
        for first in range(0, share, BATCH_SIZE):
            yield owner, range(first, min(first + BATCH_SIZE, share))


async def _users(database: Database, settings: Settings, users: int) -> list[Actor]:
    # All users have the same password, so one hash is enough. In production the password is random and unknown.
    passwords = Passwords(settings.bcrypt_rounds)
    password = f"{secrets.token_hex(20)}-Aa1" if settings.is_production else PASSWORD
    try:
        password_hash = await passwords.hash(password)
    finally:
        passwords.close()

    async def known(password: str) -> str:
        return password_hash

    found = []
    for number in range(1, users + 1):
        name, email = _name(number), f"{_name(number)}@example.org"
        try:
            user = await user_service.get_user_by_name(database.unit_of_work(OPERATOR), username=name)
        except NotFound:
            user = await user_service.register(
                database.unit_of_work(OPERATOR), username=name, email=email, password=password, hash_password=known
            )
        if user.email != email:
            raise CommandError(
                f"The user {name} exists, but was not created by `taskriver seed`: its e-mail address is not {email}."
            )
        found.append(Actor(user.id, user.role, None, user.access_version, name=user.username))
    return found


def _name(number: int) -> str:
    return f"seed-{number:03}"


def _task(owner: Actor, number: int, now: datetime) -> ImportedTask:
    """The task with this number of an owner. It is the same in every run, except for its times."""
    name = f"{owner.user_id}/{number}"
    random = Random(name)
    title, description = random.choice(JOBS)
    status = random.choices(list(TaskStatus), weights=(5, 3, 4, 1))[0]
    created_at = now - timedelta(minutes=random.randint(1, DAYS * 24 * 60))
    due_at = now + timedelta(hours=random.randint(-200, 900))
    return ImportedTask(
        task_id=uuid5(_NAMESPACE, name),
        title=f"{title.format(random.choice(PLACES))} ({number + 1})",
        description=description,
        status=status,
        priority=random.choices(list(TaskPriority), weights=(3, 6, 3, 1))[0],
        due_at=due_at.replace(minute=0, second=0, microsecond=0) if random.random() < 0.7 else None,
        assignee_id=owner.user_id if random.random() < 0.3 else None,
        created_at=created_at,
        completed_at=created_at + (now - created_at) * random.random() if status is TaskStatus.DONE else None,
    )
