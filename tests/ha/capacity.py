"""`python -m tests.ha.capacity`: how many requests a second the cluster answers, and which program uses the processor.

The programs share the cores of one machine, so the rate is that of the machine. The processor time per request is
that of each program, and says how many requests a second a core of it can serve.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

import psutil

from benchmarks.dialects import Request
from benchmarks.numbering import EVENTS, commit_events
from benchmarks.posting import post_all
from domain.user import Role
from embedded.accounts import account_for
from server import signals
from tests.ha.cluster import ClusterDeployment, Shape, running
from tests.ha.folder import run_folder
from tests.ha.programs import find_or_install

_CREATE: Final = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }"
_PAGE: Final = """{ tasks(first: 20) {
  streamCursor nodes { id title status priority version updatedAt owner { username } assignee { username } }
  pageInfo { hasNextPage endCursor } } }"""
_READ_SECONDS: Final = 2.0
"""The time in which the processes read what is numbered."""
_PROCESSES: Final = (1, 2, 3, 4)
_HEADER: Final = (
    "| request | processes | per second | ms of processor per request: Taskriver | primary | each standby |"
)


@dataclass(frozen=True)
class Point:
    """One measurement: requests a second, and milliseconds of processor time per request by program."""

    request: str
    processes: int
    rate: float
    milliseconds: dict[str, float]

    def row(self) -> str:
        """The row of the table."""
        cells = (f"{each:.2f}" for each in self.milliseconds.values())
        return f"| {self.request} | {self.processes} | {self.rate:,.0f} | {' | '.join(cells)} |"


async def main() -> int:
    """Print the table."""
    options = _options()
    programs = await asyncio.to_thread(find_or_install, account_for())
    if programs is None:
        sys.stdout.write("The programs of the cluster are missing: see make ha.\n")
        return 1
    with run_folder() as folder:
        shape = Shape(synchronous=True, pooler=not options.without_pooler, sentinel=True)
        async with running(folder, programs, shape, processes=max(_PROCESSES)) as deployment:
            points = [
                await _load(deployment, name, requests, number, options.requests)
                for name, requests in LOADS.items()
                for number in _PROCESSES
            ]
            points.append(await _follow(deployment))
    more = list(points[0].milliseconds)[3:]
    header = " ".join((_HEADER, *(f"{name} |" for name in more)))
    lines = [header, "| --- " * (6 + len(more)) + "|", *(point.row() for point in points)]
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.ha.capacity")
    parser.add_argument("--requests", type=int, default=8000, help="so many for each number of processes")
    parser.add_argument("--without-pooler", action="store_true", help="connect to HAProxy")
    return parser.parse_args()


async def _load(on: ClusterDeployment, name: str, request: Request, processes: int, number: int) -> Point:
    """Send a request so often through the first processes, as fast as they answer."""
    username = f"user-{next(_numbers)}"
    await on.a_user(username, Role.USER)
    token = await on.account(username).token()
    each = number // processes
    await asyncio.gather(*(post_all(process.port, token, [_NEW_TASK] * 40) for process in on.processes))
    before, begun = await _used(on), time.perf_counter()
    chosen = on.processes[:processes]
    await asyncio.gather(*(post_all(process.port, token, [request] * each) for process in chosen))
    seconds, after, sent = time.perf_counter() - begun, await _used(on), each * processes
    used = {program: (after[program] - before[program]) / sent * 1000 for program in before}
    return Point(name, processes, sent / seconds, used)


async def _follow(on: ClusterDeployment) -> Point:
    """Commit events at once, which the processes number and read; none of them has a subscriber."""
    before = await _used(on)
    await commit_events(on.cluster.direct_url, EVENTS)
    committed = time.perf_counter()
    await on.head()
    seconds = time.perf_counter() - committed
    await asyncio.sleep(_READ_SECONDS)
    after = await _used(on)
    used = {program: (after[program] - before[program]) / EVENTS * 1000 for program in before}
    return Point("an event of another writer", len(on.processes), EVENTS / seconds, used)


def _post(query: str, variables: dict[str, object]) -> Request:
    return Request("POST", "/graphql", json.dumps({"query": query, "variables": variables}))


_NEW_TASK: Final = _post(_CREATE, {"input": {"title": "Prepare the quarterly report"}})
LOADS: Final = {"a new task": _NEW_TASK, "a page of 20 tasks": _post(_PAGE, {})}
_numbers: Final = count()


async def _used(on: ClusterDeployment) -> dict[str, float]:
    """The seconds of processor time that each program has used."""
    primary, bouncer = await on.cluster.primary(), on.cluster.pgbouncer
    pooler = {"PgBouncer": _seconds([bouncer.pid])} if bouncer is not None else {}
    standbys = [node for node in on.cluster.nodes if node is not primary]
    return {
        "Taskriver": sum(_seconds([process.child.pid]) for process in on.processes),
        "primary": _seconds(primary.postgres_processes()),
        "standby": sum(_seconds(node.postgres_processes()) for node in standbys) / len(standbys),
        "HAProxy": _seconds(psutil.Process(on.cluster.haproxy.pid).children()),
        **pooler,
    }


def _seconds(processes: Sequence[int | psutil.Process]) -> float:
    """The processor time of these processes, and of their children that have ended."""
    total = 0.0
    for each in processes:
        times = (psutil.Process(each) if isinstance(each, int) else each).cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


if __name__ == "__main__":
    sys.exit(signals.run(main()))
