"""Status changes: times, and many changes of one task at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from domain.actor import Actor
from domain.events import TaskEvent
from domain.task import TaskStatus
from persistence.models import TaskRow
from services.task import update_task_status
from tests.support.builders import Builders

BEFORE = datetime(2026, 6, 30, 12, 0, 0, 123456, tzinfo=UTC)


async def a_task(build: Builders, actor: Actor) -> TaskRow:
    """A task of the actor that was changed before."""
    return await build.a_task(actor, status=TaskStatus.TODO, updated_at=BEFORE)


class TestTimes:
    async def test_time_goes_the_way_of_the_versions(self, build: Builders):
        """A clock that is behind does not date a move before the change that it follows."""
        actor = await build.an_actor()
        task = await a_task(build, actor)
        moved = await update_task_status(
            build.as_(actor, now=BEFORE - timedelta(hours=1)), task_id=task.id, status=TaskStatus.DONE
        )

        assert moved.updated_at == moved.completed_at == task.updated_at


class TestManyAtOnce:
    async def test_each_event_starts_from_the_previous_status(self, build: Builders):
        """Forty concurrent changes of one task: no version occurs twice."""
        actor = await build.an_actor()
        task = await a_task(build, actor)
        targets = [TaskStatus.IN_PROGRESS, TaskStatus.TODO, TaskStatus.DONE, TaskStatus.IN_PROGRESS] * 10

        async def move(target: TaskStatus) -> None:
            await update_task_status(build.as_(actor), task_id=task.id, status=target)

        await asyncio.gather(*(move(target) for target in targets))
        events = [event for event in await build.recorded_events() if isinstance(event, TaskEvent)]

        assert len(events) > 10
        assert [event.version for event in events] == list(range(2, len(events) + 2))
        assert all(one.to_status == other.from_status for one, other in pairwise(events))
        assert await build.status_of(task) == events[-1].to_status
