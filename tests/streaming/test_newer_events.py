"""Events of a newer version beside an older process: it continues, and no revoked right is used."""

import logging
from collections.abc import AsyncIterator
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.errors import Unauthenticated
from domain.events import AccessNews, TaskChange, TaskEvent
from domain.stream_cursor import StreamCursor
from domain.unknown_events import UnknownAccess
from domain.user import Role
from persistence.pagination import PageRequest
from persistence.queries.event import HISTORY
from streaming.stream_items import Delivered, ResyncReason
from streaming.subscription import Subscriber
from streaming.visibility import Visibility
from tests.domain.test_event_parsing import access_payload, task_payload, without
from tests.domain.test_stream_cursor import encoded
from tests.streaming.conftest import StartProcess
from tests.streaming.support import (
    Process,
    a_task_event,
    an_actor,
    receive,
    receive_event,
    receive_resync,
    receives_nothing,
)
from tests.support import newer_version
from tests.support.builders import Builders
from tests.support.reads import task_history

ADMIN = an_actor(Role.ADMIN)
ALICE = an_actor(user_id=UUID(int=1))
"""The people in the payloads."""
KINDS = ("COMMENT", "PROJECT", "x" * 20)
VALUES: tuple[dict[str, Any], ...] = (
    *({"changes": ["COLOR"]}, {"changes": []}, {"changes": ["TITLE", "COLOR"]}, {"changes": None}),
    *({"to": "BLOCKED"}, {"from": "BLOCKED"}, {"to": None}, {"version": "x"}, {"version": 2**40}, {"at": "later"}),
    *({"before": {}}, {"after": {}}, {"after": None, "to": "BLOCKED"}, {"project": {"before": 1}}, {"title": None}),
)
ANYTHING: tuple[Any, ...] = ({}, [], None, "x", 1e300, task_payload(), access_payload())
MALFORMED: tuple[Any, ...] = ({}, [], None, 7)
FUTURE: list[tuple[str, Any]] = [
    *product(KINDS, ANYTHING),
    *(("TASK", task_payload(**values)) for values in VALUES),
    *(("TASK", without(task_payload(), key)) for key in task_payload()),
    *(("TASK", payload) for payload in MALFORMED),
]
OF_ALICE: list[Any] = [
    access_payload(change="MEMBERSHIP_ENDED"),
    access_payload(change=None),
    access_payload(session=7),
    without(access_payload(), "change"),
    without(access_payload(), "at"),
]
OF_ALL_USERS: list[Any] = [{}, [], None, access_payload(user="x"), without(access_payload(), "user")]


@pytest.fixture(autouse=True)
async def any_kind(build: Builders) -> AsyncIterator[None]:
    """The table takes any kind, as after the migration of a newer version."""
    await newer_version.take_any_kind(build.database)
    yield
    await newer_version.take_known_kinds(build.database)


async def record(process: Process, *events: tuple[str, Any]) -> None:
    """Commit events as a newer version writes them, and wait until the process has met them."""
    position = process.stream.position
    await newer_version.record(process.database, UUID(int=2), *events)
    await process.reaches(position + len(events))


def cursor_at(process: Process, actor: Actor, position: int) -> str:
    """A cursor of the process's history."""
    return StreamCursor(process.stream.epoch, position, actor.access_version).encode()


async def delivered_until(subscriber: Subscriber, version: int) -> list[tuple[Visibility, tuple[TaskChange, ...]]]:
    """The deliveries before a version of a task."""
    delivered: list[tuple[Visibility, tuple[TaskChange, ...]]] = []
    while True:
        item = await receive(subscriber)
        assert isinstance(item, Delivered), item
        assert isinstance(item.event, TaskEvent), item
        if item.event.version == version:
            return delivered
        delivered.append((item.visibility, item.event.changes))


class TestUnknownEvents:
    async def test_every_process_continues(self, start: StartProcess):
        """The one that numbers them, one with Redis and one without deliver later events."""
        numbering, receiving = await start(), await start()
        deaf = await start(channel="of its own")
        processes = (numbering, receiving, deaf)
        subscribers = [each.stream.subscribe(ADMIN, None, None) for each in processes]
        await record(numbering, *FUTURE)
        await numbering.record(a_task_event(version=77))
        delivered = [await delivered_until(subscriber, 77) for subscriber in subscribers]

        assert delivered[0] == delivered[1] == delivered[2]
        assert (Visibility.VISIBLE, (TaskChange.TITLE,)) in delivered[0]
        assert (Visibility.DELETED, ()) in delivered[0]
        for process in processes:
            counters = process.stream.counters
            assert counters.skipped > len(KINDS)
            assert counters.skipped + counters.read_in_part + len(delivered[0]) >= len(FUTURE)

    @pytest.mark.parametrize("from_memory", [True, False])
    async def test_a_replay_gives_the_same(self, process: Process, from_memory: bool):
        """From memory or from the table."""
        live = process.stream.subscribe(ADMIN, None, None)
        await record(process, *FUTURE)
        await process.record(a_task_event(version=77))
        delivered = await delivered_until(live, 77)
        if not from_memory:
            process.stream._replay.recent.clear()
        back = process.stream.subscribe(ADMIN, None, cursor_at(process, ADMIN, 0))

        assert await delivered_until(back, 77) == delivered

    async def test_an_unknown_status_is_not_delivered(self, process: Process):
        """It is no status change; the deletion is delivered."""
        moves = process.stream.subscribe(ADMIN, None, None, only_status=True)
        changes = process.stream.subscribe(ADMIN, None, None)
        await record(process, ("TASK", task_payload(to="BLOCKED")), ("TASK", task_payload(to="BLOCKED", after=None)))

        for subscriber in (moves, changes):
            item = await receive(subscriber)
            assert isinstance(item, Delivered)
            assert item.visibility is Visibility.DELETED

    async def test_the_log_lines_are_few(self, process: Process, caplog: pytest.LogCaptureFixture):
        """One for each sort, however many events there are."""
        with caplog.at_level(logging.WARNING, "taskriver"):
            await record(process, *FUTURE * 3)

        lines = [line.message for line in caplog.records if line.name == "taskriver.stream"]
        assert len(lines) == len(set(lines)) == len(KINDS) + 2

    async def test_the_log_is_read_however_damaged_it_is(self, process: Process, build: Builders):
        """A task's history has what can be shown, a page of it is full, and clean-up and import see no deletion."""
        task = UUID(int=2)
        comment = ("COMMENT", {"changes": ["DELETED"]})
        await record(process, ("TASK", task_payload()), *FUTURE, comment, ("TASK", task_payload()))
        async with build.as_(ADMIN) as uow:
            page = await task_history(uow, task, PageRequest.of(2, None, order=HISTORY.order))
            deleted = await uow.events.deletions_of([task]), await uow.events.deleted_of([task])

        assert len(page.rows) == 2
        assert deleted == ({}, set())  # what a comment's event says of its own changes does not count


class TestUnknownAccess:
    @pytest.mark.parametrize("payload", OF_ALICE)
    async def test_an_unknown_change_of_rights_ends_the_subscription(self, process: Process, payload: Any):
        """The user's cursor is stale: the user gets a resync."""
        news: list[AccessNews] = []
        process.stream.on_access(news.append)
        hers = process.stream.subscribe(ALICE, None, None)
        others = process.stream.subscribe(ADMIN, None, None)
        await record(process, ("TASK", task_payload(version=5)), ("ACCESS", payload), ("TASK", task_payload(version=6)))

        with pytest.raises(Unauthenticated):
            await receive(hers)
        assert news == [UnknownAccess(ALICE.user_id)]
        assert StreamCursor.decode(hers.cursor).position < 2
        back = process.stream.subscribe(ALICE, None, hers.cursor)
        assert (await receive_resync(back)).reason is ResyncReason.ACCESS
        assert [(await receive_event(others)).version for _ in range(2)] == [5, 6]
        assert process.stream.counters.unknown_access == 1

    @pytest.mark.parametrize("payload", OF_ALL_USERS)
    async def test_an_unknown_change_without_a_user_concerns_all(self, process: Process, payload: Any):
        """Every subscription ends."""
        subscribers = [process.stream.subscribe(actor, None, None) for actor in (ALICE, ADMIN, an_actor())]
        await record(process, ("ACCESS", payload))

        for subscriber in subscribers:
            with pytest.raises(Unauthenticated):
                await receive(subscriber)
            back = process.stream.subscribe(subscriber.actor, None, subscriber.cursor)
            assert (await receive_resync(back)).reason is ResyncReason.ACCESS

    async def test_a_later_cursor_is_valid(self, process: Process):
        """It continues without a resync."""
        await record(process, ("ACCESS", {}))
        subscriber = process.stream.subscribe(ALICE, None, cursor_at(process, ALICE, 1))

        assert await receives_nothing(subscriber)


class TestUnknownCursors:
    @pytest.mark.parametrize("plain", ["s3.e.1.1", "s3.1.fingerprint", "s10.", "s999.~"])
    async def test_a_cursor_of_another_version_is_a_resync(self, process: Process, plain: str):
        """With a cursor of this version."""
        subscriber = process.stream.subscribe(ADMIN, None, encoded(plain))

        resync = await receive_resync(subscriber)
        assert resync.reason is ResyncReason.EPOCH
        assert StreamCursor.decode(resync.cursor).epoch == process.stream.epoch
