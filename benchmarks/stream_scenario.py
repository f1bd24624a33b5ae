"""The parts of a stream: subscribers, and a writer that changes tasks."""

import resource
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Final
from uuid import uuid4

import embedded
from domain.actor import Actor
from domain.task import TaskStatus
from domain.user import Role
from graphql_api.auth.tokens import AccessTokens
from persistence import migrations
from persistence.database import Database
from persistence.models import SessionRow, UserRow
from persistence.models.base import new_id
from server.settings import Settings
from services import task as task_service
from services import task_creation
from streaming.notifier import Notifier
from streaming.stream import Stream

PEOPLE: Final = 50
TASKS: Final = 10
_TO_AND_FRO: Final = (TaskStatus.IN_PROGRESS, TaskStatus.TODO)


class World:
    """A process that writes: it numbers its events and publishes notifications, like a server process."""

    def __init__(self, database: Database, tokens: list[str], owner: Actor, tasks: list[object]) -> None:
        self._database = database
        self._tokens = tokens
        self._owner = owner
        self._moves = cycle([(task, status) for status in _TO_AND_FRO for task in tasks])

    def tokens(self, many: int) -> list[str]:
        """Tokens for this number of sockets. They belong to moderators, who see all tasks."""
        return [token for token, _ in zip(cycle(self._tokens), range(many), strict=False)]

    async def move(self) -> None:
        """Change the status of the next task."""
        task, status = next(self._moves)
        uow = self._database.unit_of_work(self._owner)
        await task_service.update_task_status(uow, task_id=task, status=status)  # type: ignore[arg-type]  # *status* is the name of a TaskStatus


@contextmanager
def servers() -> Iterator[embedded.Servers]:
    """Private servers, and as many open files as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder, embedded.running(Path(folder), durable=False) as running:
        yield running


@asynccontextmanager
async def a_world(database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Tables, people and tasks."""
    database = Database(database_url)
    await migrations.upgrade(database.engine)
    users = [_a_user(number) for number in range(PEOPLE)]
    sessions = [_a_session() for _ in users]
    async with database.unit_of_work(None) as uow:
        for user, session in zip(users, sessions, strict=True):
            user.id = session.user_id = new_id()
            session.id = new_id()
            uow.users.add(user)
            uow.sessions.add(session)
        await uow.commit()
    owner = Actor(users[0].id, Role.MODERATOR, sessions[0].id, 1)
    stream = Stream(database, Notifier(redis_url))
    await stream.start()
    tasks = [
        (await task_creation.create_task(database.unit_of_work(owner), title=f"Task {number}")).id
        for number in range(TASKS)
    ]
    try:
        yield World(database, _tokens(users, sessions), owner, list(tasks))
    finally:
        await stream.stop()
        await database.close()


def _tokens(users: list[UserRow], sessions: list[SessionRow]) -> list[str]:
    settings = Settings(_env_file=None)
    made = AccessTokens(
        settings.key_ring, settings.token_issuer, settings.token_audience, settings.access_token_lifetime
    )
    pairs = zip(users, sessions, strict=True)
    return [made.issue(user.id, session.id, datetime.now(UTC)).token for user, session in pairs]


def _a_user(number: int) -> UserRow:
    now = datetime.now(UTC)
    return UserRow(
        username=f"listener{number}",
        email=f"listener{number}@example.org",
        password_hash="!",  # noqa: S106 - no password has this hash
        role=Role.MODERATOR,
        is_active=True,
        access_version=1,
        created_at=now,
        updated_at=now,
    )


def _a_session() -> SessionRow:
    now = datetime.now(UTC)
    return SessionRow(
        token_hash=uuid4().bytes * 2,
        key_id="dev",
        ip_address="127.0.0.1",
        user_agent=None,
        created_at=now,
        expires_at=now + timedelta(days=1),
        last_used_at=None,
    )
