"""Two processes with metrics on a durable PostgreSQL, each with a proxy on both sides."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from embedded.postgres import Postgres
from embedded.valkey import Valkey
from persistence import migrations
from persistence.database import Database
from tests.chaos.process import PROJECT, Process
from tests.chaos.proxy import Proxy
from tests.chaos.stack import Stack
from tests.outages.disks import SmallDisk
from tests.support.ports import reserved_port
from tests.support.release import last_revision

PROCESSES: Final = 2
_SETTINGS: Final = {
    "BCRYPT_ROUNDS": "4",
    "COOKIE_SECURE": "false",
    "CLEANUP_SCHEDULE": "off",
    "LOG_LEVEL": "warning",
    "SHUTDOWN_SECONDS": "5",
    "LOGIN_FAILURES_PER_ACCOUNT": "1000",
    "LOGIN_FAILURES_PER_ADDRESS": "1000",
}


@dataclass
class Servers:
    """The running servers. *database_wires* are between the processes and PostgreSQL, in the same order."""

    stack: Stack
    database_wires: list[Proxy]
    metrics_ports: list[int]
    disk: SmallDisk | None

    @property
    def postgres(self) -> Postgres:
        """The database server."""
        return self.stack.postgres

    @property
    def processes(self) -> list[Process]:
        """The processes of the API."""
        return self.stack.processes


@dataclass(frozen=True)
class Places:
    """Folders: of everything, of PostgreSQL, and of its WAL if that is elsewhere. *disk* has one of the last two."""

    folder: Path
    postgres: Path
    wal: Path | None = None
    disk: SmallDisk | None = None


@asynccontextmanager
async def running(places: Places, code: Path | None = None) -> AsyncIterator[Servers]:
    """Servers that are ready. The processes run *code* on its tables, by default this version."""
    async with AsyncExitStack() as stack:
        postgres, valkey = Postgres(places.postgres), Valkey(places.folder / "valkey")
        for server in (postgres, valkey):
            await asyncio.to_thread(server.start)
            stack.push_async_callback(asyncio.to_thread, server.stop, "immediate")
        if places.wal is not None:
            await asyncio.to_thread(_move_wal, postgres, places.wal)
        database = Database(postgres.url, pool_size=4)
        stack.push_async_callback(database.close)
        await migrations.upgrade(database.engine, "head" if code is None else last_revision(code))
        wires = [await stack.enter_async_context(Proxy(postgres.port)) for _ in range(PROCESSES)]
        valkey_wire = await stack.enter_async_context(Proxy(valkey.port))
        ports = [reserved_port() for _ in range(PROCESSES)]
        environments = [
            _SETTINGS
            | {"DATABASE_URL": _by_way_of(wire, postgres), "REDIS_URL": _by_way_of(valkey_wire, valkey)}
            | {"METRICS_PORT": str(port)}
            for wire, port in zip(wires, ports, strict=True)
        ]
        processes = [
            await stack.enter_async_context(Process(places.folder, f"process-{number}", environment, code or PROJECT))
            for number, environment in enumerate(environments)
        ]
        proxies = [await stack.enter_async_context(Proxy(process.port)) for process in processes]
        await asyncio.gather(*(process.ready() for process in processes))
        yield Servers(
            Stack(
                folder=places.folder,
                postgres=postgres,
                valkey=valkey,
                database=database,
                database_wire=wires[0],
                valkey_wire=valkey_wire,
                processes=processes,
                proxies=proxies,
            ),
            wires,
            ports,
            places.disk,
        )


def _by_way_of(wire: Proxy, server: Postgres | Valkey) -> str:
    return server.url.replace(f":{server.port}/", f":{wire.port}/")


def _move_wal(postgres: Postgres, target: Path) -> None:
    """Move the WAL to another folder, and start PostgreSQL again."""
    postgres.stop()
    wal = postgres.data / "pg_wal"
    subprocess.run(["cp", "-a", str(wal), str(target)], check=True)
    shutil.rmtree(wal)
    wal.symlink_to(target)
    postgres.start()
