"""How fast committed events get their positions: the statement that numbers them, and the decoding of its result.

There is no server and no subscriber: the events are committed by one statement, and are numbered in batches until none
is left. A server numbers 500 events in a batch at most.
"""

import json
import os
import time
from typing import Final
from uuid import UUID

import asyncpg
import uvloop

from benchmarks import dataset
from benchmarks.copies import without_tasks
from benchmarks.environment import Stage
from benchmarks.process import cores
from benchmarks.results import Measurement
from benchmarks.rounds import Plan
from domain.event_format import INSTANT
from domain.events import EventKind, People, TaskChange, TaskEvent
from domain.task import TaskStatus
from persistence.database import Database
from streaming.numbering import BATCH_SIZE, NumberingFloor

EVENTS: Final = 20_000
_LEAST_BATCHES: Final = 1_000
"""With small batches fewer events are numbered, so that a point takes seconds."""
_DATABASE: Final = "numbered"
_PEOPLE: Final = People(UUID(int=1), UUID(int=2))
_INSERT: Final = """
INSERT INTO events (kind, task_id, user_id, payload, recorded_at)
    SELECT $1, md5('t' || i)::uuid, $2, $3::jsonb, now() FROM generate_series(1, $4::int) i
"""


def by_batch(ground: Stage, plan: Plan, batch: int, number: int) -> list[Measurement]:
    """Events per second with batches of this size."""
    return [_measure(ground, f"numbering/{batch}", events_for(batch), batch, number)]


def by_backlog(ground: Stage, plan: Plan, events: int, number: int) -> list[Measurement]:
    """Events per second if this number waits."""
    return [_measure(ground, f"backlog/{events}", events, BATCH_SIZE, number)]


def events_for(batch: int) -> int:
    """The number of events for batches of this size."""
    return min(EVENTS, _LEAST_BATCHES * batch)


def _measure(ground: Stage, what: str, events: int, batch: int, number: int) -> Measurement:
    here = os.sched_getaffinity(0)
    with without_tasks(ground.ours, _DATABASE) as url:
        uvloop.run(commit_events(url, events))
        if cores()[0] is not None:
            os.sched_setaffinity(0, {cores()[0] or 0})  # PostgreSQL has the other core
        try:
            seconds, used = uvloop.run(number_all(url, events, batch))
        finally:
            os.sched_setaffinity(0, here)
    return Measurement(what, "ours", number, events / seconds, {"per_cpu": events / max(used, 1e-2)})


async def number_all(url: str, events: int, batch: int) -> tuple[float, float]:
    """Number all events as a server does; returns the seconds, and the processor time of this process.

    Raises:
        RuntimeError: there were more or fewer events.
    """
    database, floor = Database(url), NumberingFloor()
    try:
        async with database.log() as log:
            await log.head()  # the connection is open
        numbered, began, cpu = 0, time.perf_counter(), time.process_time()
        while numbered < events:
            async with database.log() as log:
                some = len((await log.number(batch)).events)
                floor.count_numbered(some)
                if floor.is_due(time.monotonic()):
                    await floor.advance(log, time.monotonic())
            if not some:
                break
            numbered += some
        result = time.perf_counter() - began, time.process_time() - cpu
    finally:
        await database.close()
    if numbered != events:
        raise RuntimeError(f"{numbered} of {events} events got a position")
    return result


async def commit_events(url: str, events: int) -> None:
    """Commit this number of moves. They have no position."""
    connection = await asyncpg.connect(dataset.plain(url))
    try:
        kind, payload = EventKind.TASK.value, json.dumps(_move().to_json())
        await connection.execute(_INSERT, kind, _PEOPLE.owner_id, payload, events)
        await connection.execute("VACUUM ANALYZE events")
    finally:
        await connection.close()


def _move() -> TaskEvent:
    return TaskEvent(
        task_id=UUID(int=3),
        version=2,
        to_status=TaskStatus.DONE,
        before=_PEOPLE,
        after=_PEOPLE,
        actor_id=_PEOPLE.owner_id,
        at=INSTANT.read("2026-01-01T00:00:00.123456+00:00"),
        request_id="4f6e2d5a8c3b4e1f9a7d6c5b4a392817",
        changes=(TaskChange.STATUS,),
        from_status=TaskStatus.TODO,
        title="Task 1 - prepare the quarterly report",
    )
