"""Where a comparison takes place: private servers on one core, the rows in them, and tokens that are good."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import jwt
import uvloop

import embedded
from benchmarks import dataset
from benchmarks.peers.catalogue import SECRET, Peer
from benchmarks.process import ServerProcess, cores, everywhere, started
from cli.output import say
from embedded.ports import free_port
from graphql_api.auth.tokens import AccessTokens
from server.settings import Settings

FOLDER: Final = Path(".taskriver/benchmarks")
_THEIRS: Final = "peers"


@dataclass(frozen=True, slots=True)
class Stage:
    """Servers that run, with the rows in them."""

    ours: str
    theirs: str
    redis: str
    tasks: list[UUID]
    folder: Path

    @contextmanager
    def start(self, peer: Peer, *options: str, cpu: int | str | None = cores()[0]) -> Iterator[ServerProcess]:
        """A peer, alone on its core unless *cpu* says otherwise; what it says goes into a file of its name."""
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


def channel_of(peer: Peer) -> str:
    """The Redis channel for the changes of a peer; each has its own."""
    return f"task-status-changed-{peer.name}"


def token_for(peer: Peer, person: int = 1) -> str:
    """A token of the moderator or of another user, valid for some minutes at least."""
    if not peer.is_ours:
        expires = datetime.now(UTC) + timedelta(days=1)
        return jwt.encode({"sub": f"user{person}", "role": "moderator", "exp": expires}, SECRET, "HS256")
    settings = Settings(_env_file=None)
    tokens = AccessTokens(
        settings.key_ring, settings.token_issuer, settings.token_audience, settings.access_token_lifetime
    )
    return tokens.issue(row_id(f"u{person}"), row_id(f"s{person}"), datetime.now(UTC)).token


@contextmanager
def stage(folder: Path = FOLDER, tasks: int = dataset.TASKS, *, pinned: bool = True) -> Iterator[Stage]:
    """Private servers with so many tasks, on the second core if *pinned*; *folder* keeps the rows for the next time."""
    everywhere()  # is known from now on
    here = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if pinned and cores()[1] is not None:
        os.sched_setaffinity(0, {cores()[1] or 0})  # before the servers start, for they inherit it
    servers = folder / f"servers-{tasks}"
    with ExitStack() as stack:
        if here:
            stack.callback(os.sched_setaffinity, 0, here)
        running = stack.enter_context(embedded.running(servers))
        theirs = f"{running.database_url.rpartition('/')[0]}/{_THEIRS}"
        filled, rows = servers / "filled", dataset.fingerprint()
        if not filled.exists() or filled.read_text() != rows:
            say(f"Making {tasks:,} tasks …")
            uvloop.run(_fill(running.database_url, theirs, tasks))
            filled.write_text(rows)
        ids = uvloop.run(dataset.task_ids(theirs))
        yield Stage(running.database_url, theirs, running.redis_url, ids, folder)


async def _fill(ours: str, theirs: str, tasks: int) -> None:
    connection = await asyncpg.connect(dataset.plain(ours))
    try:
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        await connection.execute(f"DROP DATABASE IF EXISTS {_THEIRS}")
        await connection.execute(f"CREATE DATABASE {_THEIRS}")
    finally:
        await connection.close()
    await dataset.fill_ours(ours, tasks)
    await dataset.fill_theirs(theirs, tasks)


def row_id(seed: str) -> UUID:
    """The id that the rows give to `u7`, the seventh user, or `s7`, their session."""
    return UUID(bytes=md5(seed.encode(), usedforsecurity=False).digest())
