"""The stream within and between processes: nothing is lost, doubled, or delivered without the right."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.errors import BadRequest, Unauthenticated
from domain.events import AccessChange, AccessNews, People
from domain.stream_cursor import StreamCursor
from domain.user import Role
from streaming.stream_items import Delivered, ResyncReason
from streaming.subscription import Subscriber
from streaming.visibility import StreamFilter, Visibility
from tests.streaming.conftest import StartProcess
from tests.streaming.support import (
    Process,
    a_task_event,
    an_access_event,
    an_actor,
    receive,
    receive_event,
    receive_resync,
    receives_nothing,
    until,
)
from tests.support.transactions import event_log_on

ADMIN = an_actor(Role.ADMIN)


async def versions(subscriber: Subscriber, many: int) -> list[int]:
    """The versions of the next so many events."""
    return [(await receive_event(subscriber)).version for _ in range(many)]


def _fail(event: AccessNews) -> None:
    raise ZeroDivisionError(event)


class TestLive:
    async def test_an_event_reaches_every_process(self, start: StartProcess):
        """A commit in one process is delivered in all."""
        writer, other = await start(), await start()
        event = a_task_event()
        async with writer.stream.subscribe(ADMIN, None, None) as near, other.stream.subscribe(ADMIN, None, None) as far:
            await writer.record(event)

            assert await receive_event(near) == await receive_event(far) == event

    async def test_processes_without_a_common_notifier(self, start: StartProcess):
        """Events arrive by polling within a second."""
        writer, other = await start(), await start(channel=f"test:{uuid4()}")
        event = a_task_event()
        async with other.stream.subscribe(ADMIN, None, None) as far:
            await writer.record(event)

            assert await receive_event(far) == event

    async def test_unnumbered_events_are_found(self, start: StartProcess, build):
        """Another process numbers the events of a dead one."""
        survivor = await start()
        async with survivor.stream.subscribe(ADMIN, None, None) as subscriber, build.as_(None) as uow:
            uow.record(a_task_event(version=7))
            await uow.commit()

            assert await versions(subscriber, 1) == [7]

    async def test_a_subscription_without_a_cursor_starts_now(self, process: Process):
        """It delivers all later commits."""
        await process.record(a_task_event(version=1))
        await process.reaches(1)
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:
            await process.record(a_task_event(version=2), a_task_event(version=3))

            assert await versions(subscriber, 2) == [2, 3]

    async def test_a_large_batch_is_read_from_the_table(self, start: StartProcess):
        """It is sent without its events."""
        writer, other = await start(), await start()
        people = People(uuid4(), None)
        async with other.stream.subscribe(ADMIN, None, None) as far:
            async with writer.build.as_(None) as uow:
                for version in range(700):
                    uow.record(a_task_event(version=version, title="x" * 200, before=people, after=people))
                await uow.commit()

            assert await versions(far, 700) == list(range(700))

    async def test_closing_ends_the_iteration(self, process: Process):
        """Nothing is left of the subscriber."""
        subscriber = process.stream.subscribe(ADMIN, None, None)
        waiting = asyncio.create_task(anext(subscriber))
        await asyncio.sleep(0)
        await subscriber.aclose()

        with pytest.raises(StopAsyncIteration):
            await waiting
        assert process.stream.subscribers == 0

    async def test_an_error_in_a_callback_is_isolated(self, process: Process):
        """Other callbacks and the stream continue."""
        received: list[AccessNews] = []
        process.stream.on_access(_fail)
        process.stream.on_access(received.append)
        access = an_access_event()
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:
            await process.record(access, a_task_event(version=9))

            assert await versions(subscriber, 1) == [9]
        assert received == [access]


class TestVisibility:
    async def test_subscribers_receive_visible_events(self, process: Process):
        """Owner, assignee and moderator; an unrelated user receives nothing."""
        owner, assignee, outsider = an_actor(), an_actor(), an_actor()
        people = People(owner.user_id, assignee.user_id)
        listeners = [owner, assignee, an_actor(Role.MODERATOR)]
        subscribers = [process.stream.subscribe(each, None, None) for each in listeners]
        outside = process.stream.subscribe(outsider, None, None)
        await process.record(a_task_event(version=4, before=people, after=people))

        assert [await versions(each, 1) for each in subscribers] == [[4], [4], [4]]
        assert await receives_nothing(outside)

    async def test_a_hidden_task_is_gone(self, process: Process):
        """For an unassigned user; the owner receives the change, and each receives the end."""
        owner, assignee = an_actor(), an_actor()
        with_both, with_owner = People(owner.user_id, assignee.user_id), People(owner.user_id, None)
        theirs = process.stream.subscribe(assignee, None, None, only_status=True)
        mine = process.stream.subscribe(owner, None, None)
        await process.record(
            a_task_event(before=with_both, after=with_owner), a_task_event(before=with_owner, after=None)
        )
        seen = [await receive(theirs), await receive(mine), await receive(mine)]

        assert [each.visibility for each in seen if isinstance(each, Delivered)] == [
            Visibility.GONE,
            Visibility.VISIBLE,
            Visibility.DELETED,
        ]
        assert await receives_nothing(theirs)

    async def test_the_cursor_advances_without_items(self, process: Process):
        """It follows the stream."""
        wanted = StreamFilter(task_ids=frozenset({uuid4()}))
        async with process.stream.subscribe(ADMIN, wanted, None) as subscriber:
            await process.record(a_task_event(), a_task_event())
            await process.reaches(2)

            assert StreamCursor.decode(subscriber.cursor).position == 2

    async def test_the_cursor_stays_before_an_item_in_progress(self, process: Process):
        """The last item counts as delivered when the next one is requested."""
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:
            await process.record(a_task_event())
            item = await receive(subscriber)
            in_hand = StreamCursor.decode(subscriber.cursor).position
            assert await receives_nothing(subscriber)

            assert (in_hand, subscriber.cursor) == (0, item.cursor)


class TestResume:
    async def test_a_cursor_continues_without_a_gap(self, process: Process):
        """What was missed comes first, then what happens now, each once."""
        first = process.stream.subscribe(ADMIN, None, None)
        await process.record(*(a_task_event(version=each) for each in range(10)))
        for _ in range(4):
            cursor = (await receive(first)).cursor
        await first.aclose()
        second = process.stream.subscribe(ADMIN, None, cursor)
        await process.record(a_task_event(version=10))

        assert await versions(second, 7) == [4, 5, 6, 7, 8, 9, 10]

    async def test_a_replay_beside_writers_has_no_gaps(self, start: StartProcess):
        """Another process reads the table while events are written."""
        writer = await start()
        await writer.record(*(a_task_event(version=each) for each in range(300)))
        await writer.reaches(300)
        cursor = StreamCursor(writer.stream.epoch, 0, ADMIN.access_version).encode()
        fresh = await start()

        async with fresh.stream.subscribe(ADMIN, None, cursor) as subscriber, asyncio.TaskGroup() as tasks:
            tasks.create_task(writer.record(*(a_task_event(version=each) for each in range(300, 500))))
            assert await versions(subscriber, 500) == list(range(500))
        assert fresh.stream.counters.replays > 0

    async def test_a_cursor_from_a_process_that_is_ahead_is_good(self, start: StartProcess):
        """A cursor that this process does not know yet is not mistaken for one from the future."""
        writer, late = await start(), await start(channel=f"test:{uuid4()}")
        await writer.record(a_task_event())
        await writer.reaches(1)
        cursor = StreamCursor(writer.stream.epoch, 1, ADMIN.access_version).encode()
        async with late.stream.subscribe(ADMIN, None, cursor) as subscriber:
            waiting = asyncio.create_task(receive_event(subscriber))
            await late.reaches(1)
            await writer.record(a_task_event(version=77))

            assert (await waiting).version == 77

    @pytest.mark.parametrize("kept", [0, 2_000])
    async def test_a_slow_subscriber_gets_every_event(self, process: Process, kept: int, monkeypatch):
        """It reads the log in pages; others are not delayed."""
        monkeypatch.setattr(process.stream._replay, "recent", type(process.stream._replay.recent)(kept))
        slow = process.stream.subscribe(ADMIN, None, None)
        quick = process.stream.subscribe(ADMIN, None, None)
        got: list[int] = []

        async def record() -> None:
            async with process.build.as_(None) as uow:
                for version in range(1_000):
                    uow.record(a_task_event(version=version))
                await uow.commit()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(record())
            got += await versions(quick, 1_000)
        replays_before = process.stream.counters.replays
        after = await versions(slow, 1_000)

        assert got == after == list(range(1_000))
        assert process.stream.counters.replays > replays_before
        assert await receives_nothing(slow)


class TestResync:
    async def goes_on(self, process: Process, subscriber: Subscriber) -> ResyncReason:
        """The reason; after it the stream must go on, live."""
        resync = await receive_resync(subscriber)
        await process.record(a_task_event(version=1234))
        assert await versions(subscriber, 1) == [1234]
        assert StreamCursor.decode(resync.cursor).epoch == process.stream.epoch
        return resync.reason

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"position": 99}, ResyncReason.FUTURE),
            ({"epoch": "another"}, ResyncReason.EPOCH),
            ({"access_version": 2}, ResyncReason.ACCESS),
        ],
    )
    async def test_a_cursor_that_cannot_be_continued_says_why(self, process: Process, change, reason):
        """Never silence: one item with the reason and the current cursor, then live."""
        await process.record(a_task_event(), a_task_event())
        await process.reaches(2)
        place = {"epoch": process.stream.epoch, "position": 1, "access_version": ADMIN.access_version} | change
        cursor = StreamCursor(**place).encode()
        async with process.stream.subscribe(ADMIN, None, cursor) as subscriber:
            assert subscriber.cursor == cursor
            assert await self.goes_on(process, subscriber) is reason

    async def test_a_trimmed_cursor_is_a_resync(self, process: Process):
        """Whether or not this process knows the trimmed position."""
        cursor = StreamCursor(process.stream.epoch, 0, ADMIN.access_version).encode()
        await process.record(a_task_event(), a_task_event())
        await process.reaches(2)
        process.stream._replay.recent.clear()
        async with process.database.engine.begin() as connection:
            await event_log_on(connection).trim(datetime.now(UTC) + timedelta(hours=1))
        async with process.stream.subscribe(ADMIN, None, cursor) as subscriber:
            assert await self.goes_on(process, subscriber) is ResyncReason.TRIMMED

    async def test_a_new_epoch_reaches_live_subscribers(self, process: Process):
        """And the caches of rights are emptied."""
        broken: list[bool] = []
        process.stream.on_break(lambda: broken.append(True))
        subscriber = process.stream.subscribe(ADMIN, None, None)
        await process.record(a_task_event(version=5))
        assert await versions(subscriber, 1) == [5]
        async with process.database.engine.begin() as connection:
            await connection.execute(text("UPDATE event_head SET epoch = gen_random_uuid()::text"))
        await until(lambda: broken)
        lost = StreamCursor.decode(subscriber.cursor)

        assert lost.epoch != process.stream.epoch
        assert await self.goes_on(process, subscriber) is ResyncReason.EPOCH

    async def test_a_snapshot_from_before_a_gap_is_not_used(self, process: Process):
        """The gap may contain a change of the task."""
        task = await process.build.a_task()
        before = await process.stream.task_cache.read(task.id)
        again = await process.stream.task_cache.read(task.id)
        process.stream._on_log_break(ResyncReason.EPOCH)
        after = await process.stream.task_cache.read(task.id)

        assert before.number == again.number < after.number

    async def test_garbage_is_refused_at_once(self, process: Process):
        """What was never a cursor is a bad request."""
        with pytest.raises(BadRequest):
            process.stream.subscribe(ADMIN, None, "garbage")
        assert process.stream.subscribers == 0


class TestRevocation:
    @pytest.mark.parametrize("change", [AccessChange.SESSION_REVOKED, AccessChange.ROLE_CHANGED])
    async def test_nothing_is_delivered_after_a_change_of_rights(self, process: Process, change: AccessChange):
        """The subscriber ends before the next event; others continue."""
        mine, other = an_actor(Role.ADMIN), process.stream.subscribe(ADMIN, None, None)
        subscriber = process.stream.subscribe(mine, None, None)
        await process.record(an_access_event(mine, change), a_task_event(version=3))

        with pytest.raises(Unauthenticated):
            await receive(subscriber)
        assert await versions(other, 1) == [3]

    async def test_callbacks_precede_later_events(self, process: Process):
        """An access event is announced before later commits are delivered."""
        order: list[object] = []
        process.stream.on_access(lambda event: order.append("access"))
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:
            await process.record(an_access_event(), a_task_event(version=8))
            order += await versions(subscriber, 1)

        assert order == ["access", 8]
