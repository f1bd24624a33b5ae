"""Old snapshots: numbering and looking at the head cost the same, however many events were numbered since."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.events import People
from persistence.event_log import _HEAD
from persistence.numbering_floor import RAISE, Writers
from streaming.numbering import FLOOR_EVENTS, NumberingFloor
from tests.streaming.support import a_task_event
from tests.support.builders import Builders
from tests.support.transactions import event_log_on, flush

BATCH = 500
PEOPLE = People(uuid4(), None)
_MANY = """
INSERT INTO events (kind, task_id, payload, recorded_at)
SELECT 'TASK', gen_random_uuid(), '{}', now() FROM generate_series(1, :many)
"""

_MANY_NUMBERED = """
INSERT INTO events (kind, task_id, payload, recorded_at, position)
SELECT 'TASK', gen_random_uuid(), '{}', now(), number FROM generate_series(1, :many) AS number
"""


@asynccontextmanager
async def an_old_snapshot(build: Builders) -> AsyncIterator[None]:
    """A transaction with a snapshot, like a dump or a forgotten session."""
    async with build.database.engine.connect() as reader:
        await reader.execution_options(isolation_level="REPEATABLE READ")
        await reader.execute(text("SELECT count(*) FROM users"))
        yield


async def empty_log(build: Builders) -> None:
    """Remove the rows of events that other tests have left in the table and in its indexes."""
    async with build.database.engine.begin() as connection:
        await connection.execute(text("TRUNCATE events"))


async def record(build: Builders, many: int) -> None:
    """Commit so many events at once."""
    async with build.database.engine.begin() as connection:
        await connection.execute(text(_MANY), {"many": many})


async def number(build: Builders, floor: NumberingFloor | None, batches: int) -> None:
    """Record and number batches, and raise the floor as a process does."""
    async with build.database.log() as log:
        for _ in range(batches):
            count = len((await log.number(BATCH)).events)
            assert count == BATCH
            if floor is not None:
                floor.count_numbered(count)
                if floor.is_due(0.0):
                    await floor.advance(log, 0.0)


async def buffers(connection: AsyncConnection, statement: str) -> int:
    """How many pages a statement touches."""
    rows = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")
    plan: Any = rows.scalar_one()
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


async def costs(build: Builders) -> dict[str, int]:
    """What each statement of numbering touches, for one event that waits."""
    async with build.database.engine.connect() as connection, connection.begin() as transaction:
        await record(build, 1)
        found = {
            "numbering": await buffers(connection, "SELECT * FROM number_events(1)"),
            "the head": await buffers(connection, _HEAD),
            "the floor": await buffers(connection, "SELECT numbering_floor()"),
            "raising the floor": await buffers(connection, _raise(await event_log_on(connection).last_id())),
        }
        await transaction.rollback()
    await number_one(build)
    return found


async def greatest_costs(build: Builders, floor: NumberingFloor) -> dict[str, int]:
    """The greatest costs between two times at which the floor is raised."""
    found: dict[str, int] = {}
    for _ in range(FLOOR_EVENTS // BATCH):
        await number(build, floor, 1)
        found = {what: max(pages, found.get(what, 0)) for what, pages in (await costs(build)).items()}
    return found


def _raise(last: Any) -> str:
    return RAISE.replace("$1", f"'{last.epoch}'").replace("$2", str(last.file)).replace("$3", str(last.id))


async def number_one(build: Builders) -> None:
    """Number what waits."""
    async with build.database.log() as log:
        await log.number(BATCH)


class TestOldSnapshots:
    async def test_the_work_does_not_grow(self, build: Builders):
        """Under a snapshot that stays open, what is touched after 30,000 events is what was touched after 5,000."""
        floor = NumberingFloor()
        await empty_log(build)
        await record(build, 40_000)
        async with an_old_snapshot(build):
            await number(build, floor, 6)
            before = await greatest_costs(build, floor)
            await number(build, floor, 50)
            after = await greatest_costs(build, floor)

        assert before.keys() == after.keys()
        # Entries since the floor are looked at: of two periods at most, and at most two pages for each.
        assert max(after.values()) <= 2 * 2 * FLOOR_EVENTS, (before, after)

    async def test_the_head_does_not_read_removed_events(self, build: Builders):
        """Under a snapshot that stays open, which keeps their rows."""
        await empty_log(build)
        async with build.database.engine.begin() as connection:
            await connection.execute(text(_MANY_NUMBERED), {"many": 20_000})
        async with build.database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("ANALYZE events"))
        async with an_old_snapshot(build), build.database.engine.begin() as connection:
            await connection.execute(text("DELETE FROM events WHERE position < 20000"))
            await connection.execute(text("UPDATE log_state SET trimmed = 19999, boundary = 19999"))
            pages = await buffers(connection, _HEAD)

        assert pages < 50


class TestFloor:
    async def test_the_floor_waits_for_open_writers(self, build: Builders):
        """A late event with a lower id than numbered ones is numbered."""
        floor = NumberingFloor()
        async with build.as_(None) as late, build.database.log() as log:
            late.record(a_task_event(version=7, before=PEOPLE, after=PEOPLE))
            await flush(late)
            await record(build, 3)
            for _ in range(3):
                await log.number(BATCH)
                await floor.advance(log, 0.0)
            held = await floor_of(build)
            await late.commit()
            batch = await log.number(BATCH)
            await floor.advance(log, 0.0)
            raised = await floor_of(build)

        assert held == 0
        assert [each.position for each in batch.events] == [4]
        assert raised > held

    async def test_the_floor_does_not_wait_for_readers(self, build: Builders):
        """Nor for writers of other tables."""
        floor = NumberingFloor()
        async with build.database.engine.connect() as idle, build.database.log() as log:
            await idle.execute(text("SELECT count(*) FROM events"))
            await idle.execute(text("UPDATE users SET username = username"))
            await record(build, 3)
            await log.number(BATCH)
            await floor.advance(log, 0.0)
            await floor.advance(log, 0.0)
            raised = await floor_of(build)

        assert raised == await last_id(build) + 1

    async def test_the_floor_stops_before_pending_events(self, build: Builders):
        """Committed events without a position are not skipped."""
        floor = NumberingFloor()
        await record(build, 5)
        async with build.database.log() as log:
            await log.number(2)
            await floor.advance(log, 0.0)
            await floor.advance(log, 0.0)
            raised, last = await floor_of(build), await last_id(build)
            rest = await log.number(BATCH)

        assert raised == last - 2
        assert len(rest.events) == 3

    async def test_the_floor_waits_for_prepared_transactions(self):
        """A prepared transaction has another name, so any may be a writer."""
        named = Writers(frozenset({"3/45"}), is_one_prepared=False)

        assert Writers(frozenset({"-1/77"}), is_one_prepared=True).may_include(named)
        assert Writers(frozenset({"3/45", "4/1"}), is_one_prepared=False).may_include(named)
        assert not Writers(frozenset({"3/46"}), is_one_prepared=False).may_include(named)

    @pytest.mark.parametrize(
        "replace",
        [
            "UPDATE event_head SET epoch = gen_random_uuid()::text",
            "TRUNCATE events RESTART IDENTITY",
        ],
    )
    async def test_the_floor_ends_with_the_log(self, build: Builders, replace: str):
        """In another epoch, or after a TRUNCATE, ids may start again: all events are read."""
        floor = NumberingFloor()
        await record(build, 5)
        async with build.database.log() as log:
            await log.number(BATCH)
            await floor.advance(log, 0.0)
            await floor.advance(log, 0.0)
            before = await floor_of(build)
            async with build.database.engine.begin() as connection:
                await connection.execute(text(replace))
            after = await floor_of(build)
            await record(build, 2)
            batch = await log.number(BATCH)

        assert (before > 0, after) == (True, 0)
        assert len(batch.events) == 2


async def floor_of(build: Builders) -> int:
    """Where numbering begins to look."""
    async with build.database.engine.connect() as connection:
        return int(await connection.scalar(text("SELECT numbering_floor()")) or 0)


async def last_id(build: Builders) -> int:
    """The last id."""
    async with build.database.engine.connect() as connection:
        return int(await connection.scalar(text("SELECT max(id) FROM events")) or 0)
