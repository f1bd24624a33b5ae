"""The outages: what is injected into running servers, and what an operator does."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import text

from persistence import migrations
from tests.chaos.process import PROJECT, Process
from tests.outages.disks import SmallDisk
from tests.outages.servers import Servers

Inject = Callable[[Servers, float], Awaitable[None]]
"""Injects an outage for a number of seconds, and returns when it is over."""

STOPPED_SECONDS: Final = 0.4
FLOWING_SECONDS: Final = 0.1
"""A slow disk writes nothing and then everything, for these times in turn."""


@dataclass(frozen=True)
class Outage:
    """One row of the table. *disk* is what the small disk contains. *injected* and *advice* are texts of the table.

    *from_release*: the processes run the code of the previous release at first. It lasts *factor* times as long as the
    others.
    """

    name: str
    injected: str
    advice: str
    inject: Inject
    disk: Literal["data", "wal", "slow"] | None = None
    from_release: bool = False
    factor: float = 1.0


async def upgrade(servers: Servers, seconds: float) -> None:
    """Run the migrations, then replace the processes one after the other by processes of this version."""
    await migrations.upgrade(servers.stack.database.engine)
    for process in servers.processes:
        process.signal(signal.SIGTERM)
        await process.ended()
        await _start(process)


async def kill_process(servers: Servers, seconds: float) -> None:
    """Kill the first process, and start it again later."""
    process = servers.processes[0]
    process.signal(signal.SIGKILL)
    await process.ended()
    await asyncio.sleep(seconds)
    await _start(process)


async def hang_process(servers: Servers, seconds: float) -> None:
    """Suspend the first process; later replace it."""
    process = servers.processes[0]
    process.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.signal(signal.SIGKILL)
    await process.ended()
    await _start(process)


async def kill_valkey(servers: Servers, seconds: float) -> None:
    """Kill Valkey, and start it again later, empty."""
    await asyncio.to_thread(servers.stack.valkey.kill)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(servers.stack.valkey.start)


async def fill_disk(servers: Servers, seconds: float) -> None:
    """Keep the disk of PostgreSQL full, then free it, and start PostgreSQL again if it has ended."""
    await _disk(servers).full(seconds)
    await asyncio.to_thread(_start_if_ended, servers)


async def fill_wal(servers: Servers, seconds: float) -> None:
    """Keep the disk of the WAL full, and use the space that PostgreSQL has reserved there; then as `fill_disk`."""
    using = asyncio.create_task(_use_reserved_wal(servers))
    await fill_disk(servers, seconds)
    using.cancel()
    await asyncio.gather(using, return_exceptions=True)


async def _use_reserved_wal(servers: Servers) -> None:
    """Begin one WAL file after the other, until PostgreSQL cannot create one and ends its sessions."""
    while not _disk(servers).is_filled:
        await asyncio.sleep(0.01)
    with suppress(Exception):  # whichever error the end of the session leads to
        while True:
            async with servers.stack.database.engine.begin() as connection:
                await connection.execute(text("SELECT pg_switch_wal()"))
            await asyncio.sleep(0.01)


async def slow_disk(servers: Servers, seconds: float) -> None:
    """Stop the disk of PostgreSQL again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await _disk(servers).stop(STOPPED_SECONDS)
        await asyncio.sleep(FLOWING_SECONDS)


async def stop_disk(servers: Servers, seconds: float) -> None:
    """Stop the disk of PostgreSQL."""
    await _disk(servers).stop(seconds)


async def cut_off_process(servers: Servers, seconds: float) -> None:
    """Let no packet pass between the first process and PostgreSQL; then its connections break."""
    await _partition(servers, 1, seconds)


async def cut_off_all(servers: Servers, seconds: float) -> None:
    """Let no packet pass between the processes and PostgreSQL; then the connections break."""
    await _partition(servers, len(servers.database_wires), seconds)


async def _partition(servers: Servers, number: int, seconds: float) -> None:
    for wire in servers.database_wires[:number]:
        wire.stall()
    await asyncio.sleep(seconds)
    for wire in servers.database_wires[:number]:
        wire.cut()
        wire.flow()


async def _start(process: Process) -> None:
    process.code = PROJECT
    process.launch()
    await process.ready()


def _disk(servers: Servers) -> SmallDisk:
    assert servers.disk is not None
    return servers.disk


def _start_if_ended(servers: Servers) -> None:
    if not servers.postgres.find():
        servers.postgres.start()


OUTAGES: Final = (
    Outage(
        "upgrade",
        "The migrations, then SIGTERM and a start with the new code for one process after the other",
        "Nothing: see [Upgrade without downtime](deployment.md#upgrade-without-downtime).",
        upgrade,
        from_release=True,
    ),
    Outage(
        "process killed",
        "SIGKILL of one of two processes, which starts again after {seconds:.0f} s; connections to it are refused",
        "Let systemd, Compose or Kubernetes restart it. The proxy sends requests to the others when `/readyz` fails.",
        kill_process,
    ),
    Outage(
        "node lost",
        "SIGSTOP of one of two processes, so that nothing answers; killed and started again after {seconds:.0f} s",
        "Let the proxy check `/readyz` with a time-out, and replace the node.",
        hang_process,
        factor=2.0,
    ),
    Outage(
        "full disk: tables",
        "The disk with the tables, not the WAL, full for {seconds:.0f} s",
        "Free space, or enlarge the disk. Alert at 80 %. Nothing needs to be restarted.",
        fill_disk,
        disk="data",
    ),
    Outage(
        "full disk: WAL",
        "The disk with the WAL full for {seconds:.0f} s, without reserved WAL files; then PostgreSQL is started again"
        " if it has ended",
        "Free space; never delete files of `pg_wal`. Look for a replication slot or an archive command that fails.",
        fill_wal,
        disk="wal",
    ),
    Outage(
        "dead Redis",
        "SIGKILL of Valkey, which starts again, empty, after {seconds:.0f} s",
        "Restart it. Nothing is lost.",
        kill_valkey,
    ),
    Outage(
        "slow disk",
        "The disk of PostgreSQL writes nothing for 0.4 s of each 0.5 s (`fsfreeze`), for {seconds:.0f} s",
        "Look at the latency of the disk, and at what else writes to it.",
        slow_disk,
        disk="slow",
    ),
    Outage(
        "disk that hangs",
        "The disk of PostgreSQL writes nothing for {seconds:.0f} s (`fsfreeze`)",
        "Repair the disk, or fail over to a standby.",
        stop_disk,
        disk="slow",
    ),
    Outage(
        "partition: one process",
        "No packet passes between one of two processes and PostgreSQL for {seconds:.0f} s",
        "Let the proxy check `/readyz`. Repair the network.",
        cut_off_process,
    ),
    Outage(
        "partition: all processes",
        "No packet passes between the processes and PostgreSQL for {seconds:.0f} s",
        "Repair the network.",
        cut_off_all,
    ),
)
