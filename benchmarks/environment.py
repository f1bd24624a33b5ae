"""The environment of a comparison: private database servers on one core, their rows, and valid tokens."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import jwt
import uvloop

import embedded
from benchmarks import dataset
from benchmarks.dataset import row_id
from benchmarks.peers.catalogue import SECRET, Peer
from benchmarks.process import ServerProcess, cores, everywhere, started
from benchmarks.rewind import remove_created, rewind_ours, rewind_theirs
from cli.output import say
from embedded.ports import free_port
from graphql_api.auth.tokens import AccessTokens
from server.settings import Settings

FOLDER: Final = Path(".taskriver/benchmarks")
_THEIRS: Final = "peers"
_SEARCHABLE: Final = "board"
_WRITABLE: Final = dataset.WRITTEN + dataset.DELETABLE
"""The workloads change this number of tasks. In smaller tables tasks are only created and read."""
_COPIES: Final = """
SELECT datname FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', current_database())
"""
_SEARCH_INDEXES: Final = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX IF NOT EXISTS tasks_title_trgm ON tasks USING gin (title gin_trgm_ops);
CREATE INDEX IF NOT EXISTS tasks_description_trgm ON tasks USING gin (description gin_trgm_ops);
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Running database servers with their rows."""

    ours: str
    theirs: str
    redis: str
    tasks: list[UUID]
    folder: Path

    @contextmanager
    def start(self, peer: Peer, *options: str, cpu: int | str | None = cores()[0]) -> Iterator[ServerProcess]:
        """Start a peer, alone on its core unless *cpu* says otherwise; its output goes into a file with its name."""
        port = free_port()
        values = {"port": str(port), "database": self.ours, "redis": self.redis}
        environment = {
            "PORT": str(port),
            "DATABASE_URL": dataset.plain(self.theirs),
            "REDIS_URL": self.redis,
            "JWT_SECRET": SECRET,
            "CHANNEL": channel_of(peer),
            "NODE_ENV": "production",
            **peer.environment,
        }
        command = [*(part.format(**values) for part in peer.command), *options]
        with (
            (self.folder / f"{peer.name}.log").open("w") as log,
            started(command, port=port, cpu=cpu, environment=environment, log=log) as server,
        ):
            yield server

    def database_of(self, peer: Peer) -> str:
        """The database that a peer uses."""
        return self.ours if peer.is_ours else self.theirs

    async def rewind(self, peer: Peer) -> None:
        """Restore the rows that the workloads change, in the database of this peer."""
        if len(self.tasks) < _WRITABLE:
            await remove_created(self.database_of(peer))
            return
        rewind = rewind_ours if peer.is_ours else rewind_theirs
        await rewind(self.database_of(peer), len(self.tasks))

    async def rewind_all(self) -> None:
        """Restore the rows that the workloads change, in both databases."""
        if len(self.tasks) < _WRITABLE:
            await remove_created(self.ours)
            await remove_created(self.theirs)
        else:
            await _rewind_all(self.ours, self.theirs, len(self.tasks))


def channel_of(peer: Peer) -> str:
    """The Redis channel for the changes of a peer."""
    return f"task-status-changed-{peer.name}"


def token_for(peer: Peer, person: int = 1) -> str:
    """A token of the moderator or of another user, valid for at least some minutes."""
    if not peer.is_ours:
        expires = datetime.now(UTC) + timedelta(days=1)
        return jwt.encode({"sub": str(row_id(f"u{person}")), "role": "moderator", "exp": expires}, SECRET, "HS256")
    settings = Settings(_env_file=None)
    tokens = AccessTokens(
        settings.key_ring, settings.token_issuer, settings.token_audience, settings.access_token_lifetime
    )
    return tokens.issue(row_id(f"u{person}"), row_id(f"s{person}"), datetime.now(UTC)).token


@contextmanager
def stage(folder: Path = FOLDER, tasks: int = dataset.TASKS, *, pinned: bool = True) -> Iterator[Stage]:
    """Private servers with this number of tasks, on the second core if *pinned*. *folder* keeps the rows."""
    everywhere()  # reads the cores before the process is pinned
    here = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if pinned and cores()[1] is not None:
        os.sched_setaffinity(0, {cores()[1] or 0})  # the servers inherit it
    servers = folder / f"servers-{tasks}"
    with ExitStack() as stack:
        if here:
            stack.callback(os.sched_setaffinity, 0, here)
        running = stack.enter_context(embedded.running(servers))
        theirs = f"{running.database_url.rpartition('/')[0]}/{_THEIRS}"
        filled, rows = servers / "filled", dataset.fingerprint()
        if not filled.exists() or filled.read_text() != rows:
            say(f"Creating {tasks:,} tasks …")
            uvloop.run(_fill(running.database_url, theirs, tasks))
            filled.write_text(rows)
        if tasks >= _WRITABLE:
            uvloop.run(_rewind_all(running.database_url, theirs, tasks))  # an earlier run may have been interrupted
        ids = uvloop.run(dataset.task_ids(theirs))
        yield Stage(running.database_url, theirs, running.redis_url, ids, folder)


async def _fill(ours: str, theirs: str, tasks: int) -> None:
    connection = await asyncpg.connect(dataset.plain(ours))
    try:
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        for copy in await connection.fetch(_COPIES):
            await connection.execute(f'DROP DATABASE "{copy["datname"]}"')
        await connection.execute(f"CREATE DATABASE {_THEIRS}")
    finally:
        await connection.close()
    await dataset.fill_ours(ours, tasks)
    await dataset.fill_theirs(theirs, tasks)


async def _rewind_all(ours: str, theirs: str, tasks: int) -> None:
    await rewind_ours(ours, tasks)
    await rewind_theirs(theirs, tasks)


async def searchable(theirs: str) -> str:
    """A copy of the peers' tables with indexes for the search, which would slow the other workloads; created once."""
    server = theirs.rpartition("/")[0]
    url = f"{server}/{_SEARCHABLE}"
    connection = await asyncpg.connect(dataset.plain(f"{server}/postgres"))
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", _SEARCHABLE):
            await connection.execute(f"CREATE DATABASE {_SEARCHABLE} TEMPLATE {_THEIRS}")
    finally:
        await connection.close()
    connection = await asyncpg.connect(dataset.plain(url))
    try:
        await connection.execute(_SEARCH_INDEXES)
        await connection.execute("VACUUM ANALYZE tasks")
    finally:
        await connection.close()
    return url
