"""The stream in a process and between processes: nothing lost, nothing twice, nothing to strangers."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.errors import BadRequest, Unauthenticated
from domain.events import AccessChange, AccessNews, People
from domain.stream_cursor import StreamCursor
from domain.user import Role
from persistence.event_log import EventLog
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

ADMIN = an_actor(Role.ADMIN)


async def versions(subscriber: Subscriber, many: int) -> list[int]:
    """The versions of the next so many events."""
    return [(await receive_event(subscriber)).version for _ in range(many)]


def _fail(event: AccessNews) -> None:
    raise ZeroDivisionError(event)


class TestLive:
    async def test_an_event_comes_to_every_process(self, start: StartProcess):
        """What is committed in one process is told in all of them."""
        writer, other = await start(), await start()
        event = a_task_event()
        async with writer.stream.subscribe(ADMIN, None, None) as near, other.stream.subscribe(ADMIN, None, None) as far:
            await writer.record(event)

            assert await receive_event(near) == await receive_event(far) == event

    async def test_processes_hear_each_other_without_a_common_bell(self, start: StartProcess):
        """Where the bell does not reach, the sweep does, within a second."""
        writer, other = await start(), await start(channel=f"test:{uuid4()}")
        event = a_task_event()
        async with other.stream.subscribe(ADMIN, None, None) as far:
            await writer.record(event)

            assert await receive_event(far) == event

    async def test_what_nobody_numbered_is_found(self, start: StartProcess, build):
        """Events of a process that died between commit and numbering are numbered by another."""
        survivor = await start()
        async with survivor.stream.subscribe(ADMIN, None, None) as subscriber, build.as_(None) as uow:
            uow.record(a_task_event(version=7))
            await uow.commit()

            assert await versions(subscriber, 1) == [7]

    async def test_only_what_happens_after_subscribing_is_told(self, process: Process):
        """Without a cursor a subscriber hears what is committed from then on, and all of it."""
        await process.record(a_task_event(version=1))
        await process.reaches(1)
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:
            await process.record(a_task_event(version=2), a_task_event(version=3))

            assert await versions(subscriber, 2) == [2, 3]

    async def test_a_big_batch_comes_without_its_events_on_the_bell(self, start: StartProcess):
        """A batch that is too long for the bell is read from the table at once."""
        writer, other = await start(), await start()
        people = People(uuid4(), None)
        async with other.stream.subscribe(ADMIN, None, None) as far:
            async with writer.build.as_(None) as uow:
                for version in range(700):
                    uow.record(a_task_event(version=version, title="x" * 200, before=people, after=people))
                await uow.commit()

            assert await versions(far, 700) == list(range(700))

    async def test_closing_ends_the_iteration(self, process: Process):
        """A closed subscriber ends, and nothing is kept of it."""
        subscriber = process.stream.subscribe(ADMIN, None, None)
        waiting = asyncio.create_task(anext(subscriber))
        await asyncio.sleep(0)
        await subscriber.aclose()

        with pytest.raises(StopAsyncIteration):
            await waiting
        assert process.stream.subscribers == 0

    async def test_a_failing_listener_harms_nobody(self, process: Process):
        """An exception in a callback stops neither the other callbacks nor the stream."""
        received: list[AccessNews] = []
        process.stream.on_access(_fail)
        process.stream.on_access(received.append)
        access = an_access_event()
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:
            await process.record(access, a_task_event(version=9))

            assert await versions(subscriber, 1) == [9]
        assert received == [access]


class TestVisibility:
    async def test_everybody_hears_what_is_theirs(self, process: Process):
        """Owner, assignee and moderator hear of a task; a stranger hears nothing."""
        owner, assignee, outsider = an_actor(), an_actor(), an_actor()
        people = People(owner.user_id, assignee.user_id)
        listeners = [owner, assignee, an_actor(Role.MODERATOR)]
        subscribers = [process.stream.subscribe(each, None, None) for each in listeners]
        outside = process.stream.subscribe(outsider, None, None)
        await process.record(a_task_event(version=4, before=people, after=people))

        assert [await versions(each, 1) for each in subscribers] == [[4], [4], [4]]
        assert await receives_nothing(outside)

    async def test_what_leaves_ones_sight_is_gone(self, process: Process):
        """Unassigned, one is told that the task is gone; the owner sees it change, and both learn of its end."""
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

    async def test_who_hears_nothing_still_moves_on(self, process: Process):
        """The cursor of a subscriber follows the stream, whether anything was for it or not."""
        wanted = StreamFilter(task_ids=frozenset({uuid4()}))
        async with process.stream.subscribe(ADMIN, wanted, None) as subscriber:
            await process.record(a_task_event(), a_task_event())
            await process.reaches(2)

            assert StreamCursor.decode(subscriber.cursor).position == 2

    async def test_the_cursor_stays_before_what_is_in_hand(self, process: Process):
        """Until the next item is asked for, the last one does not count as seen."""
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

    async def test_there_is_no_seam_while_others_write(self, start: StartProcess):
        """Another process, with nothing in memory, replays the table while events keep coming: no gap, no twice."""
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
    async def test_a_slow_consumer_gets_everything(self, process: Process, kept: int, monkeypatch):
        """Who does not keep up reads the log at its own pace, from memory or the table; others are not held up."""
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

    async def test_a_cursor_behind_what_is_kept(self, process: Process):
        """A cursor whose next events were removed is told so, whether or not this process knows that yet."""
        cursor = StreamCursor(process.stream.epoch, 0, ADMIN.access_version).encode()
        await process.record(a_task_event(), a_task_event())
        await process.reaches(2)
        process.stream._replay.recent.clear()
        async with process.database.engine.begin() as connection:
            await EventLog(connection).trim(datetime.now(UTC) + timedelta(hours=1))
        async with process.stream.subscribe(ADMIN, None, cursor) as subscriber:
            assert await self.goes_on(process, subscriber) is ResyncReason.TRIMMED

    async def test_a_new_epoch_reaches_those_who_listen(self, process: Process):
        """When history is replaced everybody is told, and whoever remembers rights is told to forget them."""
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

    async def test_what_was_read_before_a_break_is_not_told_after_it(self, process: Process):
        """A break leaves events out, and with them the word that a task is not what it was when it was read."""
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
    async def test_nothing_is_told_after_a_change_of_rights(self, process: Process, change: AccessChange):
        """Whoever listens with rights of yesterday is sent away before the next event; others listen on."""
        mine, other = an_actor(Role.ADMIN), process.stream.subscribe(ADMIN, None, None)
        subscriber = process.stream.subscribe(mine, None, None)
        await process.record(an_access_event(mine, change), a_task_event(version=3))

        with pytest.raises(Unauthenticated):
            await receive(subscriber)
        assert await versions(other, 1) == [3]

    async def test_callbacks_come_before_later_events(self, process: Process):
        """An access event is announced before anything that was committed after it is handed over."""
        order: list[object] = []
        process.stream.on_access(lambda event: order.append("access"))
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:
            await process.record(an_access_event(), a_task_event(version=8))
            order += await versions(subscriber, 1)

        assert order == ["access", 8]
