"""Server processes with what they need, for tests that inject faults.

`Stack` has two processes with their own PostgreSQL and Valkey, and a proxy in front of every connection.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from sqlalchemy import insert, select

from domain.event_parsing import read_event
from domain.events import LoggedEvent
from domain.project import ProjectRole
from domain.user import Role
from embedded.postgres import Postgres
from embedded.valkey import Valkey
from graphql_api.auth.passwords import Passwords
from persistence import migrations
from persistence.database import Database
from persistence.models import EventRow, MembershipRow, TaskRow, UserRow
from persistence.models.base import new_id
from tests.chaos.process import PROJECT, Process
from tests.chaos.proxy import Proxy
from tests.support.transactions import orm_session
from verification.client.account import Account
from verification.client.http import Api
from verification.history import TaskFacts

PASSWORD = "Correct-horse1"
_ROUNDS = 4
ServerT = TypeVar("ServerT", Postgres, Valkey)
_SETTINGS = {
    "BCRYPT_ROUNDS": str(_ROUNDS),
    "COOKIE_SECURE": "false",
    "CLEANUP_SCHEDULE": "off",
    "LOG_LEVEL": "warning",
    "LOGIN_FAILURES_PER_ACCOUNT": "1000",
    "LOGIN_FAILURES_PER_ADDRESS": "1000",
}


@dataclass
class Deployment:
    """Server processes on one database, and access to its tables."""

    folder: Path
    database: Database
    processes: list[Process]
    passwords: Passwords = field(default_factory=lambda: Passwords(_ROUNDS), kw_only=True)
    _turns: "itertools.count[int]" = field(default_factory=itertools.count, kw_only=True)

    def place(self) -> Api:
        """The process for the next connection of a listener."""
        return self.direct()

    def direct(self) -> Api:
        """Each process in turn, without a proxy."""
        return self.processes[next(self._turns) % len(self.processes)].api

    async def a_user(self, name: str, role: Role = Role.USER) -> UserRow:
        """A user with the common password. The tables may be older ones, so only the oldest columns are written."""
        now = datetime.now(UTC)
        values = {
            "id": new_id(),
            "username": name,
            "email": f"{name}@example.org",
            "password_hash": await self.passwords.hash(PASSWORD),
            "role": role,
            "is_active": True,
            "access_version": 1,
            "created_at": now,
            "updated_at": now,
        }
        async with orm_session(self.database) as session:
            await session.execute(insert(UserRow).values(values).inline())
            await session.commit()
        return UserRow(**values)

    def account(self, name: str, *, proxied: bool = False) -> Account:
        """An account of this user at all processes."""
        return Account(self.place if proxied else self.direct, name, PASSWORD)

    async def head(self) -> int:
        """The last position, after all committed events are numbered; waits for the database."""
        while True:
            try:
                async with self.database.log() as log:
                    head = await log.head()
            except Exception:
                await asyncio.sleep(0.05)
                continue
            if not head.pending:
                return head.position
            await asyncio.sleep(0.01)

    async def log(self, after: int = 0) -> list[LoggedEvent]:
        """The events of the log behind a position."""
        async with orm_session(self.database) as session:
            rows = await session.scalars(select(EventRow).where(EventRow.position > after).order_by(EventRow.position))
            return [LoggedEvent(row.position or 0, read_event(row.kind, row.payload)) for row in rows]

    async def tasks(self) -> list[TaskFacts]:
        """Every stored task."""
        async with orm_session(self.database) as session:
            return [
                TaskFacts(row.id, row.version, row.status, row.title, row.owner_id, row.assignee_id)
                for row in await session.scalars(select(TaskRow))
            ]

    async def members(self) -> dict[UUID, dict[UUID, ProjectRole]]:
        """The stored roles in projects, by user and project."""
        found: dict[UUID, dict[UUID, ProjectRole]] = {}
        async with orm_session(self.database) as session:
            for row in await session.scalars(select(MembershipRow)):
                found.setdefault(row.user_id, {})[row.project_id] = row.role
        return found

    async def users(self) -> list[UserRow]:
        """Every user."""
        async with orm_session(self.database) as session:
            return list(await session.scalars(select(UserRow)))

    def logged_errors(self) -> list[str]:
        """The unexpected errors that the processes logged."""
        return [line for process in self.processes for line in process.logged_errors()]


@dataclass
class Stack(Deployment):
    """The running stack. *proxies* are in front of the processes, in the same order."""

    postgres: Postgres
    valkey: Valkey
    database_wire: Proxy
    """Between the first process and PostgreSQL."""
    valkey_wire: Proxy
    """Between the first process and Valkey."""
    proxies: list[Proxy]

    def place(self) -> Api:
        """Each process in turn, through its proxy."""
        return self.through(next(self._turns) % len(self.proxies))

    def through(self, number: int) -> Api:
        """A process, through its proxy."""
        return Api(f"http://127.0.0.1:{self.proxies[number].port}/graphql", timeout=6)

    def another_process(self, name: str, **settings: str) -> Process:
        """One more process without a proxy; use it as a context manager."""
        return Process(self.folder, name, environment(self.postgres.url, self.valkey.url) | settings)


@asynccontextmanager
async def running(
    folder: Path, *, code: Path = PROJECT, revision: str = "head", **settings: str
) -> AsyncIterator[Stack]:
    """A stack that is ready for requests.

    The processes run *code* with these *settings*, on tables of this *revision*.
    """
    async with AsyncExitStack() as stack:
        postgres = await _started(stack, Postgres(folder / "postgres", durable=False))
        valkey = await _started(stack, Valkey(folder / "valkey"))
        database = Database(postgres.url, pool_size=4)
        stack.push_async_callback(database.close)
        await migrations.upgrade(database.engine, revision)
        database_wire = await stack.enter_async_context(Proxy(postgres.port))
        valkey_wire = await stack.enter_async_context(Proxy(valkey.port))
        urls = [
            (_by_way_of(database_wire, postgres), _by_way_of(valkey_wire, valkey)),
            (postgres.url, valkey.url),
        ]
        processes = [
            await stack.enter_async_context(Process(folder, f"process-{number}", environment(*each) | settings, code))
            for number, each in enumerate(urls)
        ]
        proxies = [await stack.enter_async_context(Proxy(process.port)) for process in processes]
        await asyncio.gather(*(process.ready() for process in processes))
        yield Stack(folder, database, processes, postgres, valkey, database_wire, valkey_wire, proxies)


def environment(database_url: str, redis_url: str) -> dict[str, str]:
    """The settings of a process."""
    return _SETTINGS | {"DATABASE_URL": database_url, "REDIS_URL": redis_url}


def _by_way_of(wire: Proxy, server: Postgres | Valkey) -> str:
    return server.url.replace(f":{server.port}/", f":{wire.port}/")


async def _started(stack: AsyncExitStack, server: ServerT) -> ServerT:
    await asyncio.to_thread(server.start)
    stack.push_async_callback(asyncio.to_thread, server.stop, "immediate")
    return server
