"""What is told of tasks is read once for everybody, and together for whoever has much to catch up with."""

import pytest

from domain.policy import Action, may
from domain.user import Role
from persistence.models import TaskRow
from services import task as task_service
from streaming import task_cache
from streaming.task_cache import TaskCache, TaskSnapshot
from tests.streaming.support import Process, an_actor


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tasks each statement was about."""
    asked: list[int] = []
    find = task_cache.find_current

    async def find_and_note(uow, ids):
        asked.append(len(ids))
        return await find(uow, ids)

    monkeypatch.setattr(task_cache, "find_current", find_and_note)
    return asked


async def some_tasks(process: Process, many: int) -> list[TaskRow]:
    """Tasks of somebody."""
    return [await process.build.a_task() for _ in range(many)]


async def read_all(current: TaskCache, tasks: list[TaskRow]) -> list[TaskSnapshot]:
    """As a listener does that catches up: each one with a look at what comes next."""
    ids = [task.id for task in tasks]
    return [await current.read(each, ids[number + 1 :]) for number, each in enumerate(ids)]


class TestAhead:
    async def test_what_comes_next_is_read_together(self, process: Process, asked: list[int]):
        """Ten tasks are one statement, and each reading is of its own task."""
        tasks = await some_tasks(process, 10)
        readings = await read_all(process.stream.task_cache, tasks)

        assert [reading.task and reading.task.id for reading in readings] == [task.id for task in tasks]
        assert asked == [10]

    async def test_only_what_has_changed_is_read_again(self, process: Process, asked: list[int]):
        """An event of one task makes its reading old, and nobody else's."""
        tasks = await some_tasks(process, 3)
        current = process.stream.task_cache
        before = await read_all(current, tasks)
        current.invalidate(tasks[1].id)
        after = await read_all(current, tasks)

        assert [one.number == other.number for one, other in zip(before, after, strict=True)] == [True, False, True]
        assert asked == [3, 1]

    async def test_what_was_read_long_ago_is_read_again(
        self, process: Process, asked: list[int], monkeypatch: pytest.MonkeyPatch
    ):
        """A reading made ahead of its time grows old like any other."""
        tasks = await some_tasks(process, 2)
        current = process.stream.task_cache
        await current.read(tasks[0].id, [tasks[1].id])
        later = current._clock() + 0.6
        monkeypatch.setattr(current, "_clock", lambda: later)
        await current.read(tasks[1].id)

        assert asked == [2, 1]

    async def test_what_is_not_there_is_none(self, process: Process):
        """Of a task that was deleted meanwhile there is nothing, and its neighbours are as they are."""
        tasks = await some_tasks(process, 2)
        await task_service.delete_task(process.build.as_(an_actor(Role.ADMIN)), task_id=tasks[1].id)
        there, gone = await read_all(process.stream.task_cache, tasks)

        assert there.task is not None
        assert gone.task is None

    async def test_reading_ahead_shows_nobody_more(self, process: Process):
        """It is made in nobody's name: who may not see a task is shown none."""
        [task] = await some_tasks(process, 1)
        outsider = an_actor()
        assert not may(outsider, Action.READ_TASK, task)
        current = process.stream.task_cache
        await current.read(task.id)

        assert (await current.visible_to(outsider, task.id)).task is None
