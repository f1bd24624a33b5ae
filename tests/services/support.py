"""What a service has left behind."""

from domain.events import TaskEvent
from persistence.models import VisibleTaskRow
from tests.support.builders import AnyTask, Builders


async def the_event(build: Builders) -> TaskEvent:
    """The one event that was recorded."""
    (event,) = await build.recorded_events()
    assert isinstance(event, TaskEvent)
    return event


async def stored(build: Builders, task: AnyTask) -> VisibleTaskRow:
    """The task as it is stored now."""
    row = await build.task(task.id)
    assert row is not None
    return row
