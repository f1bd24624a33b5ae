"""The clean-up takes what has had its time, and nothing else."""

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest
from sqlalchemy import text

from domain.events import AccessChange, AccessEvent
from domain.idempotency import IdempotencyKey
from domain.task import TaskStatus
from persistence import unit_of_work
from persistence.models import UsedTokenRow
from services.cleanup import ClocksDiffer, Removed, clean_up
from services.idempotency import find_earlier_result
from services.task import update_task_status
from tests.support.builders import Builders
from tests.support.transactions import event_log_on

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
WEEK = timedelta(days=7)


async def a_past(build: Builders) -> None:
    """Sessions and numbered events, some of which have had their time at noon, and some just not."""
    user = await build.a_user()
    for expires_at in (NOON - WEEK, NOON, NOON + TICK, NOON + WEEK):
        session = await build.a_session(user, created_at=NOON - WEEK, expires_at=expires_at)
        async with build.as_(None) as uow:
            uow.sessions.add_used(UsedTokenRow(token_hash=session.id.bytes, session_id=session.id, used_at=NOON - WEEK))
            await uow.commit()
    for at in (NOON - 2 * WEEK, NOON - WEEK - TICK, NOON - WEEK, NOON):
        async with build.as_(None, now=at) as uow:
            uow.record(AccessEvent(user.id, AccessChange.ENABLED, None, None, user.id, at, None))
            await uow.commit()
    async with build.database.engine.begin() as connection:
        await event_log_on(connection).number()
    for number, age in enumerate((31, 30, 29, 0)):
        key = IdempotencyKey(f"key {number}")
        async with build.as_(user, now=NOON - timedelta(days=age) - TICK, key=key) as uow:
            await find_earlier_result(uow, "test", user.id, {})
            await uow.commit()


class TestCleanUp:
    async def test_only_expired_rows_are_removed(self, build: Builders):
        """Expired sessions with their tokens, events beyond the retention, and keys older than 30 days."""
        await a_past(build)
        removed = await clean_up(build.as_(None, now=NOON), event_retention=WEEK)

        left = await build.snapshot()
        assert removed == Removed(sessions=2, tokens=0, events=2, keys=2, tasks=0, audit_entries=0)
        assert len(left["sessions"]) == len(left["used_tokens"]) == 2
        assert [row[1] for row in left["events"]] == [3, 4]
        assert len(left["idempotency_keys"]) == 2
        assert len(left["users"]) == 1

    async def test_a_second_time_there_is_nothing_to_do(self, build: Builders):
        """Cleaning what is clean changes nothing."""
        await a_past(build)
        await clean_up(build.as_(None, now=NOON), event_retention=WEEK)
        async with build.unchanged():
            assert await clean_up(build.as_(None, now=NOON), event_retention=WEEK) == Removed(0, 0, 0, 0, 0, 0)

    async def test_one_cleanup_runs_at_a_time(self, build: Builders):
        """Other processes skip theirs; later any process can run it."""
        await a_past(build)
        async with build.as_(None) as rival:
            assert await rival.try_lock("cleanup")
            async with build.unchanged():
                assert await clean_up(build.as_(None, now=NOON), event_retention=WEEK) is None
        outcomes = await asyncio.gather(*(clean_up(build.as_(None, now=NOON), event_retention=WEEK) for _ in range(4)))

        assert sum(outcome.sessions for outcome in outcomes if outcome is not None) == 2


class TestClocks:
    @pytest.fixture(params=[timedelta(days=40), -timedelta(days=40), timedelta(seconds=90)], ids=str)
    def wrong_clock(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> timedelta:
        """By how much the clock of this process is wrong."""
        by: timedelta = request.param

        class Wrong(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                return super().now(tz) + by

        monkeypatch.setattr(unit_of_work, "datetime", Wrong)
        return by

    async def a_present(self, build: Builders) -> None:
        """A new session, key and event of a process whose clock may be wrong."""
        user = await build.a_user()
        await build.a_session(user)
        async with build.as_(user, key=IdempotencyKey("key")) as uow:
            await find_earlier_result(uow, "test", user.id, {})
            uow.record(AccessEvent(user.id, AccessChange.ENABLED, None, None, user.id, uow.now, None))
            await uow.commit()
        async with build.database.engine.begin() as connection:
            await event_log_on(connection).number()

    async def test_a_wrong_clock_removes_nothing(self, build: Builders, wrong_clock: timedelta):
        """The error says by how much the clock is wrong, and what to do."""
        await self.a_present(build)
        async with build.unchanged():
            with pytest.raises(ClocksDiffer, match=r"clock is .* s (ahead of|behind) the database's clock. Configure"):
                await clean_up(build.as_(None), event_retention=WEEK)

    async def test_data_of_a_process_with_a_wrong_clock_stay(self, build: Builders, wrong_clock: timedelta):
        """Their age is that of the database's clock."""
        await self.a_present(build)
        right = datetime.now(UTC)
        removed = await clean_up(build.as_(None, now=right), event_retention=WEEK)
        assert removed == Removed(sessions=0, tokens=0, events=0, keys=0, tasks=0, audit_entries=0)

    async def test_a_move_is_as_old_as_the_database_says(self, build: Builders, wrong_clock: timedelta):
        """Also when it was made together with others."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        await update_task_status(build.as_(actor), task_id=task.id, status=TaskStatus.DONE)
        async with build.database.connect() as connection:
            age = await connection.scalar(text("SELECT clock_timestamp() - max(recorded_at) FROM events"))
        assert timedelta() <= age < timedelta(minutes=1)
