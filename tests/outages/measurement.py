"""One outage under load, and what users and operators noticed."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.events import TaskEvent
from tests.chaos.fault_run import FaultRun
from tests.chaos.retrying_clients import GOOD, INTERVAL_SECONDS, Attempt, RetryingClients, unexpected_tasks
from tests.outages.disks import file_disk, memory_disk
from tests.outages.observer import Observer
from tests.outages.outages import Outage
from tests.outages.servers import Places, Servers, running
from tests.support.folders import server_folder
from tests.support.release import extract_release
from verification.client.http import Api
from verification.history import History

CHANGES: Final = 40
"""Acknowledged changes before the outage, and after it."""
REQUESTS: Final = 20
"""Requests that succeed at their first attempt, before the outage and after it."""
_MEGABYTES: Final = {"data": 256, "wal": 128, "slow": 1024}
_REQUEST_SECONDS: Final = 10.0
"""The time-out of a client."""


@dataclass(frozen=True)
class Measurement:
    """What was noticed. Times are in seconds, those of attempts since the beginning of the outage."""

    outage: Outage
    seconds: float
    attempts: list[Attempt]
    """Those that ended after the beginning."""
    begun: float
    longest_request: float
    usual_delay: float
    """The median time from the acknowledgement of a change to its arrival, before the outage."""
    longest_delay: float
    listeners: int
    reconnects: int
    resyncs: int
    acknowledged: int
    problems: list[str]
    """What must not happen: changes that are lost, repeated, forbidden or wrong, requests that do not succeed, bugs."""
    health: list[str]
    metrics: list[str]
    log_lines: Counter[str]

    @property
    def failed(self) -> list[Attempt]:
        """The attempts that did not succeed."""
        return [each for each in self.attempts if each.result != GOOD]


async def measure(outage: Outage, seconds: float) -> Measurement:
    """Inject an outage into servers of its own, while users write, listen and repeat what fails.

    Raises:
        NoDiskError: the outage needs a disk that cannot be mounted here.
        NoHistoryError: it needs the code of the previous release.
    """
    seconds *= outage.factor
    with server_folder("outages") as folder, _places(outage, folder) as places:
        code = extract_release(folder / "release") if outage.from_release else None
        async with running(places, code) as servers:
            return await _measure(outage, seconds, servers)


async def _measure(outage: Outage, seconds: float, servers: Servers) -> Measurement:
    stack = servers.stack
    run, observer = FaultRun(stack), Observer(servers)
    await stack.a_user("patient")
    apis = [Api(process.api.url, timeout=_REQUEST_SECONDS) for process in servers.processes]
    clients = RetryingClients(apis, await stack.account("patient").token(), most_open=round(seconds / INTERVAL_SECONDS))
    async with run.running(), clients.running():
        await run.acknowledged(CHANGES)
        await clients.succeed(REQUESTS)
        async with observer.running():
            begun = time.monotonic()
            await outage.inject(servers, seconds)
            ended = time.monotonic()
            await run.acknowledged(CHANGES)
            await clients.succeed(REQUESTS)
            await run.settle(outage.name)
    await run.settle("the end")
    outcome = await run.outcome(1, ended - begun)
    attempts = [each for each in clients.attempts if each.ended > begun]
    before, after = _delays(outcome.history, begun)
    return Measurement(
        outage=outage,
        seconds=seconds,
        attempts=attempts,
        begun=begun,
        longest_request=max(each.seconds for each in clients.requests),
        usual_delay=statistics.median(before),
        longest_delay=max(after),
        listeners=len(run.followers),
        reconnects=outcome.reconnects,
        resyncs=outcome.report.resyncs,
        acknowledged=outcome.report.acknowledged + sum(each.title is not None for each in clients.requests),
        problems=[
            *map(str, outcome.report.findings),
            *(f"a request failed: {result}" for result in clients.refused),
            *await unexpected_tasks(clients, stack.database),
            *outcome.logged_errors,
        ],
        health=observer.health(),
        metrics=observer.metrics(),
        log_lines=observer.log_lines(),
    )


@contextmanager
def _places(outage: Outage, folder: Path) -> Iterator[Places]:
    """Where the servers store their data; a disk is mounted if the outage needs one."""
    if outage.disk is None:
        yield Places(folder, folder / "postgres")
        return
    mounted = file_disk if outage.disk == "slow" else memory_disk
    with mounted(folder / "disk", _MEGABYTES[outage.disk]) as disk:
        if outage.disk == "slow":
            yield Places(folder, disk.folder / "postgres", disk=disk)
        elif outage.disk == "data":
            yield Places(folder, disk.folder / "postgres", wal=folder / "wal", disk=disk)
        else:
            yield Places(folder, folder / "postgres", wal=disk.folder / "wal", disk=disk)


def _delays(history: History, begun: float) -> tuple[list[float], list[float]]:
    """Seconds from acknowledgements to arrivals, for changes that began before the outage and for later ones."""
    writes = {(write.task_id, write.version): write for write in history.writes}
    changes = {
        logged.position: writes.get((logged.event.task_id, logged.event.version))
        for logged in history.log
        if isinstance(logged.event, TaskEvent)
    }
    delays: tuple[list[float], list[float]] = ([], [])
    for listener in history.listeners:
        arrived: set[int] = set()
        for item in (item for connection in listener.connections for item in connection.items):
            write = changes.get(item.cursor.position)
            if write is not None and item.cursor.position not in arrived:
                delays[write.acked > begun].append(max(0.0, item.received - write.acked))
            arrived.add(item.cursor.position)
    return delays
