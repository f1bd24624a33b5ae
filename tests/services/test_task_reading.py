"""Reading tasks: one, several, lists, histories."""

from uuid import uuid4

import pytest

from domain.errors import BadRequest
from domain.events import TaskChange
from domain.task import TaskPriority, TaskStatus
from persistence.models import TaskHistoryRow, TaskRow
from persistence.pagination import PageRequest, Part
from persistence.queries import task as reads
from persistence.queries.event import HISTORY
from persistence.queries.task_list import EVERYTHING, TaskFilter, TaskOrder
from persistence.queries.task_page import task_page
from services.reading import read_page, read_rows
from services.task import count_tasks, slice_tasks, update_task_status
from services.task_creation import create_task
from tests.support.builders import Builders
from tests.support.transactions import event_log_on


class TestReading:
    async def test_visible_tasks_are_found(self, build: Builders):
        """Others are left out."""
        actor = await build.an_actor()
        mine, theirs = await build.a_task(actor), await build.a_task()

        wanted = reads.tasks(actor, [mine.id, theirs.id, uuid4()])
        assert [row.id for row in await read_rows(build.as_(actor), TaskRow, wanted)] == [mine.id]
        assert [row.id for row in await slice_tasks(build.as_(actor), skip=0, limit=10)] == [mine.id]
        assert await count_tasks(build.as_(actor)) == 1
        for task, found in ((mine, [mine.title]), (theirs, [])):
            rows = await read_rows(build.as_(actor), TaskRow, reads.task(actor, task.id))
            assert [row.title for row in rows] == found

    async def test_a_list_says_where_the_stream_stood(self, build: Builders):
        """The log's position is read with the page if it is asked for."""
        actor = await build.an_actor()
        await create_task(build.as_(actor), title="Task")
        async with build.database.engine.begin() as connection:
            await event_log_on(connection).number()
            head = await event_log_on(connection).head()
        requests = (PageRequest(5, parts=frozenset(Part)), PageRequest(5))
        asked = [task_page(actor, each, EVERYTHING, TaskOrder.CREATED_DESC) for each in requests]
        listed, plain = [await read_page(build.as_(actor), TaskRow, each) for each in asked]

        assert listed.facts == {
            "total": 1,
            "head_epoch": head.cursor_epoch,
            "head_position": 1,
            "head_fingerprint": head.fingerprint,
        }
        assert plain.facts == {}
        assert [row.title for row in listed.rows] == ["Task"]

    async def test_a_filter_and_an_order(self, build: Builders):
        """The filter holds for the list and for the count; a filter that cannot be looked up is a bad request."""
        actor = await build.an_actor()
        for priority in (TaskPriority.LOW, TaskPriority.URGENT):
            await build.a_task(actor, title=priority.name, priority=priority)
        asked = task_page(actor, PageRequest(5), EVERYTHING, TaskOrder.PRIORITY_DESC)
        listed = await read_page(build.as_(actor), TaskRow, asked)

        assert [row.title for row in listed.rows] == ["URGENT", "LOW"]
        assert await count_tasks(build.as_(actor), wanted=TaskFilter(search="urgent")) == 1
        with pytest.raises(BadRequest):
            task_page(actor, PageRequest(5), TaskFilter(search="u"), TaskOrder.CREATED_DESC)

    async def test_a_history_is_read_in_pages(self, build: Builders):
        """The newest first, without events of other tasks; the next page starts after a cursor."""
        actor = await build.an_actor()
        task = await create_task(build.as_(actor), title="Task")
        for status in (TaskStatus.IN_PROGRESS, TaskStatus.DONE):
            await update_task_status(build.as_(actor), task_id=task.id, status=status)
        await create_task(build.as_(actor), title="Another")
        async with build.database.engine.begin() as connection:
            await event_log_on(connection).number()

        newest = await read_page(build.as_(actor), TaskHistoryRow, HISTORY.page([task.id], PageRequest(2)))
        behind = PageRequest.of(2, newest.cursors[-1], order=HISTORY.order)
        older = await read_page(build.as_(actor), TaskHistoryRow, HISTORY.page([task.id], behind))
        assert [row.to for row in [*newest.rows, *older.rows]] == [
            TaskStatus.DONE,
            TaskStatus.IN_PROGRESS,
            TaskStatus.TODO,
        ]
        assert [row.changes for row in older.rows] == [[TaskChange.CREATED]]
