"""Events that concern no subscriber of a process are not decoded; everything else is as if they were."""

from datetime import UTC, datetime
from itertools import product
from random import Random
from uuid import UUID, uuid4

import pytest

from domain import stored_event
from domain.actor import Actor, ProjectRoles
from domain.comment import CommentChange, CommentEvent
from domain.event_parsing import read_event
from domain.events import LoggedEvent, MembershipEvent, People, RecordedEvent, TaskChange, TaskEvent
from domain.project import ProjectRole
from domain.stored_event import read_logged
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from domain.user import Role
from services import task as task_service
from streaming.replay import RecentEvents
from streaming.stream_items import Delivered
from streaming.subscription import Subscriber
from streaming.subscription_queue import QueuedEvent
from streaming.visibility import StreamFilter, SubscriberView, Visibility
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
from tests.support.amount import cases
from tests.support.events import published

SHOP, SITE = UUID(int=11), UUID(int=12)
COMMENTS = frozenset({CommentEvent})


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of the events that were decoded, by any process of the test."""
    kinds: list[str] = []

    def read_and_note(kind, payload):
        kinds.append(kind)
        return read_event(kind, payload)

    monkeypatch.setattr(stored_event, "read_event", read_and_note)
    return kinds


def a_member(process: Process, *projects: UUID) -> Actor:
    """A user with the role of a member in these projects."""
    user_id = uuid4()
    roles = process.stream.memberships.of_user(user_id)
    roles.load(roles.begin_read(), [f"{each} {ProjectRole.MEMBER.value}" for each in projects])
    return Actor(user_id, Role.USER, uuid4(), 1, roles)


def in_project(project_id: UUID | None, owner: UUID | None = None) -> TaskEvent:
    """A change of a task, by default of another user."""
    people = People(owner or uuid4(), None, project_id)
    return a_task_event(before=people, after=people)


def a_comment(project_id: UUID) -> CommentEvent:
    """A comment on a task of a project."""
    people = People(uuid4(), None, project_id)
    scope = (uuid4(), 1, TaskStatus.TODO, people, people, people.owner_id, datetime.now(UTC), None)
    return CommentEvent(*scope, comment_id=uuid4(), change=CommentChange.CREATED, comment_count=1)


async def commit(process: Process, *events: RecordedEvent) -> None:
    """Commit events in one transaction, so that they are numbered in one batch; wait until they are dispatched."""
    position = process.stream.position
    async with process.build.as_(None) as uow:
        for event in events:
            uow.record(event)
        await uow.commit()
    await process.reaches(position + len(events))


async def visibilities(subscriber: Subscriber, many: int) -> list[tuple[int, Visibility]]:
    """The positions of the next items, and what they mean."""
    items = [await receive(subscriber) for _ in range(many)]
    return [(item.position, item.visibility) for item in items if isinstance(item, Delivered)]


class TestCounts:
    async def test_nothing_is_decoded_without_subscribers(self, process: Process, decoded: list[str]):
        """The position and its fingerprint advance, and the events are counted."""
        await commit(process, in_project(None), in_project(SHOP), a_comment(SHOP))
        async with process.database.log() as log:
            head = await log.observe(3)

        assert decoded == []
        assert process.stream._log_reader.tail.fingerprint == head.fingerprint is not None
        counters = process.stream.counters
        assert (counters.dispatched, counters.not_decoded, counters.delivered) == (3, 3, 0)

    async def test_a_subscriber_needs_only_its_own_events(self, process: Process, decoded: list[str]):
        """Those of its projects, and of the personal tasks of its user."""
        actor = a_member(process, SHOP)
        subscriber = process.stream.subscribe(actor, None, None)
        await commit(process, *(in_project(each) for each in (None, SITE, SHOP)), in_project(None, actor.user_id))

        assert await visibilities(subscriber, 2) == [(3, Visibility.VISIBLE), (4, Visibility.VISIBLE)]
        assert decoded == ["TASK", "TASK"]
        assert process.stream.counters.not_decoded == 2

    @pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
    async def test_who_sees_everything_needs_every_event(self, process: Process, decoded: list[str], role: Role):
        """Until it is closed."""
        async with process.stream.subscribe(an_actor(role), None, None) as subscriber:
            await commit(process, in_project(None), in_project(SHOP))
            assert len(await visibilities(subscriber, 2)) == 2
        await commit(process, in_project(None), in_project(SHOP))

        assert decoded == ["TASK", "TASK"]

    async def test_closed_subscribers_need_nothing(self, process: Process, decoded: list[str]):
        """While another one of the same user is open, its events are decoded."""
        actor = a_member(process, SHOP)
        async with process.stream.subscribe(actor, None, None):
            async with process.stream.subscribe(actor, None, None):
                pass
            await commit(process, in_project(SHOP), in_project(None, actor.user_id))
            assert len(decoded) == 2
        await commit(process, in_project(SHOP), in_project(None, actor.user_id))

        assert len(decoded) == 2

    async def test_each_process_decodes_for_its_own_subscribers(self, start: StartProcess, decoded: list[str]):
        """Whether it numbers the events or is notified of them."""
        writer, follower = await start(), await start()
        subscriber = follower.stream.subscribe(a_member(follower, SHOP), None, None)
        await commit(writer, in_project(SHOP), in_project(SITE))
        await follower.reaches(2)

        assert await visibilities(subscriber, 1) == [(1, Visibility.VISIBLE)]
        assert decoded == ["TASK"]
        assert (writer.stream.counters.not_decoded, follower.stream.counters.not_decoded) == (2, 1)

    async def test_changes_of_rights_and_projects_are_decoded(self, process: Process, decoded: list[str]):
        """Without a subscriber, too."""
        user_id = uuid4()
        await commit(process, MembershipEvent(user_id, SHOP, user_id, datetime.now(UTC), None, ProjectRole.VIEWER))

        assert set(decoded) == {"ACCESS"}
        assert process.stream.counters.not_decoded == 0


class TestDeliveries:
    async def test_a_comment_is_delivered_to_subscribers_of_comments(self, process: Process):
        """They get no comment of another project."""
        subscriber = process.stream.subscribe(a_member(process, SHOP), None, None, events=COMMENTS)
        await commit(process, a_comment(SITE), a_comment(SHOP))

        assert await visibilities(subscriber, 1) == [(2, Visibility.VISIBLE)]
        assert process.stream.counters.not_decoded == 1

    async def test_a_filter_of_one_who_sees_everything(self, process: Process):
        """It applies to the decoded event."""
        subscriber = process.stream.subscribe(an_actor(Role.ADMIN), StreamFilter(project_id=SHOP), None)
        await commit(process, in_project(SITE), in_project(SHOP))

        assert await visibilities(subscriber, 1) == [(2, Visibility.VISIBLE)]

    async def test_a_task_that_moves_has_two_audiences(self, process: Process):
        """It is gone for one, and visible to the other."""
        old, new = (process.stream.subscribe(a_member(process, each), None, None) for each in (SHOP, SITE))
        owner = uuid4()
        moved = a_task_event(
            changes=(TaskChange.PROJECT,), before=People(owner, None, SHOP), after=People(owner, None, SITE)
        )
        await commit(process, moved)

        assert await visibilities(old, 1) == [(1, Visibility.GONE)]
        assert await visibilities(new, 1) == [(1, Visibility.VISIBLE)]

    @pytest.mark.parametrize("is_assigned", [True, False])
    async def test_an_assignee_of_either_side_is_concerned(self, process: Process, is_assigned: bool):
        """Also one whom the event takes the task from."""
        actor, owner = a_member(process), uuid4()
        subscriber = process.stream.subscribe(actor, None, None)
        sides = [People(owner, None), People(owner, actor.user_id)]
        before, after = sides if is_assigned else reversed(sides)
        await commit(process, a_task_event(changes=(TaskChange.ASSIGNEE,), before=before, after=after))

        expected = Visibility.VISIBLE if is_assigned else Visibility.GONE
        assert await visibilities(subscriber, 1) == [(1, expected)]

    async def test_a_user_who_joins_needs_the_next_event_of_the_batch(self, process: Process):
        """The resync leads past what the batch has; the subscriber of another session that follows projects gets it."""
        actor = a_member(process)
        follows = process.stream.subscribe(actor, None, None, follows_projects=True)
        joins = MembershipEvent(actor.user_id, SHOP, actor.user_id, datetime.now(UTC), None, ProjectRole.VIEWER)
        await commit(process, joins, in_project(SHOP))

        assert await visibilities(follows, 2) == [(1, Visibility.OWN_ROLE), (2, Visibility.VISIBLE)]

    async def test_a_user_who_leaves_needs_no_event_of_the_batch(self, process: Process, decoded: list[str]):
        """Nor any later one."""
        actor = a_member(process, SHOP)
        subscriber = process.stream.subscribe(actor, None, None)
        leaves = MembershipEvent(actor.user_id, SHOP, actor.user_id, datetime.now(UTC), None, None)
        await commit(process, leaves, in_project(SHOP))
        await receive_resync(subscriber)

        assert "TASK" not in decoded
        assert await receives_nothing(subscriber)

    async def test_one_who_subscribes_between_two_events_gets_the_second(self, process: Process):
        """The decision is made for each event when it is dispatched."""
        actor = a_member(process, SHOP)
        await commit(process, in_project(SHOP))
        subscriber = process.stream.subscribe(actor, None, None)
        await commit(process, in_project(SHOP))

        assert await visibilities(subscriber, 1) == [(2, Visibility.VISIBLE)]

    async def test_one_who_subscribes_while_a_batch_is_dispatched(
        self, process: Process, monkeypatch: pytest.MonkeyPatch
    ):
        """A callback of the first event subscribes, and the second is delivered."""
        actor, found = a_member(process, SHOP), list[Subscriber]()
        other = process.stream.subscribe(a_member(process, SITE), None, None)

        def subscribe(entry: QueuedEvent) -> None:
            found.append(process.stream.subscribe(actor, None, None))

        monkeypatch.setattr(other, "offer", subscribe)
        await commit(process, in_project(SITE), in_project(SHOP))

        # The position of a new subscriber is that of the process, which counts the whole batch as dispatched.
        assert await receives_nothing(found[0])
        await commit(process, in_project(SHOP))
        assert await visibilities(found[0], 1) == [(3, Visibility.VISIBLE)]


class TestReplay:
    @pytest.mark.parametrize("kept", [0, 2_000])
    async def test_undecoded_events_are_replayed(self, process: Process, decoded: list[str], kept: int):
        """From memory, or from the log: as they were committed, and only what the actor may see is decoded."""
        process.stream._replay.recent = RecentEvents(kept)
        actor = a_member(process, SHOP)
        events = [in_project(SHOP), in_project(SITE), in_project(SHOP)]
        await commit(process, *events)
        assert decoded == []
        after = StreamCursor(process.stream.epoch, 0, actor.access_version).encode()
        subscriber = process.stream.subscribe(actor, None, after)

        assert [await receive_event(subscriber) for _ in range(2)] == [events[0], events[2]]
        assert decoded == ["TASK", "TASK"]

    async def test_two_subscribers_that_resume_share_one_decoding(self, process: Process, decoded: list[str]):
        """The payload is needed once; later replays use the event."""
        await commit(process, in_project(SHOP))
        for _ in range(2):
            actor = a_member(process, SHOP)
            after = StreamCursor(process.stream.epoch, 0, actor.access_version).encode()
            await receive_event(process.stream.subscribe(actor, None, after))

        assert decoded == ["TASK"]


class TestCache:
    async def test_an_undecoded_change_is_read_again(self, process: Process):
        """A later subscriber gets the current task."""
        task = await process.build.a_task()
        before = await process.stream.task_cache.read(task.id)
        change = task_service.update_task_status(
            process.build.as_(an_actor(Role.ADMIN)), task_id=task.id, status=TaskStatus.IN_PROGRESS
        )
        await change
        await process.reaches(1)
        after = await process.stream.task_cache.read(task.id)

        assert process.stream.counters.not_decoded == 1
        assert before.superseded
        assert before.task is not None
        assert after.task is not None
        assert (before.task.status, after.task.status) == (TaskStatus.TODO, TaskStatus.IN_PROGRESS)

    async def test_an_undecoded_restoration_ends_the_deletion(self, process: Process):
        """The people of the deleted task are known until then, although the deletion had no listener."""
        cache, people = process.stream.task_cache, People(uuid4(), None)
        deleted = a_task_event(changes=(TaskChange.DELETED,), before=people, after=None)
        await commit(process, deleted)
        assert cache._deleted == {deleted.task_id: people}
        restored = a_task_event(
            changes=(TaskChange.RESTORED,), before=None, after=people, task_id=deleted.task_id, version=9
        )
        await commit(process, restored)

        assert cache._deleted == {}
        assert process.stream.counters.not_decoded == 1


def _random_side(random: Random, users: list[UUID]) -> People:
    return People(random.choice(users), random.choice([None, *users]), random.choice([None, SHOP, SITE]))


@pytest.mark.parametrize("seed", range(cases(20)))
def test_no_actor_may_see_an_event_that_is_left_out(seed: int):
    """Compared with the visibility of the decoded event, for actors with any roles."""
    random = Random(seed)
    users = [UUID(int=number) for number in range(1, 5)]
    left_out = 0
    for _, user_id in product(range(50), users):
        projects = random.sample([SHOP, SITE], random.randint(0, 2))
        role = random.choice([Role.USER, Role.USER, Role.MODERATOR])
        roles = ProjectRoles(dict.fromkeys(projects, ProjectRole.VIEWER))
        view = SubscriberView(Actor(user_id, role, None, 1, roles), StreamFilter())
        before, after = (random.choice([None, *[_random_side(random, users)] * 4]) for _ in range(2))
        event = a_task_event(before=before, after=after)
        stored = read_logged(published(LoggedEvent(1, event)))
        if not view.candidates([stored]):
            left_out += 1
            assert view.visibility_of(event) is None

    assert left_out > 0
