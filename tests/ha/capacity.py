"""`python -m tests.ha.capacity`: how many changes a second the cluster makes, and which program uses the processor.

The programs share the cores of one machine, so the rate is that of the machine. The processor time per change is that
of each program, and says how many changes a second a core of it can make.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from benchmarks.dialects import Request
from benchmarks.posting import post_all
from domain.user import Role
from embedded.accounts import account_for
from server import signals
from tests.ha.cluster import ClusterDeployment, Shape, running
from tests.ha.folder import run_folder
from tests.ha.programs import find_or_install

_CREATE: Final = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }"
_PROCESSES: Final = (1, 2, 3, 4)
_HEADER: Final = (
    "| processes | changes a second | ms of processor per change: Taskriver | primary | each standby | PgBouncer |"
    " HAProxy |"
)


@dataclass(frozen=True)
class Point:
    """One measurement: changes a second, and milliseconds of processor time per change by program."""

    processes: int
    rate: float
    milliseconds: dict[str, float]

    def row(self) -> str:
        """The row of the table."""
        cells = (f"{each:.2f}" for each in self.milliseconds.values())
        return f"| {self.processes} | {self.rate:,.0f} | {' | '.join(cells)} |"


async def main() -> int:
    """Print the table."""
    options = _options()
    programs = await asyncio.to_thread(find_or_install, account_for())
    if programs is None:
        sys.stdout.write("The programs of the cluster are missing: see make ha.\n")
        return 1
    with run_folder() as folder:
        shape = Shape(synchronous=True, pooler=True, sentinel=True)
        async with running(folder, programs, shape, processes=max(_PROCESSES)) as deployment:
            await _changes_with(deployment, max(_PROCESSES), options.changes // 4)
            points = [await _changes_with(deployment, number, options.changes) for number in _PROCESSES]
    lines = [_HEADER, "| --- " * 7 + "|", *(point.row() for point in points)]
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.ha.capacity")
    parser.add_argument("--changes", type=int, default=8000, help="so many for each number of processes")
    return parser.parse_args()


async def _changes_with(on: ClusterDeployment, processes: int, changes: int) -> Point:
    """Create tasks through the first processes as fast as they answer."""
    name = f"user{processes}x{changes}"
    await on.a_user(name, Role.USER)
    token = await on.account(name).token()
    chosen = on.processes[:processes]
    before, begun = await _used(on), time.perf_counter()
    each = changes // processes
    await asyncio.gather(*(post_all(process.port, token, _requests(each)) for process in chosen))
    seconds, after = time.perf_counter() - begun, await _used(on)
    made = each * processes
    return Point(processes, made / seconds, {name: (after[name] - before[name]) / made * 1000 for name in before})


def _requests(number: int) -> list[Request]:
    return [
        Request("POST", "/graphql", json.dumps({"query": _CREATE, "variables": {"input": {"title": f"Task {index}"}}}))
        for index in range(number)
    ]


async def _used(on: ClusterDeployment) -> dict[str, float]:
    """The seconds of processor time that each program has used."""
    primary, bouncer = await on.cluster.primary(), on.cluster.pgbouncer
    standbys = [node for node in on.cluster.nodes if node is not primary]
    assert bouncer is not None
    return {
        "Taskriver": sum(_seconds([process.child.pid]) for process in on.processes),
        "primary": _seconds(primary.postgres_processes()),
        "standby": sum(_seconds(node.postgres_processes()) for node in standbys) / len(standbys),
        "PgBouncer": _seconds([bouncer.pid]),
        "HAProxy": _seconds(psutil.Process(on.cluster.haproxy.pid).children()),
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
