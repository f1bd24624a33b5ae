"""The clean-up by the clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.errors import Unavailable
from server import scheduled_cleanup
from server.scheduled_cleanup import clean_up_by_schedule
from services.cleanup import ClocksDiffer
from tests.support.builders import Builders
from tests.support.log import Log
from tests.support.waiting import HANG_SECONDS


async def test_expired_sessions_are_removed_on_schedule(build: Builders):
    """With a schedule of every second; active ones stay."""
    user, now = await build.a_user(), datetime.now(UTC)
    over = await build.a_session(user, expires_at=now - timedelta(seconds=1))
    living = await build.a_session(user)
    cleaner = asyncio.create_task(
        clean_up_by_schedule(
            build.database,
            schedule="* * * * * *",
            event_retention=timedelta(days=1),
            trash_retention=timedelta(days=1),
            mail_retention=timedelta(days=7),
            audit_retention=timedelta(days=1),
        )
    )

    async with asyncio.timeout(HANG_SECONDS):
        while await _exists(build, over.id):
            await asyncio.sleep(0.02)
    cleaner.cancel()

    assert await _exists(build, living.id)


async def _exists(build: Builders, session_id: UUID) -> bool:
    async with build.as_(None) as uow:
        return await uow.sessions.find(session_id) is not None


@pytest.mark.parametrize("trouble", [ClocksDiffer(timedelta(days=-40)), Unavailable("away")], ids=["clocks", "away"])
async def test_a_refused_run_is_skipped(
    build: Builders, monkeypatch: pytest.MonkeyPatch, no_secrets_in_logs: Log, trouble: Exception
):
    """One line without a traceback, and the next run follows the schedule."""
    tries = 0
    twice = asyncio.Event()

    async def refused(*arguments: object, **options: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 2:
            twice.set()
        raise trouble

    monkeypatch.setattr(scheduled_cleanup, "clean_up", refused)
    cleaner = asyncio.create_task(
        clean_up_by_schedule(
            build.database,
            schedule="* * * * * *",
            event_retention=timedelta(days=1),
            trash_retention=timedelta(days=1),
            mail_retention=timedelta(days=7),
            audit_retention=timedelta(days=1),
        )
    )
    await twice.wait()
    cleaner.cancel()
    line = next(line for line in no_secrets_in_logs.lines if str(trouble) in line["event"])
    assert "exception" not in line
