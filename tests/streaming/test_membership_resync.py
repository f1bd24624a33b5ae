"""A subscriber whose user joins, leaves or gets another role in a project resyncs, and then has the new rights."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from domain import event_parsing
from domain.actor import Actor
from domain.errors import Unauthenticated
from domain.event_parsing import read_event
from domain.events import EventKind, MembershipEvent, People, TaskEvent
from domain.project import ProjectRole
from domain.stream_cursor import StreamCursor
from domain.unknown_events import UnknownAccess
from domain.user import Role
from streaming.replay import RecentEvents
from streaming.stream_items import ResyncReason
from streaming.subscription import Subscriber
from tests.streaming.conftest import StartProcess
from tests.streaming.support import (
    Process,
    a_task_event,
    an_actor,
    logged,
    receive,
    receive_event,
    receive_resync,
    receives_nothing,
    until,
)

SHOP = UUID(int=11)
VIEWER, MEMBER, MANAGER = ProjectRole


def a_member(process: Process, role: ProjectRole | None = None, of: Role = Role.USER) -> Actor:
    """A user whose roles this process has loaded: no project, or one."""
    user_id = uuid4()
    roles = process.stream.memberships.of_user(user_id)
    roles.load(roles.begin_read(), [] if role is None else [f"{SHOP} {role.value}"])
    return Actor(user_id, of, uuid4(), 1, roles)


def becomes(actor: Actor, role: ProjectRole | None) -> MembershipEvent:
    """The user gets a role in the project, or leaves."""
    return MembershipEvent(actor.user_id, SHOP, actor.user_id, datetime.now(UTC), None, role)


def in_shop(version: int = 1) -> TaskEvent:
    """A change of a task of the project, which another user owns."""
    people = People(uuid4(), None, SHOP)
    return a_task_event(version=version, before=people, after=people)


def cursor_at(process: Process, actor: Actor, position: int) -> str:
    """A cursor of the process's history."""
    return StreamCursor(process.stream.epoch, position, actor.access_version).encode()


async def resyncs_at(subscriber: Subscriber, position: int) -> None:
    """The next item is a resync with a cursor at this position or after it."""
    resync = await receive_resync(subscriber)
    assert resync.reason is ResyncReason.ACCESS
    assert StreamCursor.decode(resync.cursor).position >= position


async def versions(subscriber: Subscriber, many: int) -> list[int]:
    """The versions of the next events."""
    return [(await receive_event(subscriber)).version for _ in range(many)]


class TestLive:
    @pytest.mark.parametrize(("before", "after"), [(None, VIEWER), (VIEWER, MANAGER), (MANAGER, MEMBER)])
    async def test_a_member_gets_the_events_after_the_resync(self, process: Process, before, after):
        """A user who joins, and a member who gets another role."""
        actor = a_member(process, before)
        subscriber = process.stream.subscribe(actor, None, None)
        await process.record(becomes(actor, after))
        await resyncs_at(subscriber, 1)
        await process.record(in_shop(2))

        assert await versions(subscriber, 1) == [2]
        assert actor.projects.of(SHOP) is after

    async def test_a_user_who_leaves_gets_nothing_more(self, process: Process):
        """The subscription stays open, and still delivers personal tasks."""
        actor = a_member(process, MEMBER)
        subscriber = process.stream.subscribe(actor, None, None)
        await process.record(becomes(actor, None))
        await resyncs_at(subscriber, 1)
        await process.record(in_shop(2), a_task_event(actor.user_id, version=3))

        assert await versions(subscriber, 1) == [3]

    async def test_each_change_has_a_resync(self, process: Process):
        """If the subscriber receives it before the next change."""
        actor = a_member(process)
        subscriber = process.stream.subscribe(actor, None, None)
        for position, role in enumerate((VIEWER, MEMBER, None, MANAGER), start=1):
            await process.record(becomes(actor, role))
            await resyncs_at(subscriber, position)

        assert await receives_nothing(subscriber)

    async def test_all_sessions_of_the_user_resync_and_nobody_else(self, process: Process):
        """A moderator, too, who sees the same tasks with another role in the project."""
        actor = a_member(process, of=Role.MODERATOR)
        again = Actor(actor.user_id, Role.MODERATOR, uuid4(), 1, actor.projects)
        others = [process.stream.subscribe(each, None, None) for each in (a_member(process, MEMBER), an_actor())]
        own = [process.stream.subscribe(each, None, None) for each in (actor, again)]
        await process.record(becomes(actor, VIEWER))

        for subscriber in own:
            await resyncs_at(subscriber, 1)
        for subscriber in others:
            assert await receives_nothing(subscriber)

    async def test_a_change_in_another_process(self, start: StartProcess):
        """That process has no connection to the writer but the log."""
        writer, other = await start(), await start(channel=f"test:{uuid4()}")
        actor = a_member(other)
        subscriber = other.stream.subscribe(actor, None, None)
        await writer.record(becomes(actor, VIEWER), in_shop(2))

        await resyncs_at(subscriber, 1)


class TestWaitingItems:
    async def test_the_resync_replaces_items_that_wait(self, process: Process):
        """Until it is seen, the cursor is in front of the change."""
        actor = a_member(process, MEMBER)
        subscriber = process.stream.subscribe(actor, None, None)
        await process.record(in_shop(1), in_shop(2), becomes(actor, None), in_shop(3))
        await process.reaches(4)

        assert StreamCursor.decode(subscriber.cursor).position == 2
        await resyncs_at(subscriber, 3)
        assert await receives_nothing(subscriber)

    async def test_the_item_in_hand_is_not_delivered_again(self, process: Process):
        """It was delivered before the change; the next item is the resync."""
        actor = a_member(process, MEMBER)
        subscriber = process.stream.subscribe(actor, None, None)
        await process.record(in_shop(1))
        assert await versions(subscriber, 1) == [1]
        await process.record(becomes(actor, VIEWER), in_shop(3))
        await process.reaches(3)

        await resyncs_at(subscriber, 2)
        assert await receives_nothing(subscriber)

    @pytest.mark.parametrize("kept", [0, 2_000])
    async def test_a_subscriber_that_is_behind_finds_the_change_in_the_log(self, start: StartProcess, kept: int):
        """From memory or from the table: it gets no event of the project without a resync."""
        process = await start(capacity=2)
        process.stream._replay.recent = RecentEvents(kept)
        actor = a_member(process)
        subscriber = process.stream.subscribe(actor, None, None)
        own = [a_task_event(actor.user_id, version=each) for each in range(5)]
        await process.record(*own, becomes(actor, VIEWER), in_shop(6))
        await process.reaches(7)
        assert not subscriber.live

        await resyncs_at(subscriber, 6)
        await process.record(in_shop(7))
        assert (await versions(subscriber, 1))[-1] == 7

    async def test_one_resync_is_enough(self, process: Process):
        """While one is pending, another change adds none: all lists are read after it."""
        actor = a_member(process)
        subscriber = process.stream.subscribe(actor, None, None)
        await process.record(becomes(actor, VIEWER), becomes(actor, MEMBER), becomes(actor, None))
        await process.reaches(3)

        await resyncs_at(subscriber, 3)
        assert await receives_nothing(subscriber)

    async def test_a_resync_for_another_reason_is_enough(self, process: Process):
        """The one that is pending keeps its reason."""
        actor = a_member(process)
        subscriber = process.stream.subscribe(actor, None, None)
        async with process.database.engine.begin() as connection:
            await connection.execute(text("UPDATE event_head SET epoch = gen_random_uuid()::text"))
        epoch = process.stream.epoch
        await until(lambda: process.stream.epoch != epoch)
        await process.record(becomes(actor, VIEWER))
        await process.reaches(1)

        assert (await receive_resync(subscriber)).reason is ResyncReason.EPOCH
        assert await receives_nothing(subscriber)


class TestResume:
    async def test_a_cursor_from_before_the_change(self, process: Process):
        """The events before it are not delivered: what they mean has changed."""
        actor = a_member(process, VIEWER)
        await process.record(in_shop(1), becomes(actor, VIEWER), in_shop(3))
        await process.reaches(3)
        subscriber = process.stream.subscribe(actor, None, cursor_at(process, actor, 0))

        await resyncs_at(subscriber, 2)
        assert await receives_nothing(subscriber)

    async def test_a_cursor_at_the_change(self, process: Process):
        """The lists were read after it."""
        actor = a_member(process, VIEWER)
        await process.record(in_shop(1), becomes(actor, VIEWER), in_shop(3))
        await process.reaches(3)
        subscriber = process.stream.subscribe(actor, None, cursor_at(process, actor, 2))

        assert await versions(subscriber, 1) == [3]
        assert await receives_nothing(subscriber)

    async def test_the_change_of_another_user(self, process: Process):
        """It is no reason."""
        actor, other = a_member(process, VIEWER), a_member(process, VIEWER)
        await process.record(in_shop(1), becomes(other, None), in_shop(3))
        await process.reaches(3)
        subscriber = process.stream.subscribe(actor, None, cursor_at(process, actor, 0))

        assert await versions(subscriber, 2) == [1, 3]

    async def test_a_change_before_the_first_read(self, process: Process):
        """A subscriber that has not started finds the change when it reads the log."""
        actor = a_member(process)
        subscriber = process.stream.subscribe(actor, None, cursor_at(process, actor, 0))
        await process.record(becomes(actor, VIEWER), in_shop(2))
        await process.reaches(2)
        assert StreamCursor.decode(subscriber.cursor).position == 0

        await resyncs_at(subscriber, 1)

    async def test_a_lost_resync_is_sent_again(self, process: Process):
        """A client that disconnects before it has seen it resumes in front of the change."""
        actor = a_member(process)
        subscriber = process.stream.subscribe(actor, None, None)
        await process.record(becomes(actor, VIEWER), in_shop(2))
        await process.reaches(2)
        await resyncs_at(subscriber, 1)
        cursor = subscriber.cursor
        await subscriber.aclose()

        await resyncs_at(process.stream.subscribe(actor, None, cursor), 1)


class TestAppliedBeforeDispatched:
    """During a long catch-up, changes of rights are applied before the events between are dispatched."""

    async def applied(self, process: Process, event: MembershipEvent, position: int) -> None:
        """Apply the event at a position that is not dispatched yet."""
        process.stream._log_reader._apply_access(logged(event, first=position), position)

    async def test_a_subscriber_from_between(self, process: Process):
        """Its lists may be older than the change: it resyncs when the change is dispatched."""
        actor = a_member(process)
        event = becomes(actor, VIEWER)
        await self.applied(process, event, 2)
        subscriber = process.stream.subscribe(actor, None, None)
        assert actor.projects.of(SHOP) is VIEWER
        await process.record(in_shop(1), event)
        await process.reaches(2)

        await resyncs_at(subscriber, 2)

    async def test_a_subscriber_with_a_cursor_from_between(self, process: Process):
        """As long as the cursor is in front of the change."""
        actor = a_member(process)
        event = becomes(actor, VIEWER)
        await process.record(a_task_event())
        await process.reaches(1)
        await self.applied(process, event, 2)
        subscriber = process.stream.subscribe(actor, None, cursor_at(process, actor, 1))
        assert await receives_nothing(subscriber)
        await process.record(event)

        await resyncs_at(subscriber, 2)

    async def test_events_before_the_change_are_judged_by_the_new_role(self, process: Process):
        """The user has left: an event that was committed before that is not delivered any more."""
        actor = a_member(process, MEMBER)
        subscriber = process.stream.subscribe(actor, None, None)
        event = becomes(actor, None)
        await self.applied(process, event, 2)
        await process.record(in_shop(1))
        await process.reaches(1)
        assert await receives_nothing(subscriber)
        await process.record(event)

        await resyncs_at(subscriber, 2)


class TestOlderProcess:
    """A version without projects reads the event as a change of rights that it does not know."""

    @pytest.fixture(autouse=True)
    def without_projects(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Read as that version does."""
        monkeypatch.setattr(event_parsing, "MEMBERSHIP", "no change has this name")

    @pytest.mark.parametrize("role", [None, *ProjectRole])
    def test_it_knows_whose_rights_changed(self, role: ProjectRole | None):
        """Only those of this user."""
        actor = an_actor()

        assert read_event(EventKind.ACCESS.value, becomes(actor, role).to_json()) == UnknownAccess(actor.user_id)

    async def test_it_ends_the_subscriptions_of_the_user(self, process: Process):
        """The client resumes, and resyncs; other users continue."""
        actor, other = a_member(process), an_actor(Role.MODERATOR)
        own, others = (process.stream.subscribe(each, None, None) for each in (actor, other))
        await process.record(becomes(actor, VIEWER), in_shop(2))

        with pytest.raises(Unauthenticated):
            await receive(own)
        assert await versions(others, 1) == [2]
        assert process.stream.counters.unknown_access == 1
        await resyncs_at(process.stream.subscribe(actor, None, own.cursor), 1)
