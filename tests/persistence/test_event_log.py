"""The numbering of the log, without concurrent processes; those are tested with the stream."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from domain.errors import BadRequest
from domain.events import AccessChange, AccessEvent
from persistence import event_log
from persistence.event_log import EventLog
from persistence.pagination import PageCursor, PageRequest
from persistence.queries.event import HISTORY
from services.task import update_task
from services.task_creation import create_task
from services.task_edit import TaskEdit
from tests.persistence.expected_pages import Expected, expected, some_pages
from tests.support.builders import Builders
from tests.support.reads import positions, task_history
from tests.support.transactions import flush


def an_event() -> AccessEvent:
    """An event of a user."""
    user_id = uuid4()
    return AccessEvent(user_id, AccessChange.ENABLED, None, None, user_id, datetime.now(UTC), None)


async def record(build: Builders, *events: AccessEvent) -> None:
    """Record events, one transaction each."""
    for event in events:
        async with build.as_(None) as uow:
            uow.record(event)
            await uow.commit()


@asynccontextmanager
async def log_of(build: Builders) -> AsyncIterator[EventLog]:
    """The log in one transaction, which is committed at the end."""
    async with build.as_(None) as uow:
        await uow.transaction.begin()
        yield uow.events
        await uow.commit()


class TestNumber:
    async def test_positions_are_dense_and_in_order_of_recording(self, build: Builders):
        """Committed events get the positions 1, 2, 3 in the order in which they were recorded."""
        events = [an_event() for _ in range(3)]
        await record(build, *events)

        async with log_of(build) as log:
            numbered = (await log.number()).events

        assert [(logged.position, logged.event) for logged in numbered] == list(enumerate(events, start=1))

    async def test_a_rollback_leaves_no_gap(self, build: Builders):
        """A rolled-back event gets no position."""
        async with build.as_(None) as uow:
            uow.record(an_event())
            await flush(uow)
        await record(build, an_event())

        async with log_of(build) as log:
            numbered = (await log.number()).events

        assert [logged.position for logged in numbered] == [1]

    async def test_all_its_statements_are_counted(self, build: Builders):
        """Each is one statement."""
        await record(build, an_event())
        async with build.database.log() as log:
            before = build.database.statements.count
            await log.number()
            await log.after(0)
            await log.head()

        assert build.database.statements.count == before + 3

    async def test_the_head_counts_numbered_and_pending_events(self, build: Builders):
        """It says whether there are pending ones."""
        await record(build, an_event(), an_event(), an_event())
        async with log_of(build) as log:
            await log.number(2)
            head = await log.head()
            await log.number()
            after = await log.head()

        assert (head.position, head.pending) == (2, True)
        assert (after.position, after.pending) == (3, False)


class TestFingerprints:
    async def test_the_database_draws_one_for_each_event(self, build: Builders):
        """They differ, have at most 48 bits, and are the same in every reading."""
        await record(build, *(an_event() for _ in range(5)))
        async with log_of(build) as log:
            numbered = await log.number()
            read = await log.after(0)
            access = await log.access_between(0, 5)
            single = [await log.fingerprint_at(position) for position in range(7)]
            head = await log.head()

        drawn = [logged.fingerprint for logged in numbered.events]
        assert len({each for each in drawn if each is not None and 0 <= each < 2**48}) == 5
        assert [logged.fingerprint for logged in read] == [logged.fingerprint for logged in access] == drawn
        assert [body[3] for body in numbered.bodies] == drawn
        assert single == [None, *drawn, None]
        assert (head.has_fingerprints, head.fingerprint) == (True, drawn[-1])

    async def test_that_of_the_last_removed_event_is_kept(self, build: Builders):
        """The cursors of a server without changes stay valid."""
        await record(build, *(an_event() for _ in range(3)))
        async with log_of(build) as log:
            drawn = [logged.fingerprint for logged in (await log.number()).events]
            await log.trim(datetime.now(UTC) + timedelta(days=1))
            kept = [await log.fingerprint_at(position) for position in range(1, 4)]
            head = await log.head()

        assert kept == [None, None, drawn[2]]
        assert (head.position, head.trimmed, head.fingerprint) == (3, 3, drawn[2])

    async def test_it_is_unknown_after_a_version_without_them_has_removed_more(self, build: Builders):
        """That of an earlier position does not count."""
        await record(build, an_event(), an_event())
        async with log_of(build) as log:
            await log.number(1)
            await log.trim(datetime.now(UTC) + timedelta(days=1))
            await log.number()
        async with build.database.engine.begin() as connection:
            await connection.execute(text("DELETE FROM events"))
            await connection.execute(text("UPDATE event_head SET trimmed = 2"))
        async with log_of(build) as log:
            assert (await log.fingerprint_at(2), (await log.head()).fingerprint) == (None, None)

    async def test_it_is_unknown_for_events_from_before(self, build: Builders):
        """They stay as they are."""
        await record(build, an_event())
        async with build.database.engine.begin() as connection:
            await connection.execute(text("UPDATE events SET fingerprint = NULL"))
        async with log_of(build) as log:
            await log.number()
            head = await log.head()

        assert (head.position, head.has_fingerprints, head.fingerprint) == (1, True, None)

    async def test_an_operator_chooses_whether_cursors_have_them(self, build: Builders):
        """The head says so in the same statement."""
        await record(build, an_event())
        async with log_of(build) as log:
            await log.number()
            await log.use_fingerprints(enabled=False)
            without = await log.head()
            await log.use_fingerprints(enabled=True)
            head = await log.head()

        assert (without.has_fingerprints, without.fingerprint) == (False, None)
        assert (head.has_fingerprints, head.fingerprint is not None) == (True, True)


class TestTrim:
    async def test_a_past_deed_takes_no_younger_event_with_it(self, build: Builders):
        """An old event that was recorded late stays until all before it are old, and what has no number stays."""
        now = datetime.now(UTC)
        for days in (9, 8, 1, 7):
            async with build.as_(None, now=now - timedelta(days=days)) as uow:
                uow.record(an_event())
                await uow.commit()
        async with log_of(build) as log:
            await log.number()
        async with build.as_(None, now=now - timedelta(days=9)) as uow:
            uow.record(an_event())
            await uow.commit()

        async with log_of(build) as log:
            removed = await log.trim(now - timedelta(days=5))
            left = [logged.position for logged in await log.after(0)]
            head = await log.head()
            again = await log.trim(now - timedelta(days=5))

        assert (removed, left, again) == (2, [3, 4], 0)
        assert (head.trimmed, head.position, head.pending) == (2, 4, True)

    async def test_many_are_removed_in_steps(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """However many are due, all of them go, a bounded number with each step."""
        monkeypatch.setattr(event_log, "_TRIM_STEP", 2)
        await record(build, *(an_event() for _ in range(7)))
        async with log_of(build) as log:
            await log.number()
            removed = [await log.trim(datetime.now(UTC) + timedelta(hours=1)) for _ in range(5)]
            head = await log.head()

        assert (removed, head.trimmed) == ([2, 2, 2, 1, 0], 7)

    async def test_only_old_events_are_removed(self, build: Builders):
        """The head records the trimmed position."""
        await record(build, an_event(), an_event())
        async with log_of(build) as log:
            await log.number()
            early = await log.trim(datetime.now(UTC) - timedelta(hours=1))
            removed = await log.trim(datetime.now(UTC) + timedelta(hours=1))
            head = await log.head()

        assert (early, removed, head.trimmed, head.position) == (0, 2, 2, 2)


class TestHistory:
    @pytest.mark.parametrize("value", [None, "", "x", "-1", "1" * 19, "１"])
    async def test_a_cursor_that_is_no_position_is_a_bad_request(self, build: Builders, value: str | None):
        """At either end of a page."""
        task = await build.a_task()
        cursor = PageCursor(HISTORY.order, value, task.id)
        for request in (PageRequest(5, after=cursor), PageRequest(5, before=cursor)):
            with pytest.raises(BadRequest):
                HISTORY.page([task.id], request)

    async def test_every_window_of_a_history(self, build: Builders):
        """Pages in both directions, between any two cursors, also of other events, are exact."""
        actor = await build.an_actor()
        task, other = await create_task(build.as_(actor), title="a"), await create_task(build.as_(actor), title="b")
        for title in "cde":
            for each in (task, other):
                await update_task(build.as_(actor), task_id=each.id, edit=TaskEdit(title=title))
        async with log_of(build) as log:
            await log.number()
        places = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
        async with build.as_(actor) as uow:
            own = positions(await task_history(uow, task.id, PageRequest(100)))
            for wanted in some_pages(places, random.Random(7), 120):
                after, before = (_cursor(places, index, task.id) for index in (wanted.after, wanted.before))
                page = await task_history(uow, task.id, PageRequest(wanted.size, after, before, wanted.backward))
                found = Expected(positions(page), page.has_previous, page.has_next)
                assert found == expected(places, own, wanted), wanted


def _cursor(places: list[int], index: int | None, task_id: UUID) -> PageCursor | None:
    return PageCursor(HISTORY.order, str(places[index]), task_id) if index is not None else None
