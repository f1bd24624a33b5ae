"""The JSON of events, as it is stored."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import select

from domain.event_parsing import read_event
from domain.events import (
    ACCESS_EVENT,
    PEOPLE,
    TASK_EVENT,
    AccessChange,
    AccessEvent,
    EventKind,
    People,
    RecordedEvent,
    TaskChange,
    TaskEvent,
)
from domain.task import TaskStatus
from persistence.models import EventRow
from services.task import update_task_status
from tests.support.builders import Builders
from tests.support.transactions import orm_session

AT = datetime(2026, 11, 23, 9, 15, 2, 113_824, tzinfo=UTC)
OWNER, ASSIGNEE = People(UUID(int=1), None), People(UUID(int=1), UUID(int=2))
IN_A_PROJECT = People(UUID(int=1), None, UUID(int=4))


def task_event(*changes: TaskChange, **values: Any) -> TaskEvent:
    """A change of a task."""
    facts: dict[str, Any] = {
        "task_id": uuid4(),
        "version": 3,
        "title": "Ünïcode \"'\\",
        "actor_id": UUID(int=3),
        "request_id": "r1",
        "from_status": TaskStatus.TODO,
        "to_status": TaskStatus.DONE,
        "before": OWNER,
        "after": ASSIGNEE,
        "at": AT,
    }
    return TaskEvent(**facts | {"changes": changes} | values)


def access_event(change: AccessChange, **values: Any) -> AccessEvent:
    """A change of a user's rights."""
    facts: dict[str, Any] = dict.fromkeys(("session_id", "spared_session_id", "request_id"))
    return AccessEvent(**facts | {"user_id": uuid4(), "change": change, "actor_id": UUID(int=3), "at": AT} | values)


EVENTS: list[RecordedEvent] = [
    task_event(TaskChange.CREATED, before=None, from_status=None, request_id=None, version=1),
    task_event(TaskChange.DELETED, after=None, to_status=TaskStatus.TODO),
    task_event(TaskChange.STATUS, after=OWNER),
    task_event(TaskChange.TITLE, TaskChange.DUE_AT, at=AT.replace(microsecond=0)),
    task_event(TaskChange.ASSIGNEE, before=OWNER, after=IN_A_PROJECT, mutation_id="m" * 22),
    *(task_event(change) for change in TaskChange),
    *(task_event(TaskChange.STATUS, from_status=status, to_status=status) for status in TaskStatus),
    *(access_event(change) for change in AccessChange),
    access_event(AccessChange.SESSION_REVOKED, session_id=uuid4(), request_id="r2"),
    access_event(AccessChange.SESSIONS_REVOKED, spared_session_id=uuid4(), at=AT.replace(microsecond=0)),
]


class TestPayload:
    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
    def test_what_is_written_is_read(self, event: RecordedEvent):
        """Every kind of event, every change and every optional key; to the microsecond."""
        stored = orjson.loads(orjson.dumps(event.to_json()))

        assert stored == event.to_json()
        assert read_event(event.kind, stored) == event

    async def test_a_status_change_is_stored_as_it_is_read(self, build: Builders):
        """Key by key."""
        actor, friend = await build.an_actor(), await build.a_user()
        now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        way = (TaskStatus.TODO, TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.TODO, TaskStatus.CANCELLED)
        for assignee_id in (None, friend.id):
            task = await build.a_task(actor, assignee_id=assignee_id, status=way[0])
            for number, (_, status) in enumerate(pairwise(way)):
                instant = now + timedelta(microseconds=number)
                await update_task_status(build.as_(actor, now=instant), task_id=task.id, status=status)

        async with orm_session(build.database) as session:
            stored = list(await session.scalars(select(EventRow.payload)))
        events = [read_event(EventKind.TASK, each) for each in stored]
        assert len(stored) == 2 * (len(way) - 1)
        assert stored == [event.to_json() for event in events if isinstance(event, TaskEvent)]


class TestDeclarations:
    def test_the_stored_keys(self):
        """Renaming a key would make the log unreadable."""
        assert {key.name for key in TASK_EVENT.keys.values()} == (
            {"task", "version", "changes", "from", "to", "title", "before", "after", "by", "at", "request", "mutation"}
        )
        assert [key.name for key in ACCESS_EVENT.keys.values()] == (
            ["user", "change", "session", "spared", "by", "at", "request", "token"]
        )
        assert OWNER.to_json() == {"owner": str(UUID(int=1)), "assignee": None}
        assert [key.name for key in PEOPLE.keys.values()] == ["owner", "assignee", "project"]

    def test_events_of_format_1_have_no_project_and_no_mutation(self):
        """An event without them is written as in format 1."""
        event = task_event(TaskChange.STATUS)
        payload = event.to_json()

        assert "mutation" not in payload
        assert [set(payload[side]) for side in ("before", "after")] == [{"owner", "assignee"}] * 2
        assert read_event(EventKind.TASK, payload | {"mutation": None}) == event
