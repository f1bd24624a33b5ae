"""The index of subscribers: each event is offered to those who may see it, and nothing stale is kept."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any, cast
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.events import LoggedEvent, MembershipEvent, People, TaskScopedEvent
from domain.project import ProjectRole
from domain.stored_event import read_logged
from domain.user import Role
from streaming.memberships import Memberships
from streaming.subscriber_index import SubscriberIndex
from streaming.subscription import Subscriber
from streaming.subscription_queue import QueuedEvent
from streaming.visibility import EVERYTHING, SubscriberView
from tests.streaming.support import a_task_event
from tests.support.amount import cases
from tests.support.events import published

ALICE, BOB, OWNER = (UUID(int=number) for number in (1, 2, 3))
SHOP, SITE = UUID(int=11), UUID(int=12)
VIEWER, MEMBER, MANAGER = ProjectRole


class FakeSubscriber:
    """The part of a subscriber that the index uses; `offered` has the positions that it was offered."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.view = SubscriberView(actor, EVERYTHING, only_status=False)
        self.offered: list[int] = []

    def entry_for(self, logged: LoggedEvent, event: TaskScopedEvent) -> QueuedEvent | None:
        """As `Subscriber` makes it."""
        visibility = self.view.visibility_of(event)
        return QueuedEvent(logged.position, event, visibility) if visibility is not None else None

    def offer(self, entry: QueuedEvent) -> None:
        """Record it."""
        self.offered.append(entry.position)


class Members:
    """An index with the memberships of its users, changed as a process does."""

    def __init__(self) -> None:
        self.index = SubscriberIndex()
        self.memberships = Memberships()
        self.stored: dict[UUID, dict[UUID, ProjectRole]] = {}
        self.position = 0

    def subscribe(self, user_id: UUID = ALICE, role: Role = Role.USER) -> FakeSubscriber:
        """A subscriber whose roles are loaded."""
        roles = self.memberships.of_user(user_id)
        stored = self.stored.get(user_id, {})
        roles.load(roles.begin_read(), [f"{project} {each.value}" for project, each in stored.items()])
        subscriber = FakeSubscriber(Actor(user_id, role, None, 1, roles))
        self.index.add(cast("Subscriber", subscriber))
        return subscriber

    def remove(self, subscriber: FakeSubscriber) -> None:
        """Remove a subscriber from the index."""
        self.index.remove(cast("Subscriber", subscriber))

    def change(self, role: ProjectRole | None, project_id: UUID = SHOP, user_id: UUID = ALICE) -> None:
        """A user joins, leaves or gets another role."""
        stored = self.stored.setdefault(user_id, {})
        stored.pop(project_id, None)
        if role is not None:
            stored[project_id] = role
        event = MembershipEvent(user_id, project_id, user_id, datetime.now(UTC), None, role)
        self.index.change_membership(user_id, project_id, partial(self.memberships.apply, event))

    def break_log(self) -> None:
        """Events were missed: nothing that is known may be used."""
        self.memberships.forget_all()
        self.index.forget_memberships()

    def offer(self, project_id: UUID | None = SHOP) -> int:
        """Offer a change of a task to all who may see it; returns its position."""
        self.position += 1
        people = People(OWNER, None, project_id)
        event = a_task_event(before=people, after=people)
        stored = read_logged(published(LoggedEvent(self.position, event)))
        if self.index.decode(stored) is None:
            self.index.offer(stored, event)
        return self.position

    def indexed(self) -> dict[UUID, set[FakeSubscriber]]:
        """The entries of the index, by project."""
        return {
            project_id: {cast("FakeSubscriber", each) for group in groups.values() for each in group}
            for project_id, groups in self.index._by_project.items()
        }


@pytest.fixture
def members() -> Members:
    """An empty index."""
    return Members()


class TestOffers:
    def test_members_get_the_events_of_their_projects(self, members: Members):
        """And moderators those of all projects; others none."""
        members.change(VIEWER)
        alice, bob = members.subscribe(), members.subscribe(BOB)
        moderator = members.subscribe(UUID(int=4), Role.MODERATOR)
        shop, site = members.offer(SHOP), members.offer(SITE)

        assert (alice.offered, bob.offered, moderator.offered) == ([shop], [], [shop, site])

    def test_a_moderator_who_is_a_member_gets_an_event_once(self, members: Members):
        """Also one who joins later."""
        members.change(MEMBER)
        subscriber = members.subscribe(role=Role.MODERATOR)
        members.change(MANAGER, SITE)
        shop, site = members.offer(SHOP), members.offer(SITE)

        assert subscriber.offered == [shop, site]
        assert members.indexed() == {}

    def test_the_owner_gets_events_of_a_project_only_as_a_member(self, members: Members):
        """Personal tasks always."""
        owner = members.subscribe(OWNER)
        members.offer(SHOP)
        personal = members.offer(None)
        members.change(VIEWER, user_id=OWNER)
        shop = members.offer(SHOP)

        assert owner.offered == [personal, shop]

    def test_a_task_that_becomes_personal_is_offered_once(self, members: Members):
        """A member of the project who owns the task is found in both ways."""
        members.change(MEMBER)
        alice = members.subscribe()
        event = a_task_event(before=People(ALICE, None, SHOP), after=People(ALICE, None))
        members.index.offer(LoggedEvent(1, event), event)

        assert alice.offered == [1]


class TestChanges:
    def test_joining_and_leaving(self, members: Members):
        """All subscribers of the user, from the next event on."""
        first, second, other = members.subscribe(), members.subscribe(), members.subscribe(BOB)
        members.offer()
        members.change(VIEWER)
        seen = members.offer()
        members.change(None)
        members.offer()

        assert (first.offered, second.offered, other.offered) == ([seen], [seen], [])
        assert members.indexed() == {}

    def test_another_role_leaves_one_entry(self, members: Members):
        """The subscriber gets each event once."""
        subscriber = members.subscribe()
        for role in ProjectRole:
            members.change(role)
        seen = members.offer()

        assert subscriber.offered == [seen]
        assert members.indexed() == {SHOP: {subscriber}}

    def test_a_removed_subscriber_leaves_no_entry(self, members: Members):
        """Whatever has changed since it subscribed; removing it twice has no effect."""
        members.change(MEMBER)
        subscriber = members.subscribe()
        members.change(MEMBER, SITE)
        members.remove(subscriber)
        members.remove(subscriber)
        members.change(MANAGER)
        members.offer()

        assert (subscriber.offered, members.indexed(), len(members.index)) == ([], {}, 0)


class TestBreak:
    def test_nobody_is_a_member_until_the_roles_are_read_again(self, members: Members):
        """The user has left during the break, and the new subscriber has the current roles."""
        members.change(MEMBER)
        members.change(MEMBER, SITE)
        old = members.subscribe()
        members.break_log()
        members.offer(SHOP)
        members.stored[ALICE] = {SITE: VIEWER}
        new = members.subscribe()
        members.offer(SHOP)
        seen = members.offer(SITE)

        assert (old.offered, new.offered) == ([], [seen])

    def test_no_entry_is_left_of_a_subscriber_from_before(self, members: Members):
        """Its user joins again after the break, and then the subscriber is removed."""
        members.change(MEMBER)
        old = members.subscribe()
        members.break_log()
        members.change(MEMBER, SITE)
        new = members.subscribe()
        members.remove(old)
        assert members.indexed() == {SHOP: {new}, SITE: {new}}
        members.remove(new)

        assert members.indexed() == {}


class RandomSteps:
    """Random steps of users who subscribe, join and leave, and breaks of the log."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.members = Members()
        self.present: list[FakeSubscriber] = []

    def step(self) -> None:
        """Do one thing."""
        steps: list[tuple[Callable[[], object], int]] = [
            (self._subscribe, 3),
            (self._remove, 2),
            (self._change, 5),
            (self._break, 1),
        ]
        [step] = self.random.choices([each for each, _ in steps], [weight for _, weight in steps])
        step()

    def missing_or_stale(self) -> dict[str, Any]:
        """What differs from a check of each subscriber."""
        position = self.members.offer(SHOP)
        wanted = {id(each) for each in self.present if each.view.sees_everything or SHOP in each.actor.projects}
        offered = {id(each) for each in self.present if each.offered[-1:] == [position]}
        entries = {each for group in self.members.indexed().values() for each in group}
        index = self.members.index
        keys = {str(key) for key in (*index._by_user, *index._by_project)}
        return {"offers": wanted ^ offered, "stale": entries - set(self.present), "ids": index._ids ^ keys}

    def _subscribe(self) -> None:
        user_id = self.random.choice((ALICE, BOB, OWNER))
        self.present.append(self.members.subscribe(user_id, self.random.choice((Role.USER, Role.USER, Role.MODERATOR))))

    def _remove(self) -> None:
        if self.present:
            self.members.remove(self.present.pop(self.random.randrange(len(self.present))))

    def _change(self) -> None:
        role = self.random.choice((None, None, *ProjectRole))
        self.members.change(role, self.random.choice((SHOP, SITE)), self.random.choice((ALICE, BOB, OWNER)))

    def _break(self) -> None:
        """The process closes the sockets of all users."""
        self.members.break_log()
        while self.present:
            self._remove()


@pytest.mark.parametrize("seed", range(cases(40)))
def test_the_index_equals_a_check_of_each_subscriber(seed: int):
    """After each of many random steps."""
    steps = RandomSteps(seed)
    for _ in range(200):
        steps.step()
        assert steps.missing_or_stale() == {"offers": set(), "stale": set(), "ids": set()}
