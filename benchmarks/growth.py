"""How the cost grows: with the page, the table, the visible tasks, listeners, processes, and waiting events."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import asyncpg
import uvloop

from benchmarks import dataset, fanout
from benchmarks.environment import Stage, searchable, stage
from benchmarks.numbering import by_backlog, by_batch
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.results import Measurement
from benchmarks.rounds import Match, Plan, Setting
from benchmarks.workloads import Workload
from streaming.numbering import BATCH_SIZE

Points = Callable[[Stage, Plan, int, int], list[Measurement]]
"""The measurements of a point in a round."""

OURS: Final = PEERS["ours"]
BOTH: Final = (OURS, PEERS["mercurius"])
SHARES: Final = {10: 997, 100: 998, 500: 999}
"""Visible tasks of a thousand → the person who sees them. Other persons see two."""
_VISIBLE: Final = "sight"


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is shown of each point: a number of the measurement, or its value."""

    about: str = "per second"
    number: str | None = None
    form: str = ",.0f"


@dataclass(frozen=True, slots=True)
class Curve:
    """A quantity that grows. `unit` is what its points count."""

    name: str
    about: str
    unit: str
    points: Sequence[int]
    measure: Points
    shown: Sequence[Quantity] = (Quantity(),)
    point_weight: float = 1
    """The weight of a point in a round."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its measurements, up to the slash."""
        return (self.name,)

    @property
    def weight(self) -> float:
        """The time of a round, in ordinary measurements of a workload."""
        return self.point_weight * len(self.points)

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        """All points of the curve, in each round."""
        for number in range(first, plan.rounds):
            yield [each for point in self.points for each in self.measure(ground, plan, point, number)]


def curves() -> list[Curve]:
    """All curves."""
    return [
        Curve("page", "W2 by the size of the page", "tasks on a page", (1, 20, 50, 100), _page),
        Curve("tasks-W1", "W1 by the size of the table", "tasks", (1_000, 10_000, 100_000, 1_000_000), _tasks_w1),
        Curve("tasks-W2", "W2 by the size of the table", "tasks", (1_000, 10_000, 100_000, 1_000_000), _tasks_w2),
        Curve("tasks-W6", "W6 by the size of the table", "tasks", (1_000, 10_000, 100_000, 1_000_000), _tasks_w6),
        Curve("sight", "W2 by what a user may see", "‰ of 100,000 tasks seen", (2, *SHARES), _visible),
        Curve("sockets", "W5 by the number of listeners", "sockets", (10, 100, 500, 1_000, 5_000), _sockets),
        Curve("workers", "W1 by processes, on both cores", "processes", (1, 2), _workers_w1),
        Curve("workers-W6", "W6 by processes, on both cores", "processes", (1, 2), _workers_w6),
        numbering(),
        Curve("backlog", "events numbered, by the number that waits", "events", (1_000, 10_000, 100_000), by_backlog),
        listeners(),
    ]


def numbering(points: Sequence[int] = (1, 10, 100, BATCH_SIZE)) -> Curve:
    """Events that get their positions, by the size of a batch."""
    return Curve("numbering", "events numbered, by the size of a batch", "events in a batch", points, by_batch)


def listeners(points: Sequence[int] = (10, 100, 1_000)) -> Curve:
    """W10 by the number of its subscribers."""
    about = "W10 by the number of subscribers, who receive each move"
    return Curve("listeners", about, "subscribers", points, _listeners, _DELAYS, point_weight=6)


def _once(
    ground: Stage, plan: Plan, workload: Workload, peers: Sequence[Peer], number: int, setting: Setting
) -> list[Measurement]:
    single = replace(plan, rounds=number + 1, alone=False)
    return [each for some in Match(ground, [workload], peers, single, setting).play(number) for each in some]


def _page(ground: Stage, plan: Plan, first: int, number: int) -> list[Measurement]:
    return _once(ground, plan, Workload.W2, BOTH, number, Setting(f"page/{first}", first=first))


def _tasks(
    workload: Workload, peers: Sequence[Peer], ground: Stage, plan: Plan, tasks: int, number: int
) -> list[Measurement]:
    # The environment that is already open cannot be opened a second time.
    with nullcontext(ground) if tasks == dataset.TASKS else stage(ground.folder, tasks) as other:
        return _once(other, plan, workload, peers, number, Setting(f"tasks-{workload}/{tasks}"))


_tasks_w1: Final = partial(_tasks, Workload.W1, BOTH)
_tasks_w2: Final = partial(_tasks, Workload.W2, BOTH)
_tasks_w6: Final = partial(_tasks, Workload.W6, (OURS, PEERS["mercurius-event"]))


def _visible(ground: Stage, plan: Plan, share: int, number: int) -> list[Measurement]:
    other = replace(ground, ours=uvloop.run(_shared_out(ground.ours)))
    person = SHARES.get(share, dataset.PEOPLE)
    return _once(other, plan, Workload.W2, [OURS], number, Setting(f"sight/{share}", person=person))


def _sockets(ground: Stage, plan: Plan, sockets: int, number: int) -> list[Measurement]:
    measured = fanout.play(ground, [OURS], number, sockets)
    return [replace(each, what=f"sockets/{sockets}") for each in measured]


def _workers(name: str, workload: Workload, ground: Stage, plan: Plan, workers: int, number: int) -> list[Measurement]:
    environment = {"DATABASE_URL": ground.ours, "WORKERS": str(workers), "LOG_LEVEL": "warning"}
    peer = replace(OURS, command=_SERVE, environment=environment)
    return _once(ground, plan, workload, [peer], number, Setting(f"{name}/{workers}", everywhere=True))


_workers_w1: Final = partial(_workers, "workers", Workload.W1)
_workers_w6: Final = partial(_workers, "workers-W6", Workload.W6)


def _listeners(ground: Stage, plan: Plan, subscribers: int, number: int) -> list[Measurement]:
    board = replace(ground, theirs=uvloop.run(searchable(ground.theirs)))
    return _once(board, plan, Workload.W10, BOTH, number, Setting(f"listeners/{subscribers}", subscribers=subscribers))


_DELAYS: Final = (
    Quantity("requests, p95 in ms", "p95", ",.1f"),
    Quantity("deliveries, p95 in ms", "delivery_p95", ",.1f"),
    Quantity("requests per second"),
)
_SERVE: Final = (OURS.command[0], "-m", "cli", "serve")


async def _shared_out(ours: str) -> str:
    """A copy of our tables in which some users see more tasks than others; created once."""
    url = f"{ours.rpartition('/')[0]}/{_VISIBLE}"
    connection = await asyncpg.connect(dataset.plain(ours.rpartition("/")[0] + "/postgres"))
    try:
        if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", _VISIBLE):
            return url
        await connection.execute(f"CREATE DATABASE {_VISIBLE} TEMPLATE {ours.rpartition('/')[2]}")
    finally:
        await connection.close()
    connection = await asyncpg.connect(dataset.plain(url))
    try:
        await connection.execute(_shares())
        await connection.execute("VACUUM ANALYZE tasks")
    finally:
        await connection.close()
    return url


def _shares() -> str:
    """Gives tasks to these users: pseudo-random, but always the same tasks."""
    cases, least = [], 0
    for share, person in SHARES.items():
        least += share
        cases.append(f"WHEN abs(hashtext(id::text)) % 1000 < {least} THEN md5('u{person}')::uuid")
    return f"UPDATE tasks SET owner_id = CASE {' '.join(cases)} ELSE owner_id END"  # noqa: S608 - numbers only
