"""The JSON of events is the same whether Python or SQL writes it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import ColumnElement, DateTime, Integer, String, Uuid, literal, null, select

from domain.event_format import EventFormat
from domain.event_parsing import read_event
from domain.events import (
    ACCESS_EVENT,
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
from persistence.event_format import payload
from persistence.models import EventRow
from tests.support.builders import Builders

AT = datetime(2026, 11, 23, 9, 15, 2, 113_824, tzinfo=UTC)
OWNER, ASSIGNEE = People(UUID(int=1), None), People(UUID(int=1), UUID(int=2))
TYPES: Mapping[type, Any] = {UUID: Uuid(), int: Integer(), datetime: DateTime(timezone=True)}


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
    *(task_event(change) for change in TaskChange),
    *(task_event(TaskChange.STATUS, from_status=status, to_status=status) for status in TaskStatus),
    *(access_event(change) for change in AccessChange),
    access_event(AccessChange.SESSION_REVOKED, session_id=uuid4(), request_id="r2"),
    access_event(AccessChange.SESSIONS_REVOKED, spared_session_id=uuid4(), at=AT.replace(microsecond=0)),
]


def columns(event: object, keys: EventFormat) -> dict[str, Any]:
    """The attributes of an event as expressions, in the form in which statements have them."""
    return {attribute: column(getattr(event, attribute)) for attribute in keys.keys}


def column(value: Any) -> Any:
    """A value as an expression."""
    if isinstance(value, People):
        return {"owner_id": column(value.owner_id), "assignee_id": column(value.assignee_id)}
    if isinstance(value, tuple):
        return value
    return null() if value is None else literal(value, TYPES.get(type(value), String()))


async def written(build: Builders, expression: ColumnElement[Any]) -> Any:
    """The JSON that PostgreSQL makes of an expression."""
    async with build.database.connect() as connection:
        return (await connection.execute(select(expression))).scalar_one()


class TestPayload:
    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
    async def test_sql_and_python_write_the_same(self, build: Builders, event: RecordedEvent):
        """Every kind of event, every change and every optional key; to the microsecond."""
        keys = TASK_EVENT if isinstance(event, TaskEvent) else ACCESS_EVENT
        found = await written(build, payload(keys, columns(event, keys)))

        assert found == event.to_json() == orjson.loads(orjson.dumps(event.to_json()))
        assert read_event(event.kind, found) == event

    @pytest.mark.parametrize("values", [{}, {"version": None}, dict.fromkeys((*TASK_EVENT.keys, "note"))])
    def test_an_event_is_written_whole(self, values: dict[str, Any]):
        """A statement that leaves a fact out, or makes one up, cannot be written."""
        with pytest.raises(ValueError, match="An event has task_id, version"):
            payload(TASK_EVENT, values)

    async def test_a_status_change_in_sql_is_stored_as_python_writes_it(self, build: Builders):
        """Key by key."""
        actor, friend = await build.an_actor(), await build.a_user()
        now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        way = (TaskStatus.TODO, TaskStatus.IN_PROGRESS, TaskStatus.DONE, TaskStatus.TODO, TaskStatus.CANCELLED)
        for assignee_id in (None, friend.id):
            task = await build.a_task(actor, assignee_id=assignee_id, status=way[0])
            for number, (_, status) in enumerate(pairwise(way)):
                instant = now + timedelta(microseconds=number)
                assert await build.as_(actor, now=instant).try_status_update(task.id, status, None) is not None

        async with build.database.session() as session:
            stored = list(await session.scalars(select(EventRow.payload)))
        events = [read_event(EventKind.TASK, each) for each in stored]
        assert len(stored) == 2 * (len(way) - 1)
        assert stored == [event.to_json() for event in events if isinstance(event, TaskEvent)]


class TestDeclarations:
    def test_the_stored_keys(self):
        """Renaming a key would make the log unreadable."""
        assert {key.name for key in TASK_EVENT.keys.values()} == (
            {"task", "version", "changes", "from", "to", "title", "before", "after", "by", "at", "request"}
        )
        assert [key.name for key in ACCESS_EVENT.keys.values()] == (
            ["user", "change", "session", "spared", "by", "at", "request"]
        )
        assert OWNER.to_json() == {"owner": str(UUID(int=1)), "assignee": None}
