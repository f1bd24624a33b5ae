"""Events are equal after serialization to JSON and back."""

import json
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event_parsing import read_event
from domain.events import AccessChange, AccessEvent, EventKind, LoggedEvent, People, TaskChange, TaskEvent
from domain.stored_event import read_logged
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
    def test_an_event_survives_json(self, event: TaskEvent | AccessEvent):
        """The instant is exact to the microsecond."""
        travelled = json.loads(json.dumps(event.to_json()))
        assert read_event(event.kind, travelled) == event

    @given(st.integers(1, 2**63 - 1), TASK_EVENTS | ACCESS_EVENTS)
    def test_a_logged_event_survives_json(self, position: int, event: TaskEvent | AccessEvent):
        """Position and kind are equal."""
        logged = LoggedEvent(position, event)
        again = read_logged(json.loads(json.dumps(published(logged))))
        assert (again.position, again.event) == (position, event)

    @given(TASK_EVENTS, ACCESS_EVENTS)
    def test_the_kind_of_an_event(self, task_event: TaskEvent, access_event: AccessEvent):
        """Each class of events has its own stored kind."""
        assert (task_event.kind, access_event.kind) == (EventKind.TASK, EventKind.ACCESS)


class TestTaskEvent:
    @given(TASK_EVENTS)
    def test_derived_properties_of_a_task_event(self, event: TaskEvent):
        """The status changed if STATUS is among the changes; the task was deleted if there are no people afterwards."""
        assert event.changed_status == (TaskChange.STATUS in event.changes)
        assert event.deleted == (event.after is None)

    @pytest.mark.parametrize("change", TaskChange)
    def test_stored_names_of_changes(self, change: TaskChange):
        """The stored names equal those in the code: a renamed one would make stored events unreadable."""
        assert change.value == change.name
