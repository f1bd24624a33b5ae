"""The time from the commit of a change to the write to its subscribers is measured."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.user import Role
from observability.histogram import BOUNDS
from streaming.counters import Counters
from streaming.notifier import Notification
from streaming.write_times import MAX_COMMITS, CommitTimes, WriteTimes
from tests.streaming.conftest import StartProcess
from tests.streaming.support import Process, a_notification, a_task_event, an_actor, logged, receive, until

MODERATOR = an_actor(Role.MODERATOR)
NOW = 1_000_000.0


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still."""
    monkeypatch.setattr(time, "time", lambda: NOW)


class TestCommitTimes:
    def test_a_batch_has_one_time(self):
        """Other positions have none."""
        times = CommitTimes()
        times.add(5, 7, 12.5)
        assert [times.get(position) for position in (4, 5, 7, 8)] == [None, 12.5, 12.5, None]

    def test_the_number_of_times_is_bounded(self):
        """The latest are kept, also of one large batch."""
        times = CommitTimes()
        times.add(1, 1, 1.0)
        times.add(2, 2 + MAX_COMMITS, 2.0)
        assert [times.get(position) for position in (1, 2, 3, 2 + MAX_COMMITS)] == [None, None, 2.0, 2.0]

    def test_an_unknown_time_changes_nothing(self):
        """The time may be known from another process."""
        times = CommitTimes()
        times.add(1, 1, 1.0)
        times.add(1, 1, None)
        assert times.get(1) == 1.0

    def test_times_of_another_epoch_are_removed(self):
        """Its positions are others."""
        times = CommitTimes()
        times.add(1, 1, 1.0)
        times.clear()
        assert times.get(1) is None


@pytest.mark.usefixtures("at_noon")
class TestWriteTimes:
    async def test_items_are_counted_after_the_writes(self):
        """A connection writes in the next iteration of the loop; each subscriber counts."""
        counters, written = Counters(), list[int]()
        times = WriteTimes(counters)
        times.commits.add(1, 1, NOW - 0.2)
        for _ in range(3):
            times.note_passed(1, a_task_event())
            asyncio.get_running_loop().call_soon(lambda: written.append(sum(counters.write_seconds.buckets)))
        times.record_soon()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        assert written == [0, 0, 0]
        assert counters.write_seconds.buckets[BOUNDS.index(0.25)] == 3
        assert counters.write_seconds.sum == pytest.approx(0.6)

    async def test_without_a_commit_time_the_start_of_the_change_counts(self):
        """An import of old tasks is not late."""
        counters = Counters()
        times = WriteTimes(counters)
        for position, age in enumerate((0.2, 7_200.0), start=1):
            times.note_passed(position, a_task_event(at=datetime.fromtimestamp(NOW, UTC) - timedelta(seconds=age)))
        times.record_soon()
        await asyncio.sleep(0)

        assert counters.write_seconds.sum == pytest.approx(0.2)


class TestNotification:
    def test_it_has_the_commit_time(self):
        """Processes of an earlier version ignore it, and send none."""
        batch = a_notification("e", logged(a_task_event()))
        notification = Notification(batch.epoch, batch.first, batch.last, batch.body, 12.5)
        assert Notification.decode(notification.encode().decode()).committed_at == 12.5
        message = json.loads(notification.encode())
        others: list[Any] = [None, "today", [], 12]
        for other in others:
            assert Notification.decode(json.dumps(message | {"committed": other})).committed_at is None
        del message["committed"]
        assert Notification.decode(json.dumps(message)).committed_at is None


def count(process: Process) -> int:
    """The number of measured items."""
    return sum(process.stream.counters.write_seconds.buckets)


class TestStream:
    async def test_each_process_measures_from_the_commit(self, start: StartProcess):
        """Also the events of another one; an item counts when the next one is requested."""
        one, other = await start(), await start()
        await until(lambda: one.stream.healthy and other.stream.healthy)
        old = datetime.now(UTC) - timedelta(minutes=30)
        async with (
            one.stream.subscribe(MODERATOR, None, None) as here,
            other.stream.subscribe(MODERATOR, None, None) as there,
        ):
            await one.record(a_task_event(at=old))
            for subscriber in (here, there):
                await receive(subscriber)
                waiting = asyncio.create_task(anext(subscriber))
                await asyncio.sleep(0)
                waiting.cancel()
            await until(lambda: count(one) == count(other) == 1)

        assert one.stream.counters.write_seconds.sum < 600
        assert other.stream.counters.write_seconds.sum < 600

    async def test_past_events_are_not_late(self, process: Process):
        """A client that resumes receives them after any time; the events after that count."""
        await process.record(a_task_event(), a_task_event())
        await process.reaches(2)
        async with process.stream.subscribe(MODERATOR, None, None) as first:
            start = first._cursors.at(0)
        async with process.stream.subscribe(MODERATOR, None, start) as subscriber:
            await process.record(a_task_event())
            await process.reaches(3)
            for _ in range(3):
                await receive(subscriber)
            waiting = asyncio.create_task(anext(subscriber))
            await until(lambda: count(process))
            waiting.cancel()

        assert count(process) == 1
