"""The lease: a process that cannot know whether rights have changed hands nothing over."""

import asyncio
from uuid import uuid4

import pytest

from domain.errors import Unauthenticated
from domain.user import Role
from streaming.lease import LEASE_SECONDS, Lease
from tests.streaming.conftest import StartProcess
from tests.streaming.support import (
    Process,
    a_task_event,
    an_access_event,
    an_actor,
    receive,
    receive_event,
    receives_nothing,
    until,
)

ADMIN = an_actor(Role.ADMIN)


class TestLease:
    def test_the_lease_expires(self):
        """It is fresh for less than a second after the instant of its renewal."""
        now = 10.0
        lease = Lease(lambda: now)
        assert not lease.fresh

        lease.renew(10.0)
        now = 10.0 + LEASE_SECONDS - 0.001
        before = lease.fresh
        now = 10.0 + LEASE_SECONDS

        assert (before, lease.fresh) == (True, False)

    def test_older_knowledge_does_not_shorten_it(self):
        """An answer that was overtaken by a newer one changes nothing."""
        lease = Lease(lambda: 10.0)
        lease.renew(9.9)
        lease.renew(5.0)

        assert lease.fresh


class TestCutOff:
    @pytest.mark.parametrize("one_notifier", [True, False])
    async def test_a_revocation_is_applied_before_later_events(self, start: StartProcess, one_notifier: bool):
        """A process without the database delivers nothing; when it is back, it applies the revocation first."""
        other, cut = await start(), await start(**({} if one_notifier else {"channel": f"test:{uuid4()}"}))
        revoked, faithful = an_actor(Role.ADMIN), an_actor(Role.ADMIN)
        lost, kept = (cut.stream.subscribe(each, None, None) for each in (revoked, faithful))
        cut.database.cut = True
        await until(lambda: not cut.stream.lease.fresh)
        await other.record(a_task_event(version=1), an_access_event(revoked), a_task_event(version=2))
        refused, waiting = (asyncio.create_task(receive_event(each)) for each in (lost, kept))
        await asyncio.wait([waiting], timeout=0.3)
        silent = not waiting.done()
        cut.database.cut = False

        assert silent
        with pytest.raises(Unauthenticated):
            await refused
        assert (await waiting).version == 1
        assert (await receive_event(kept)).version == 2

    async def test_a_process_that_was_frozen_reads_before_it_speaks(self, start: StartProcess):
        """Items that waited in a frozen process are handed over only after the log has been read again."""
        other, frozen = await start(), await start(channel=f"test:{uuid4()}")
        revoked = an_actor(Role.ADMIN)
        lost, kept = (frozen.stream.subscribe(each, None, None) for each in (revoked, ADMIN))
        await other.record(a_task_event(version=1))
        await frozen.reaches(1)
        frozen.database.cut = True
        await other.record(an_access_event(revoked))
        frozen.sleep_through(60)
        assert await receives_nothing(lost)
        frozen.database.cut = False

        with pytest.raises(Unauthenticated):
            await receive(lost)
        assert (await receive_event(kept)).version == 1

    async def test_a_process_that_starts_without_a_database_finds_it_later(self, start: StartProcess, monkeypatch):
        """Starting does not fail; nothing is trusted until the log has been seen."""
        monkeypatch.setattr("tests.streaming.support.CutOff.cut", True)
        process = await start()
        fresh_without = process.stream.lease.fresh
        monkeypatch.undo()
        await until(lambda: process.stream.lease.fresh)

        assert not fresh_without
        assert process.stream.epoch != ""

    async def test_a_long_way_to_catch_up_does_not_keep_the_lease_stale(self, process: Process):
        """Behind by thousands of events, the process is trusted again as soon as the changes of rights are read."""
        process.database.cut = True
        async with process.build.as_(None) as uow:
            for _ in range(3_000):
                uow.record(a_task_event())
            await uow.commit()
        await until(lambda: not process.stream.lease.fresh)
        process.database.cut = False
        await until(lambda: process.stream.lease.fresh)
        when_fresh = process.stream.position
        await process.reaches(3_000)

        assert when_fresh <= 3_000
        assert process.stream.lease.fresh

    async def test_a_replay_waits_for_the_database(self, process: Process):
        """Without the database a replay delivers nothing; then it continues."""
        await process.record(a_task_event(version=6))
        await process.reaches(1)
        cursor = process.stream.subscribe(ADMIN, None, None).cursor
        await process.record(a_task_event(version=7))
        await process.reaches(2)
        process.stream._replay.recent.clear()
        process.database.cut = True
        subscriber = process.stream.subscribe(ADMIN, None, cursor)
        waiting = asyncio.create_task(receive_event(subscriber))
        await asyncio.sleep(0.2)
        silent = not waiting.done()
        process.database.cut = False

        assert silent
        assert (await waiting).version == 7
