"""Restored databases: live subscribers and resumed ones get a resync."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from domain.actor import OPERATOR, Actor
from domain.errors import Forbidden
from domain.stream_cursor import StreamCursor
from domain.user import Role
from persistence.event_log import EventLog
from persistence.models.event import RANDOM_48_BITS
from services.stream import reset_epoch, set_cursor_format
from streaming.stream_items import ResyncReason
from tests.streaming.conftest import StartProcess
from tests.streaming.support import Process, a_task_event, an_actor, receive_event, receive_resync, until
from tests.support.builders import Builders

ADMIN = an_actor(Role.ADMIN)


@asynccontextmanager
async def restored(build: Builders) -> AsyncIterator[None]:
    """Changes inside the block are lost at its end: rows are copied back, without any other trace."""
    async with build.database.engine.begin() as connection:
        for table in ("events", "log_state"):
            await connection.execute(text(f"CREATE TABLE kept_{table} AS TABLE {table}"))
    try:
        yield
        async with build.database.engine.begin() as connection:
            await connection.execute(text("LOCK log_state"))
            await connection.execute(text("DELETE FROM events"))
            await connection.execute(text("INSERT INTO events OVERRIDING SYSTEM VALUE TABLE kept_events"))
            await connection.execute(text("UPDATE log_state SET epoch = kept.epoch FROM kept_log_state AS kept"))
    finally:
        async with build.database.engine.begin() as connection:
            await connection.execute(text("DROP TABLE kept_events, kept_log_state"))


async def record(process: Process, many: int) -> None:
    """Record events, and wait until the process has delivered them."""
    position = process.stream.position
    await process.record(*(a_task_event() for _ in range(many)))
    await process.reaches(position + many)


def cursor_at(process: Process, actor: Actor, position: int) -> str:
    """A cursor in the history as the process knows it."""
    return StreamCursor(process.stream.epoch, position, actor.access_version).encode()


class TestRestoredUnderALivingProcess:
    async def test_every_subscriber_gets_a_resync(self, start: StartProcess, build: Builders):
        """EPOCH once in every process, and then new events."""
        processes = [await start() for _ in range(3)]
        subscribers = [each.stream.subscribe(ADMIN, None, None) for each in processes]
        await record(processes[0], 5)
        async with restored(build):
            await record(processes[0], 20)
            for subscriber in subscribers:
                for _ in range(25):
                    await receive_event(subscriber)
        resyncs = [await receive_resync(subscriber) for subscriber in subscribers]
        after = a_task_event(version=99)
        await processes[0].record(after)

        assert {resync.reason for resync in resyncs} == {ResyncReason.EPOCH}
        assert [await receive_event(subscriber) for subscriber in subscribers] == [after] * 3
        assert len({each.stream.epoch for each in processes}) == 1

    async def test_cursors_of_lost_events_get_a_resync(self, start: StartProcess, build: Builders):
        """Also when the log has grown past them, and cursors from before the restore."""
        process = await start()
        await record(process, 5)
        old = process.stream.epoch
        kept = cursor_at(process, ADMIN, 3)
        async with restored(build):
            await record(process, 5)
            lost = cursor_at(process, ADMIN, 9)
        await until(lambda: process.stream.epoch != old)
        await record(process, 30)

        for cursor in (lost, kept):
            async with process.stream.subscribe(ADMIN, None, cursor) as subscriber:
                assert (await receive_resync(subscriber)).reason is ResyncReason.EPOCH

    async def test_a_new_epoch_applies_to_every_process(self, start: StartProcess, build: Builders):
        """A process that had not seen the lost future, and one that starts later, are in the new epoch, too."""
        first = await start()
        await record(first, 5)
        old = first.stream.epoch
        async with restored(build):
            await record(first, 5)
        await until(lambda: first.stream.epoch != old)
        late = await start()

        assert late.stream.epoch == first.stream.epoch


class TestResetEpoch:
    async def test_resetting_the_epoch_gives_resyncs(self, process: Process):
        """After an undetectable restore, the operator's command is enough."""
        await record(process, 3)
        subscriber = process.stream.subscribe(ADMIN, None, None)
        before = cursor_at(process, ADMIN, 2)
        await reset_epoch(process.database.unit_of_work(OPERATOR))

        assert (await receive_resync(subscriber)).reason is ResyncReason.EPOCH
        async with process.stream.subscribe(ADMIN, None, before) as late:
            assert (await receive_resync(late)).reason is ResyncReason.EPOCH

    async def test_only_the_operator_may_reset_the_epoch(self, build: Builders):
        """No user may, whatever their role."""
        admin = await build.an_actor(Role.ADMIN)
        async with build.unchanged():
            with pytest.raises(Forbidden):
                await reset_epoch(build.as_(admin))


class TestFingerprints:
    async def test_a_cursor_of_lost_events_gets_a_resync(self, start: StartProcess, build: Builders):
        """Also if no process saw the loss, and the log has grown past the cursor in the same epoch."""
        process = await start()
        await record(process, 5)
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:
            kept = subscriber.cursor
            async with restored(build):
                await record(process, 5)
                for _ in range(5):
                    await receive_event(subscriber)
                lost = subscriber.reached
                await process.stream.stop()
        other = await start()
        await record(other, 30)

        assert other.stream.epoch == process.stream.epoch
        async with other.stream.subscribe(ADMIN, None, lost) as subscriber:
            assert (await receive_resync(subscriber)).reason is ResyncReason.EPOCH
        async with other.stream.subscribe(ADMIN, None, kept) as subscriber:
            for _ in range(30):
                await receive_event(subscriber)

    async def test_a_cursor_without_one_follows_the_epoch(self, process: Process):
        """As in earlier versions."""
        await record(process, 3)
        async with process.stream.subscribe(ADMIN, None, cursor_at(process, ADMIN, 2)) as subscriber:
            await receive_event(subscriber)

    async def test_an_unknown_one_is_accepted(self, process: Process, build: Builders):
        """The event at the cursor is of a version that did not have fingerprints."""
        async with build.database.engine.begin() as connection:
            await connection.execute(text("ALTER TABLE events ALTER COLUMN fingerprint DROP DEFAULT"))
        try:
            await record(process, 3)
        finally:
            async with build.database.engine.begin() as connection:
                default = RANDOM_48_BITS
                await connection.execute(text(f"ALTER TABLE events ALTER COLUMN fingerprint SET DEFAULT {default}"))
        cursor = StreamCursor(process.stream.epoch, 2, ADMIN.access_version, 7).encode()
        async with process.stream.subscribe(ADMIN, None, cursor) as subscriber:
            await receive_event(subscriber)
            assert StreamCursor.decode(subscriber.reached).fingerprint is None

    async def test_all_cursors_of_a_position_are_the_same(self, start: StartProcess, build: Builders):
        """Those of a live event, a replayed one, an idle subscriber, and a process that starts later."""
        process = await start()
        async with process.stream.subscribe(ADMIN, None, None) as live:
            await record(process, 3)
            for _ in range(3):
                await receive_event(live)
            reached = live.reached
        late = await start()
        async with late.stream.subscribe(ADMIN, None, cursor_at(process, ADMIN, 0)) as replaying:
            for _ in range(3):
                await receive_event(replaying)
            replayed = replaying.reached
        async with late.stream.subscribe(ADMIN, None, None) as idle:
            cursors = {reached, replayed, idle.cursor}

        [cursor] = cursors
        assert StreamCursor.decode(cursor).fingerprint == late.stream._log_reader.tail.start_fingerprint(3) is not None

    async def test_a_process_follows_the_operator_s_choice(self, process: Process):
        """Within a second, without a restart."""
        await record(process, 1)
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:

            def has_fingerprint() -> bool:
                return StreamCursor.decode(subscriber.cursor).fingerprint is not None

            assert has_fingerprint()
            await set_cursor_format(process.database.unit_of_work(OPERATOR), 1)
            await until(lambda: not has_fingerprint())
            await set_cursor_format(process.database.unit_of_work(OPERATOR), 2)
            await until(has_fingerprint)

    async def test_a_process_without_new_events_follows_it(self, start: StartProcess):
        """It reads the fingerprint of the last event again."""
        process = await start()
        await record(process, 1)
        await set_cursor_format(process.database.unit_of_work(OPERATOR), 1)
        late = await start()
        async with late.stream.subscribe(ADMIN, None, None) as subscriber:
            assert StreamCursor.decode(subscriber.cursor).fingerprint is None
            await set_cursor_format(process.database.unit_of_work(OPERATOR), 2)
            await until(lambda: StreamCursor.decode(subscriber.cursor).fingerprint is not None)

    async def test_clients_at_the_end_resume_after_a_restart_without_a_read(
        self, start: StartProcess, monkeypatch: pytest.MonkeyPatch
    ):
        """All clients of a server without changes are there."""
        process = await start()
        await record(process, 2)
        async with process.stream.subscribe(ADMIN, None, None) as subscriber:
            cursor = subscriber.cursor
        read: list[int] = []
        fingerprint_at = EventLog.fingerprint_at

        async def noted(log: EventLog, position: int) -> int | None:
            read.append(position)
            return await fingerprint_at(log, position)

        monkeypatch.setattr(EventLog, "fingerprint_at", noted)
        late = await start()
        async with late.stream.subscribe(ADMIN, None, cursor) as subscriber:
            await record(process, 1)
            await receive_event(subscriber)

        assert StreamCursor.decode(cursor).fingerprint is not None
        assert read == []

    async def test_only_the_operator_may_choose(self, build: Builders):
        """No user may, whatever their role."""
        admin = await build.an_actor(Role.ADMIN)
        async with build.unchanged():
            with pytest.raises(Forbidden):
                await set_cursor_format(build.as_(admin), 1)


class TestMoved:
    async def test_a_reconnect_detects_another_server(self, process: Process, build: Builders):
        """Subscribers get EPOCH."""
        await record(process, 3)
        subscriber = process.stream.subscribe(ADMIN, None, None)
        async with build.database.engine.begin() as connection:
            await connection.execute(text("UPDATE event_head SET timeline = timeline + 1"))
        pool = process.database._log_pool
        await until(lambda: pool.acquired == 0)  # a connection in use would go back to the pool
        for connection in pool._idle:
            connection.terminate()

        assert (await receive_resync(subscriber)).reason is ResyncReason.EPOCH
