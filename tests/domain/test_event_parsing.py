"""Events of newer versions, and damaged ones: parsing never raises, and never grants rights."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event_parsing import MAX_KIND, read_event
from domain.events import AccessChange, AccessEvent, TaskChange, TaskEvent
from domain.stored_event import read_logged
from domain.task import TaskStatus
from domain.unknown_events import SkippedEvent, UnknownAccess
from tests.domain.test_events import ACCESS_EVENTS, TASK_EVENTS

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS_OF_TASKS = sorted(("task", "version", "changes", "from", "to", "title", "before", "after", "by", "at", "request"))
KEYS_OF_ACCESS = sorted(("user", "change", "session", "spared", "by", "at", "request"))


def task_payload(**values: Any) -> dict[str, Any]:
    """The stored payload of a status change, with other values."""
    people = {"owner": str(UUID(int=1)), "assignee": None}
    return {
        "task": str(UUID(int=2)),
        "version": 3,
        "changes": ["STATUS"],
        "from": "TODO",
        "to": "IN_PROGRESS",
        "title": "x",
        "before": people,
        "after": people,
        "by": str(UUID(int=1)),
        "request": None,
        "at": "2026-11-23T09:00:00+00:00",
        **values,
    }


def access_payload(**values: Any) -> dict[str, Any]:
    """The stored payload of a change of rights, with other values."""
    return {
        "user": str(UUID(int=1)),
        "change": "ROLE_CHANGED",
        "session": None,
        "spared": None,
        "request": None,
        "by": str(UUID(int=1)),
        "at": "2026-11-23T09:00:00+00:00",
        **values,
    }


def without(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """The payload without one key."""
    return {name: value for name, value in payload.items() if name != key}


def the_task_event(payload: dict[str, Any]) -> TaskEvent:
    """The parsed event, which must be a task event."""
    event = read_event("TASK", payload)
    assert isinstance(event, TaskEvent)
    return event


class TestTaskEvents:
    @given(TASK_EVENTS, st.dictionaries(st.text(max_size=8).map("new-".__add__), ANYTHING, max_size=3))
    def test_unknown_keys_of_an_access_event_are_ignored(self, event: TaskEvent, extra: dict[str, Any]):
        """A newer version may add keys."""
        read = the_task_event(event.to_json() | extra)

        assert (read, read.is_partial) == (event, False)

    @pytest.mark.parametrize("extra", [7, "x", None, [str(UUID(int=3))], {"team": 1}])
    def test_unknown_keys_of_people_are_ignored(self, extra: object):
        """Whatever their values are; also if people with the same ids were read before."""
        people = {"owner": str(UUID(int=1)), "assignee": None, "project": str(UUID(int=4))}
        known = the_task_event(task_payload(before=people, after=people))
        event = the_task_event(task_payload(before=people | {"new": extra}, after=people))

        assert (event.before, event.after) == (known.before, known.after)
        assert not event.is_partial

    @pytest.mark.parametrize(
        ("stored", "known"),
        [
            (["COLOR"], ()),
            (["TITLE", "COLOR", "DUE_AT"], (TaskChange.TITLE, TaskChange.DUE_AT)),
            (["STATUS", "COLOR"], (TaskChange.STATUS,)),
            ([None, 1, ["TITLE"], "TITLE"], (TaskChange.TITLE,)),
        ],
    )
    def test_unknown_changes_are_left_out(self, stored: list[object], known: tuple[TaskChange, ...]):
        """The event keeps the known ones, even if there are none: the task has a new version."""
        event = the_task_event(task_payload(changes=stored))

        assert (event.changes, event.is_partial) == (known, True)

    @pytest.mark.parametrize(
        ("values", "statuses"),
        [
            ({"to": "BLOCKED"}, (TaskStatus.TODO, None)),
            ({"from": "BLOCKED"}, (None, TaskStatus.IN_PROGRESS)),
            ({"from": "A", "to": "B"}, (None, None)),
            ({"to": None}, (TaskStatus.TODO, None)),
            ({"from": None}, (None, TaskStatus.IN_PROGRESS)),
            ({"from": 1, "to": ["DONE"]}, (None, None)),
        ],
    )
    def test_an_unknown_status_is_no_status_change(self, values: dict[str, Any], statuses: tuple[Any, Any]):
        """Neither side of the change is guessed."""
        event = the_task_event(task_payload(**values, changes=["STATUS", "TITLE"]))

        assert (event.from_status, event.to_status) == statuses
        assert (event.changes, event.is_partial) == ((TaskChange.TITLE,), True)

    @pytest.mark.parametrize("key", KEYS_OF_TASKS)
    def test_only_optional_keys_may_be_missing(self, key: str):
        """Without a key that decides the visibility, the event is skipped."""
        event = read_event("TASK", without(task_payload(), key))

        assert isinstance(event, TaskEvent if key in {"title", "request", "from"} else SkippedEvent)

    @pytest.mark.parametrize(
        "values",
        [
            *({"after": {}}, {"before": {}}, {"after": {"owner": None, "assignee": None}}, {"after": []}),
            *({"version": "3"}, {"version": True}, {"version": -1}, {"version": 2**31}, {"version": 1.5}),
            *({"at": "yesterday"}, {"at": 1}, {"at": "2026-11-23T09:00:00"}, {"task": 7}, {"by": None}),
            *({"changes": "STATUS"}, {"changes": None}, {"task": "x"}),
        ],
    )
    def test_values_of_another_type_are_not_guessed(self, values: dict[str, Any]):
        """The event is skipped; malformed people are not taken for a deletion."""
        assert read_event("TASK", task_payload(**values)) == SkippedEvent("TASK")

    @given(st.sampled_from(KEYS_OF_TASKS), ANYTHING)
    def test_any_value_in_an_access_event(self, key: str, value: Any):
        """Nothing raises."""
        assert isinstance(read_event("TASK", task_payload(**{key: value})), TaskEvent | SkippedEvent)


class TestAccessEvents:
    @given(ACCESS_EVENTS, st.dictionaries(st.text(max_size=8).map("new-".__add__), ANYTHING, max_size=3))
    def test_unknown_keys_of_an_access_event_are_ignored(self, event: AccessEvent, extra: dict[str, Any]):
        """A newer version may add keys."""
        assert read_event("ACCESS", event.to_json() | extra) == event

    @given(st.text(max_size=20).filter(lambda text: text not in list(AccessChange)))
    def test_an_unknown_access_change_concerns_its_user(self, change: str):
        """It counts for all sessions of the user."""
        event = read_event("ACCESS", access_payload(change=change, session=str(uuid4()), spared=str(uuid4())))

        assert isinstance(event, UnknownAccess)
        assert (event.user_id, event.session_id, event.spared_session_id) == (UUID(int=1), None, None)

    @pytest.mark.parametrize("key", KEYS_OF_ACCESS)
    def test_an_incomplete_access_event_counts_as_unknown(self, key: str):
        """Without its user it concerns all users; it is never skipped."""
        event = read_event("ACCESS", without(access_payload(), key))

        assert event == UnknownAccess(None if key == "user" else UUID(int=1))

    @given(st.sampled_from(KEYS_OF_ACCESS), ANYTHING)
    def test_any_value_in_an_access_event(self, key: str, value: Any):
        """Nothing raises, and nothing is skipped."""
        assert isinstance(read_event("ACCESS", access_payload(**{key: value})), AccessEvent | UnknownAccess)

    @given(ANYTHING)
    def test_any_payload_of_an_access_event(self, payload: Any):
        """A payload that is no object concerns all users."""
        assert isinstance(read_event("ACCESS", payload), AccessEvent | UnknownAccess)


class TestKinds:
    @given(st.text(max_size=40) | ANYTHING, ANYTHING)
    def test_an_event_of_an_unknown_kind_is_skipped(self, kind: Any, payload: Any):
        """Its kind, cut to a limit, is available for the log."""
        event = read_event(kind, payload)

        if kind not in ("TASK", "ACCESS"):
            assert isinstance(event, SkippedEvent)
            assert len(event.kind) <= MAX_KIND

    @given(st.integers(1, 2**63 - 1), st.sampled_from(["TASK", "ACCESS", "COMMENT"]), ANYTHING, st.lists(ANYTHING))
    def test_an_unknown_event_keeps_its_position(self, position: int, kind: str, payload: Any, more: list[Any]):
        """Also in a notification with additional content."""
        logged = read_logged(json.loads(json.dumps([position, kind, payload, *more])))

        assert logged.position == position
