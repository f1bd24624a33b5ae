"""What a service has left behind."""

from domain.events import TaskEvent
from persistence.models import TaskRow
from tests.support.house import House


async def the_event(house: House) -> TaskEvent:
    """The one event that was recorded."""
    (event,) = await house.recorded_events()
    assert isinstance(event, TaskEvent)
    return event


async def stored(house: House, task: TaskRow) -> TaskRow:
    """The task as it is stored now."""
    row = await house.task(task.id)
    assert row is not None
    return row
