"""Reading tasks: one, several, lists, histories."""

from uuid import uuid4

import pytest

from domain.errors import BadRequest, NotFound
from domain.task import TaskPriority, TaskStatus
from persistence.event_log import EventLog
from persistence.pagination import PageRequest, Part
from persistence.queries.event import HISTORY_ORDER
from persistence.queries.task_list import TaskFilter, TaskOrder
from services.task import (
    count_tasks,
    create_task,
    find_tasks,
    get_task,
    list_history,
    list_tasks,
    slice_tasks,
    update_task_status,
)
from tests.support.builders import Builders


class TestReading:
    async def test_one_and_several(self, build: Builders):
        """What the actor sees is given, what not is not found or left out."""
        actor = await build.an_actor()
        mine, theirs = await build.a_task(actor), await build.a_task()

        assert (await get_task(build.as_(actor), task_id=mine.id)).title == mine.title
        assert set(await find_tasks(build.as_(actor), ids=[mine.id, theirs.id, uuid4()])) == {mine.id}
        assert [row.id for row in await slice_tasks(build.as_(actor), skip=0, limit=10)] == [mine.id]
        assert await count_tasks(build.as_(actor)) == 1
        with pytest.raises(NotFound) as refusal:
            await get_task(build.as_(actor), task_id=theirs.id)
        assert refusal.value.path == ("id",)

    async def test_a_list_says_where_the_stream_stood(self, build: Builders):
        """The log's position is read with the page if it is asked for."""
        actor = await build.an_actor()
        await create_task(build.as_(actor), title="Task")
        async with build.database.engine.begin() as connection:
            await EventLog(connection).number()
            head = await EventLog(connection).head()
        listed = await list_tasks(build.as_(actor), request=PageRequest(5, parts=frozenset(Part)))
        plain = await list_tasks(build.as_(actor), request=PageRequest(5))

        assert listed.facts == {"total": 1, "head_epoch": head.epoch, "head_position": 1}
        assert plain.facts == {}
        assert [row.title for row in listed.rows] == ["Task"]

    async def test_a_filter_and_an_order(self, build: Builders):
        """The filter holds for the list and for the count; a filter that cannot be looked up is a bad request."""
        actor = await build.an_actor()
        for priority in (TaskPriority.LOW, TaskPriority.URGENT):
            await build.a_task(actor, title=priority.name, priority=priority)
        listed = await list_tasks(build.as_(actor), request=PageRequest(5), order=TaskOrder.PRIORITY_DESC)

        assert [row.title for row in listed.rows] == ["URGENT", "LOW"]
        assert await count_tasks(build.as_(actor), wanted=TaskFilter(search="urgent")) == 1
        with pytest.raises(BadRequest):
            await list_tasks(build.as_(actor), request=PageRequest(5), wanted=TaskFilter(search="u"))

    async def test_a_history_goes_back_in_pages(self, build: Builders):
        """The newest first, behind a cursor, for those who see the task."""
        actor = await build.an_actor()
        task = await create_task(build.as_(actor), title="Task")
        for status in (TaskStatus.IN_PROGRESS, TaskStatus.DONE):
            await update_task_status(build.as_(actor), task_id=task.id, status=status)
        await create_task(build.as_(actor), title="Another")
        async with build.database.engine.begin() as connection:
            await EventLog(connection).number()

        newest = await list_history(build.as_(actor), task_id=task.id, request=PageRequest(2))
        behind = PageRequest.of(2, newest.cursors[-1], order=HISTORY_ORDER)
        older = await list_history(build.as_(actor), task_id=task.id, request=behind)
        assert [logged.position for logged in [*newest.rows, *older.rows]] == [3, 2, 1]
        with pytest.raises(NotFound):
            await list_history(build.as_(await build.an_actor()), task_id=task.id, request=PageRequest(2))
