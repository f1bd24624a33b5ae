"""How many events a process follows per second of its processor, by the share of events that concern its listeners.

    python -m benchmarks.interest [--against CHECKOUT] [--rounds 5] [--only "100 %"]

The events are moves of tasks in a hundred projects. They are read from the log, or arrive as notifications. A hundred
listeners are members of other projects, and one is a member of as many as the share says. With a checkout of another
version, both are measured in turn, and the ratio is that of the same round.
"""

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, cast
from uuid import UUID

import asyncpg
import uvloop

from benchmarks import dataset
from benchmarks.stream_scenario import servers
from cli.output import say
from domain.actor import Actor, ProjectRoles
from domain.events import EventKind, People, TaskChange, TaskEvent
from domain.project import ProjectRole
from domain.task import TaskStatus
from domain.user import Role
from persistence.database import Database
from persistence.event_log import Head
from streaming.notifier import Notification, Notifier
from streaming.stream import Stream
from streaming.subscription import Subscriber

EVENTS: Final = 20_000
_YOUNG_OBJECTS: Final = 5_000
"""As in a server. It is not imported, because versions have it in different modules."""
PROJECTS: Final = 100
OTHERS: Final = 100
BATCH: Final = 50
CHECKOUT: Final = Path(__file__).parents[1]
_INSERT: Final = (
    "INSERT INTO events (kind, task_id, user_id, payload, recorded_at) SELECT $1, t, u, p::jsonb, now()"
    " FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS e (t, u, p)"
)


@dataclass(frozen=True, slots=True)
class Case:
    """Where the events come from, and of how many projects a listener is a member; None: there is no listener."""

    source: str
    projects: int | None

    @property
    def name(self) -> str:
        """As in the table."""
        return f"{self.source}, {'no listener' if self.projects is None else f'{self.projects} % of interest'}"


CASES: Final = [Case(source, share) for source in ("log", "notification") for share in (None, 0, 1, 100)]


class Silent:
    """A notifier that neither sends nor receives."""

    healthy = True
    redis_errors: Final = ()

    def publish(self, notification: Notification) -> None:
        """Drop it."""


async def follow(url: str, case: Case) -> float:
    """Follow all events as a process does; returns the events per second of the processor."""
    database = Database(url)
    stream = Stream(database, cast("Notifier", Silent()), capacity=EVENTS)
    try:
        await stream._log_reader.catch_up()
        messages = await _messages(database, stream.epoch) if case.source == "notification" else []
        stream._log_reader.tail._reset(Head(stream.epoch, 0, 0, False))
        listeners = _listeners(stream, case)
        work = [_consume(each) for each in listeners] + [_dispatch(stream)]
        tasks = [asyncio.create_task(each) for each in work]
        await asyncio.sleep(0)
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG_OBJECTS)
        began = time.process_time()
        await _follow(stream, messages, EVENTS * (case.projects or 0) // PROJECTS)
        used = time.process_time() - began
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await database.close()
    return EVENTS / used


async def _follow(stream: Stream, messages: list[str], deliveries: int) -> None:
    """Pass the messages on, or read the log, until everything is delivered."""
    for message in messages:
        stream._on_notification(Notification.decode(message))
        await asyncio.sleep(0)
    stream._log_reader.read_soon()
    while (stream.position, stream.counters.delivered) != (EVENTS, deliveries):
        await stream._log_reader.catch_up()
        await asyncio.sleep(0)


async def _dispatch(stream: Stream) -> None:
    while True:
        await stream._log_reader.dispatch_step()


def _listeners(stream: Stream, case: Case) -> list[Subscriber]:
    if case.projects is None:
        return []
    elsewhere = [[UUID(int=10**6)] for _ in range(OTHERS)]
    concerned = [_project(number) for number in range(case.projects)]
    return [
        stream.subscribe(
            Actor(
                UUID(int=10**9 + number), Role.USER, None, 1, ProjectRoles(dict.fromkeys(projects, ProjectRole.VIEWER))
            ),
            None,
            None,
        )
        for number, projects in enumerate([*elsewhere, concerned])
    ]


async def _consume(subscriber: Subscriber) -> None:
    async for _ in subscriber:
        pass


async def _messages(database: Database, epoch: str) -> list[str]:
    messages = []
    async with database.engine.connect() as connection:
        rows = (
            await connection.exec_driver_sql(
                "SELECT position, kind, payload, fingerprint FROM events ORDER BY position"
            )
        ).all()
    for first in range(0, len(rows), BATCH):
        bodies: list[Any] = [list(row) for row in rows[first : first + BATCH]]
        messages.append(Notification(epoch, bodies[0][0], bodies[-1][0], bodies).encode().decode())
    return messages


def _project(number: int) -> UUID:
    return UUID(int=10**7 + number)


def _events() -> Iterator[TaskEvent]:
    """Moves: each task has four, each project ten people."""
    at = datetime.now(UTC)
    for number in range(EVENTS):
        project = number % PROJECTS
        owner, assignee = (UUID(int=10**8 + project * 10 + (number // PROJECTS + side) % 10) for side in (0, 1))
        people = People(owner, assignee, _project(project))
        yield TaskEvent(
            task_id=UUID(int=10**5 + number % (EVENTS // 4)),
            version=2 + number * 4 // EVENTS,
            to_status=TaskStatus.DONE,
            before=people,
            after=replace(people),
            actor_id=owner,
            at=at,
            request_id=UUID(int=number << 64).hex,
            changes=(TaskChange.STATUS,),
            from_status=TaskStatus.TODO,
            title=f"Task {number} - prepare the quarterly report",
        )


async def _commit(url: str) -> None:
    """Commit the events, and number them."""
    events = list(_events())
    connection = await asyncpg.connect(dataset.plain(url))
    try:
        await connection.execute(
            _INSERT,
            EventKind.TASK.value,
            [each.task_id for each in events],
            [each.actor_id for each in events],
            [json.dumps(each.to_json()) for each in events],
        )
        await connection.execute("VACUUM ANALYZE events")
    finally:
        await connection.close()
    database = Database(url)
    try:
        numbered = 1
        while numbered:
            async with database.log() as log:
                numbered = len((await log.number()).events)
    finally:
        await database.close()


def _measured(checkout: Path, url: str, case: Case) -> float:
    """Follow the events in a separate process."""
    command = [sys.executable, "-P", str(Path(__file__)), "--follow", url, case.source]
    share = [] if case.projects is None else [str(case.projects)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [*command, *share], cwd=checkout, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout)


def _round(checkouts: list[Path], url: str, case: Case, number: int) -> list[float]:
    """Each version once; every other round begins with the other one."""
    order = checkouts if number % 2 else checkouts[::-1]
    found = {checkout: _measured(checkout, url, case) for checkout in order}
    return [found[checkout] for checkout in checkouts]


def _compare(checkouts: list[Path], cases: list[Case], rounds: int) -> None:
    with servers() as running:
        uvloop.run(dataset.fill_ours(running.database_url, tasks=0))
        uvloop.run(_commit(running.database_url))
        for case in cases:
            found = [_round(checkouts, running.database_url, case, number) for number in range(rounds)]
            rates = " | ".join(f"{median(column):,.0f}" for column in zip(*found, strict=True))
            ratio = median(round_[0] / round_[-1] for round_ in found)
            say(f"| {case.name} | {rates} |" + (f" {ratio:.2f} |" if len(checkouts) > 1 else ""))


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", type=Path, help="a checkout of another version")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="the cases whose names contain this text")
    parser.add_argument("--follow", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.follow:
        url, source, *share = given.follow
        say(str(uvloop.run(follow(url, Case(source, int(share[0]) if share else None)))))
        return
    cases = [case for case in CASES if given.only in case.name]
    _compare([CHECKOUT, *([given.against] if given.against else [])], cases, given.rounds)


if __name__ == "__main__":
    main()
