"""What retention takes from the log: with the real API, and with a clean-up that is killed."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from domain.stream_cursor import StreamCursor
from persistence import event_log
from persistence.models import EventRow, TaskRow, UserRow
from services.cleanup import clean_up
from tests.graphql_api.stream_client import MOVES, move, signed_in, stream_cursor
from tests.graphql_api.test_tasks import task_id
from tests.persistence.test_numbering import number, record
from tests.streaming.support import until
from tests.support.api import Api
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

HISTORY = """query ($id: ID!, $after: String) { task(id: $id) {
  history(first: 2, after: $after) { nodes { version } pageInfo { hasNextPage endCursor } } } }"""
DAY = timedelta(days=1)

_HALF_A_STEP = """
import asyncio, sys
from datetime import UTC, datetime
from persistence.database import Database

async def trim():
    database = Database(sys.argv[1], pool_size=1)
    async with database.unit_of_work(None) as uow:
        assert await uow.try_lock("cleanup")
        print(await uow.events.trim(datetime.now(UTC)), flush=True)
        await asyncio.sleep(60)

asyncio.run(trim())
"""


async def age(build: Builders, task: TaskRow, days: int) -> None:
    """Make all events of a task, and all earlier ones, this old."""
    async with build.database.engine.begin() as connection:
        last = select(func.max(EventRow.position)).where(EventRow.task_id == task.id).scalar_subquery()
        query = text("UPDATE log_state SET trimmed = trimmed")  # numbering waits until this is over
        await connection.execute(query)
        rows = EventRow.__table__.update().where(EventRow.position <= last)  # type: ignore[attr-defined]
        await connection.execute(rows.values(recorded_at=datetime.now(UTC) - timedelta(days=days)))


async def trimmed(build: Builders) -> tuple[int, int | None, int]:
    """The trimmed position, the first remaining one, and the last one."""
    async with build.database.connect() as connection:
        query = text("SELECT trimmed, (SELECT min(position) FROM events), position FROM event_head")
        return tuple((await connection.execute(query)).one())


async def moved(api: Api, times: int) -> tuple[UserRow, TaskRow]:
    """A task that was moved so many times, and its owner."""
    owner = await api.a_user()
    task = await api.build.a_task(owner)
    for each in range(times):
        await move(api, task, ("IN_PROGRESS", "TODO")[each % 2], owner)
    await api.numbered()
    return owner, task


class TestTrimmed:
    async def test_a_cursor_before_the_trimmed_position_is_a_resync(self, live: Api):
        """One ResyncRequired TRIMMED, and then the stream continues."""
        owner, task = await moved(live, 1)
        cursor = await stream_cursor(live, owner)
        await move(live, task, "TODO", owner)
        await live.numbered()
        await age(live.build, task, days=40)
        removed = await clean_up(live.build.as_(None), event_retention=30 * DAY)
        assert removed is not None
        assert removed.events >= 2
        await until(lambda: live.server.stream._log_reader.tail.trimmed > StreamCursor.decode(cursor).position)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=cursor)
            resync = await listener.receive()
            await move(live, task, "DONE", owner)
            item = await listener.receive()

        assert (resync["__typename"], resync["reason"]) == ("ResyncRequired", "TRIMMED")
        assert StreamCursor.decode(resync["cursor"]).position >= (await trimmed(live.build))[0]
        assert item["to"] == "DONE"

    async def test_a_cursor_at_the_edge_goes_on(self, live: Api):
        """A cursor that stands exactly where the log begins now misses nothing, and is not bothered."""
        owner, task = await moved(live, 3)
        cursor = await stream_cursor(live, owner)
        await age(live.build, task, days=40)
        await clean_up(live.build.as_(None), event_retention=30 * DAY)
        assert StreamCursor.decode(cursor).position == (await trimmed(live.build))[0]
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=cursor)
            await move(live, task, "DONE", owner)
            assert (await listener.receive())["to"] == "DONE"

    async def test_live_subscribers_are_not_affected(self, live: Api):
        """Only delivered events are removed."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES)
            await move(live, task, "IN_PROGRESS", owner)
            await listener.receive()
            await age(live.build, task, days=40)
            await clean_up(live.build.as_(None), event_retention=30 * DAY)
            await move(live, task, "DONE", owner)
            assert (await listener.receive())["to"] == "DONE"

    async def test_a_history_ends_at_the_trimmed_position(self, live: Api):
        """Page by page; a cursor of a removed event has an empty page."""
        owner, task = await moved(live, 3)
        first = (await live.ask(HISTORY, owner, id=task_id(task))).data["task"]["history"]
        assert [node["version"] for node in first["nodes"]] == [4, 3]
        await age(live.build, task, days=40)
        await move(live, task, "DONE", owner)
        await live.numbered()
        await clean_up(live.build.as_(None), event_retention=30 * DAY)

        left = (await live.ask(HISTORY, owner, id=task_id(task))).data["task"]["history"]
        gone = await live.ask(HISTORY, owner, id=task_id(task), after=first["pageInfo"]["endCursor"])
        assert [node["version"] for node in left["nodes"]] == [5]
        assert left["pageInfo"]["hasNextPage"] is False
        assert gone.data["task"]["history"]["nodes"] == []


class TestKilled:
    async def test_a_clean_up_that_is_killed_changes_nothing(self, live: Api):
        """Killed between removing events and committing, it leaves log and head as they were, and the lock free."""
        _, task = await moved(live, 3)
        await age(live.build, task, days=40)
        before = await trimmed(live.build)
        url = live.build.database.engine.url.render_as_string(hide_password=False)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _HALF_A_STEP, url, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        removed = int(await process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        await process.communicate()
        async with asyncio.timeout(HANG_SECONDS):
            while (again := await clean_up(live.build.as_(None), event_retention=30 * DAY)) is None:
                await asyncio.sleep(0.02)

        assert removed >= 3
        assert again.events >= 3
        after = await trimmed(live.build)
        assert after[0] > before[0]
        assert after[0] == before[2]
        assert after[1] is None or after[1] == after[0] + 1

    async def test_every_step_is_atomic(self, live: Api, monkeypatch: pytest.MonkeyPatch):
        """After an interruption the trimmed position is exact, and it never moves back."""
        monkeypatch.setattr(event_log, "_TRIM_STEP", 2)
        seen = []
        _, task = await moved(live, 9)
        await age(live.build, task, days=40)
        for _ in range(20):
            cleaning = asyncio.create_task(clean_up(live.build.as_(None), event_retention=30 * DAY))
            await asyncio.sleep(0.004)
            cleaning.cancel()
            await asyncio.gather(cleaning, return_exceptions=True)
            seen.append(await trimmed(live.build))
        await clean_up(live.build.as_(None), event_retention=30 * DAY)
        seen.append(await trimmed(live.build))

        assert [each[0] for each in seen] == sorted(each[0] for each in seen)
        assert all(first is None or first == gone + 1 for gone, first, _ in seen)
        assert seen[-1][0] == seen[-1][2]

    async def test_numbering_goes_on_while_much_is_removed(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """Between two steps the head is free: what is committed meanwhile is numbered before the clean-up has ended."""
        monkeypatch.setattr(event_log, "_TRIM_STEP", 1)
        await record(build, 500)
        await number(build)
        async with build.database.engine.begin() as connection:
            await connection.execute(text("UPDATE events SET recorded_at = now() - interval '40 days'"))
        cleaning = asyncio.create_task(clean_up(build.as_(None), event_retention=30 * DAY))
        numbered = 0
        while not cleaning.done():
            await record(build, 1)
            await number(build)
            numbered += 1

        removed = await cleaning
        assert removed is not None
        assert removed.events == 500
        assert numbered > 5
        assert await trimmed(build) == (500, 501, 500 + numbered)
