"""The visibility of events: the policy, and the filter."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from domain.actor import Actor
from domain.event_format import EventFormat
from domain.events import (
    TASK_SCOPE,
    AccessChange,
    AccessEvent,
    EventKind,
    People,
    TaskChange,
    TaskEvent,
    TaskScopedEvent,
)
from domain.task import TaskStatus
from domain.user import Role
from streaming.visibility import EVERYTHING, StreamFilter, SubscriberView, Visibility, concerns
from tests.streaming.support import a_task_event, an_access_event, an_actor

ME, YOU, THEM = UUID(int=1), UUID(int=2), UUID(int=3)
MINE, YOURS, YOURS_FOR_ME, YOURS_FOR_THEM = People(ME, None), People(YOU, None), People(YOU, ME), People(YOU, THEM)

IN_A_PROJECT = People(ME, ME, UUID(int=4))


def look(before: People | None, after: People | None, *, role: Role = Role.USER, **options) -> Visibility | None:
    """What I see of a move."""
    event = a_task_event(before=before, after=after, **options.pop("event", {}))
    wanted = options.pop("wanted", EVERYTHING)
    return SubscriberView(an_actor(role, user_id=ME), wanted, options.pop("only_status", False)).visibility_of(event)


class TestVisibility:
    @pytest.mark.parametrize(
        ("before", "after", "visibility"),
        [
            (MINE, MINE, Visibility.VISIBLE),
            (None, MINE, Visibility.VISIBLE),
            (YOURS, YOURS_FOR_ME, Visibility.VISIBLE),
            (YOURS_FOR_ME, YOURS, Visibility.GONE),
            (YOURS_FOR_ME, YOURS_FOR_THEM, Visibility.GONE),
            (MINE, None, Visibility.DELETED),
            (YOURS, YOURS, None),
            (YOURS, None, None),
            (None, YOURS, None),
        ],
    )
    def test_a_user_sees_own_and_assigned_tasks(self, before, after, visibility):
        """Visible afterwards: visible; only before: gone or deleted; never: nothing."""
        assert look(before, after) is visibility

    @pytest.mark.parametrize(
        ("before", "after", "visibility"),
        [(IN_A_PROJECT, IN_A_PROJECT, None), (MINE, IN_A_PROJECT, Visibility.GONE), (IN_A_PROJECT, None, None)],
    )
    def test_the_people_of_a_project_s_task_do_not_see_it(self, before, after, visibility):
        """Its members do, whom only a newer version knows. A task that moves into a project is gone."""
        assert look(before, after) is visibility
        assert look(before, after, role=Role.MODERATOR) is not None

    @pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
    def test_moderators_receive_all_events(self, role):
        """Of tasks of other users, deletions included."""
        assert look(YOURS, YOURS_FOR_THEM, role=role) is Visibility.VISIBLE
        assert look(YOURS, None, role=role) is Visibility.DELETED


class TestFilter:
    def test_a_filter_matches_people_before_or_after(self):
        """Assigning and unassigning are delivered."""
        mine = StreamFilter(assignee_id=ME)

        assert look(YOURS, YOURS_FOR_ME, wanted=mine) is Visibility.VISIBLE
        assert look(MINE, MINE, wanted=mine) is None
        assert look(YOURS_FOR_ME, YOURS, wanted=mine, role=Role.ADMIN) is Visibility.VISIBLE

    def test_a_filter_does_not_reveal_hidden_tasks(self):
        """A former assignee cannot find the new one."""
        assert look(YOURS_FOR_ME, YOURS_FOR_THEM, wanted=StreamFilter(assignee_id=THEM)) is None

    def test_owner_and_assignee_must_match_on_the_same_side(self):
        """Between fields it is AND: an owner before and an assignee after are no match."""
        wanted = StreamFilter(owner_id=YOU, assignee_id=THEM)

        assert look(YOURS, People(ME, THEM), wanted=wanted, role=Role.ADMIN) is None
        assert look(YOURS, YOURS_FOR_THEM, wanted=wanted, role=Role.ADMIN) is Visibility.VISIBLE

    def test_a_filter_of_task_ids(self):
        """An empty set matches nothing."""
        task_id = uuid4()
        event = {"task_id": task_id}

        assert look(MINE, MINE, event=event, wanted=StreamFilter(task_ids=frozenset({task_id}))) is Visibility.VISIBLE
        assert look(MINE, MINE, event=event, wanted=StreamFilter(task_ids=frozenset({uuid4()}))) is None
        assert look(MINE, None, event=event, wanted=StreamFilter(task_ids=frozenset())) is None

    def test_a_status_filter_matches_the_status_after(self):
        """Only events with a wanted status are delivered."""
        assert look(MINE, MINE, wanted=StreamFilter(to=frozenset({TaskStatus.DONE}))) is Visibility.VISIBLE
        assert look(MINE, MINE, wanted=StreamFilter(to=frozenset({TaskStatus.TODO}))) is None

    def test_gone_and_deleted_pass_a_status_filter(self):
        """A subscriber must learn of them."""
        wanted = StreamFilter(to=frozenset({TaskStatus.CANCELLED}))

        assert look(MINE, None, wanted=wanted, only_status=True) is Visibility.DELETED
        assert look(YOURS_FOR_ME, YOURS, wanted=wanted, only_status=True) is Visibility.GONE

    def test_status_subscriptions_deliver_status_changes_and_deletions(self):
        """A new title is left out."""
        title = {"changes": (TaskChange.TITLE,)}

        assert look(MINE, MINE, only_status=True, event=title) is None
        assert look(MINE, MINE, event=title) is Visibility.VISIBLE


@dataclass(slots=True)
class NoteEvent(TaskScopedEvent):
    """A change of an object that belongs to a task."""

    kind: ClassVar = EventKind.TASK
    json_format: ClassVar = EventFormat(**TASK_SCOPE)


def a_note_event(people: People, **values: Any) -> NoteEvent:
    """A change of a note on a task of these people; the task is DONE."""
    event = a_task_event(before=people, after=people, **values)
    return NoteEvent(**{name: getattr(event, name) for name in TASK_SCOPE})


class TestClassesOfEvents:
    @pytest.mark.parametrize("role", Role)
    def test_a_subscriber_gets_the_events_of_its_class(self, role: Role):
        """Subscribers to tasks and to notes do not get each other's events."""
        tasks = SubscriberView(an_actor(role, user_id=ME), EVERYTHING, only_status=False)
        notes = SubscriberView(an_actor(role, user_id=ME), EVERYTHING, only_status=False, events=frozenset({NoteEvent}))
        task, note = a_task_event(before=MINE, after=MINE), a_note_event(MINE)

        assert (tasks.visibility_of(task), tasks.visibility_of(note)) == (Visibility.VISIBLE, None)
        assert (notes.visibility_of(task), notes.visibility_of(note)) == (None, Visibility.VISIBLE)
        assert tasks.filter_key != notes.filter_key

    def test_an_event_is_visible_to_those_who_may_see_the_task(self):
        """The policy decides by the people of the task."""
        notes = SubscriberView(an_actor(user_id=ME), EVERYTHING, only_status=False, events=frozenset({NoteEvent}))

        assert notes.visibility_of(a_note_event(YOURS_FOR_ME)) is Visibility.VISIBLE
        assert notes.visibility_of(a_note_event(YOURS)) is None

    @pytest.mark.parametrize(("after", "expected"), [(YOURS, Visibility.GONE), (None, Visibility.DELETED)])
    def test_a_task_that_is_gone_is_reported_to_every_class(self, after: People | None, expected: Visibility):
        """A subscriber to notes learns that the task is no longer there."""
        notes = SubscriberView(an_actor(user_id=ME), EVERYTHING, only_status=False, events=frozenset({NoteEvent}))

        assert notes.visibility_of(a_task_event(before=YOURS_FOR_ME, after=after)) is expected

    def test_the_filter_is_about_the_task(self):
        """Its people and its status are compared, whatever the class of the event."""
        for wanted, expected in (
            (StreamFilter(to=frozenset({TaskStatus.DONE}), owner_id=ME), Visibility.VISIBLE),
            (StreamFilter(to=frozenset({TaskStatus.TODO})), None),
            (StreamFilter(owner_id=YOU), None),
            (StreamFilter(task_ids=frozenset()), None),
        ):
            notes = SubscriberView(an_actor(user_id=ME), wanted, only_status=False, events=frozenset({NoteEvent}))
            assert notes.visibility_of(a_note_event(MINE)) is expected

    def test_a_task_event_has_its_own_keys_in_addition(self):
        """Both classes share the keys of the task's facts, so one reader understands both."""
        event = a_note_event(MINE)

        assert NoteEvent.from_json(event.to_json()) == event
        assert event.to_json().keys() < TaskEvent.json_format.to_json(a_task_event()).keys()


class TestConcerns:
    @pytest.fixture
    def me(self) -> Actor:
        """Me."""
        return an_actor(user_id=ME)

    def test_a_session(self, me):
        """The end of a session concerns that session only."""
        assert concerns(an_access_event(me), me)
        assert not concerns(an_access_event(an_actor(user_id=ME)), me)

    def test_a_change_of_role_concerns_all_sessions(self, me):
        """Of its user."""
        event = an_access_event(me, AccessChange.ROLE_CHANGED)

        assert concerns(event, me)
        assert concerns(event, an_actor(user_id=ME))
        assert not concerns(event, an_actor(user_id=YOU))

    def test_a_new_password_keeps_its_session(self, me):
        """The other sessions end."""
        event = AccessEvent(ME, AccessChange.PASSWORD_CHANGED, None, me.session_id, ME, a_task_event().at, None)

        assert not concerns(event, me)
        assert concerns(event, an_actor(user_id=ME))
