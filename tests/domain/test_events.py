"""Events survive their journey through JSON."""

import json
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event_parsing import read_event, read_logged
from domain.events import AccessChange, AccessEvent, EventKind, LoggedEvent, People, TaskChange, TaskEvent, kind_of
from domain.task import TaskStatus
from tests.support.events import published

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(timezones=OFFSETS)
STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
PEOPLE = st.builds(People, owner_id=st.uuids(), assignee_id=st.none() | st.uuids())
ANY_TASK_EVENTS = st.builds(
    TaskEvent,
    task_id=st.uuids(),
    version=st.integers(1, 2**31 - 1),
    changes=st.lists(st.sampled_from(TaskChange), unique=True).map(tuple),
    from_status=st.none() | st.sampled_from(TaskStatus),
    to_status=st.sampled_from(TaskStatus),
    title=STORABLE,
    before=st.none() | PEOPLE,
    after=st.none() | PEOPLE,
    actor_id=st.uuids(),
    at=INSTANTS,
    request_id=st.none() | STORABLE,
)
TASK_EVENTS = ANY_TASK_EVENTS.filter(lambda event: event.from_status is not None or not event.changed_status)
ACCESS_EVENTS = st.builds(
    AccessEvent,
    user_id=st.uuids(),
    change=st.sampled_from(AccessChange),
    session_id=st.none() | st.uuids(),
    spared_session_id=st.none() | st.uuids(),
    actor_id=st.uuids(),
    at=INSTANTS,
    request_id=st.none() | STORABLE,
)


class TestJson:
    @given(TASK_EVENTS | ACCESS_EVENTS)
    def test_an_event_comes_back_as_it_went(self, event: TaskEvent | AccessEvent):
        """To JSON text and back is the same event, the instant to the microsecond."""
        travelled = json.loads(json.dumps(event.to_json()))
        assert read_event(kind_of(event), travelled) == event

    @given(st.integers(1, 2**63 - 1), TASK_EVENTS | ACCESS_EVENTS)
    def test_a_logged_event_keeps_its_position_and_kind(self, position: int, event: TaskEvent | AccessEvent):
        """A logged event is the same on the other side."""
        logged = LoggedEvent(position, event)
        assert read_logged(json.loads(json.dumps(published(logged)))) == logged

    @given(TASK_EVENTS, ACCESS_EVENTS)
    def test_the_kind_is_that_of_the_event(self, task_event: TaskEvent, access_event: AccessEvent):
        """Each kind of event is stored under its own word."""
        assert (kind_of(task_event), kind_of(access_event)) == (EventKind.TASK, EventKind.ACCESS)


class TestTaskEvent:
    @given(TASK_EVENTS)
    def test_what_it_says_of_itself(self, event: TaskEvent):
        """It changed the status if STATUS is among its changes, and deleted the task if nobody has it afterwards."""
        assert event.changed_status == (TaskChange.STATUS in event.changes)
        assert event.deleted == (event.after is None)

    @pytest.mark.parametrize("change", TaskChange)
    def test_a_change_is_stored_under_its_own_name(self, change: TaskChange):
        """The stored word is the word in the code: renaming one would orphan the log."""
        assert change.value == change.name
