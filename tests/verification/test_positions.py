"""Events whose positions only the items of the listeners have."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from domain.events import LoggedEvent, People, TaskChange, TaskEvent
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from verification.history import Item, ItemKind
from verification.stream_test import with_positions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TASK = uuid4()
PEOPLE = People(uuid4(), None)


def event(version: int, at: datetime) -> TaskEvent:
    """A change of the title."""
    return TaskEvent(
        task_id=TASK,
        version=version,
        changes=(TaskChange.TITLE,),
        from_status=TaskStatus.TODO,
        to_status=TaskStatus.TODO,
        title="",
        before=PEOPLE,
        after=PEOPLE,
        actor_id=uuid4(),
        at=at,
        request_id=None,
    )


def item(kind: ItemKind, position: int, at: datetime) -> Item:
    """An item; a resync has no task."""
    return Item(StreamCursor("e", position, 1), kind, at, 0.0, None if kind is ItemKind.RESYNC else TASK)


def test_a_resync_does_not_change_the_time_of_the_event_before_it():
    """Its cursor has the same position."""
    changed = event(2, NOW)
    items = [item(ItemKind.CHANGED, 7, NOW), item(ItemKind.RESYNC, 7, NOW + timedelta(seconds=1))]
    assert with_positions([changed], items) == ([LoggedEvent(7, changed)], [])


def test_an_event_without_an_item_has_no_position():
    """A resync at the same time is not its item."""
    changed = event(2, NOW)
    assert with_positions([changed], [item(ItemKind.RESYNC, 7, NOW)]) == ([], [changed])
