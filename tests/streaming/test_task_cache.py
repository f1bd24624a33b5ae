"""Tasks are read once for all subscribers, and together with upcoming ones."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from domain.events import People, TaskChange
from domain.policy import Action, may
from domain.user import Role
from persistence.models import TaskRow
from services import task as task_service
from streaming import task_cache
from streaming.task_cache import TaskCache, TaskSnapshot
from tests.streaming.support import Process, a_task_event, an_actor, until
from tests.support.waiting import HANG_SECONDS


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
    """Tasks of a user."""
    return [await process.build.a_task() for _ in range(many)]


async def read_all(current: TaskCache, tasks: list[TaskRow]) -> list[TaskSnapshot]:
    """As a listener does that catches up: each one with a look at what comes next."""
    ids = [task.id for task in tasks]
    return [await current.read(each, ids[number + 1 :]) for number, each in enumerate(ids)]


async def test_the_people_of_a_deleted_task_in_a_project_do_not_see_it(process: Process):
    """Only moderators and admins do, as they receive its events."""
    owner, moderator = an_actor(), an_actor(Role.MODERATOR)
    deleted = a_task_event(changes=(TaskChange.DELETED,), before=People(owner.user_id, None, UUID(int=4)), after=None)
    await process.record(deleted)
    await process.reaches(1)

    for actor, is_visible in ((owner, False), (moderator, True)):
        cached = await process.stream.task_cache.visible_to(actor, deleted.task_id)
        found = await task_cache.find_current(process.build.as_(actor), [deleted.task_id])
        assert (cached.deleted_of is not None, bool(found)) == (is_visible, is_visible)


async def test_a_task_that_is_restored_during_a_read_is_not_unknown(process: Process, monkeypatch: pytest.MonkeyPatch):
    """It was deleted when the read began, so it is not read. Its people are known all the same."""
    owner = an_actor()
    people, cache = People(owner.user_id, None), process.stream.task_cache
    deleted = a_task_event(changes=(TaskChange.DELETED,), before=people, after=None)
    restored = a_task_event(changes=(TaskChange.RESTORED,), before=None, after=people, task_id=deleted.task_id)
    other = await process.build.a_task()
    cache.apply(deleted)
    find = task_cache.find_current

    async def restore_meanwhile(uow, ids):
        cache.apply(restored)
        return await find(uow, ids)

    monkeypatch.setattr(task_cache, "find_current", restore_meanwhile)
    monkeypatch.setattr(cache, "_dispatched_since", cache._clock)
    snapshot = await cache.read(deleted.task_id, [other.id])
    assert snapshot.deleted_of == people


async def test_a_late_process_reads_deleted_tasks(process: Process, asked: list[int], monkeypatch: pytest.MonkeyPatch):
    """The task may have been restored meanwhile, and given to others."""
    owner = an_actor()
    task = await process.build.a_task()
    cache = process.stream.task_cache
    people = People(owner.user_id, None)
    cache.apply(a_task_event(changes=(TaskChange.DELETED,), before=people, after=None, task_id=task.id))
    monkeypatch.setattr(cache, "_dispatched_since", lambda: cache._clock() - 0.6)
    snapshot = await cache.visible_to(owner, task.id)

    assert (snapshot.task, snapshot.deleted_of, asked) == (None, None, [1])


async def test_a_process_that_is_not_late_remembers_deleted_tasks(
    process: Process, asked: list[int], monkeypatch: pytest.MonkeyPatch
):
    """They are not read."""
    deleted = a_task_event(changes=(TaskChange.DELETED,), after=None)
    cache = process.stream.task_cache
    cache.apply(deleted)
    monkeypatch.setattr(cache, "_dispatched_since", cache._clock)
    snapshot = await cache.read(deleted.task_id)

    assert (snapshot.deleted_of, asked) == (deleted.before, [])


class TestAhead:
    async def test_upcoming_tasks_are_read_together(self, process: Process, asked: list[int]):
        """Ten tasks are one statement."""
        tasks = await some_tasks(process, 10)
        readings = await read_all(process.stream.task_cache, tasks)

        assert [reading.task and reading.task.id for reading in readings] == [task.id for task in tasks]
        assert asked == [10]

    async def test_only_changed_tasks_are_read_again(self, process: Process, asked: list[int]):
        """An event invalidates only its own task."""
        tasks = await some_tasks(process, 3)
        current = process.stream.task_cache
        before = await read_all(current, tasks)
        current.invalidate(tasks[1].id)
        after = await read_all(current, tasks)

        assert [one.number == other.number for one, other in zip(before, after, strict=True)] == [True, False, True]
        assert asked == [3, 1]

    async def test_an_old_snapshot_is_read_again(
        self, process: Process, asked: list[int], monkeypatch: pytest.MonkeyPatch
    ):
        """Also one that was read ahead."""
        tasks = await some_tasks(process, 2)
        current = process.stream.task_cache
        await current.read(tasks[0].id, [tasks[1].id])
        later = current._clock() + 0.6
        monkeypatch.setattr(current, "_clock", lambda: later)
        await current.read(tasks[1].id)

        assert asked == [2, 1]

    async def test_a_deleted_task_has_no_row(self, process: Process):
        """Its neighbours are not affected."""
        tasks = await some_tasks(process, 2)
        await task_service.delete_task(process.build.as_(an_actor(Role.ADMIN)), task_id=tasks[1].id)
        there, gone = await read_all(process.stream.task_cache, tasks)

        assert there.task is not None
        assert gone.task is None

    async def test_reading_ahead_respects_visibility(self, process: Process):
        """A user who may not see a task gets no row."""
        [task] = await some_tasks(process, 1)
        outsider = an_actor()
        assert not may(outsider, Action.READ_TASK, task)
        current = process.stream.task_cache
        await current.read(task.id)

        assert (await current.visible_to(outsider, task.id)).task is None


class TestTogether:
    async def test_tasks_that_are_needed_during_a_read_are_read_by_the_next_one(
        self, process: Process, asked: list[int]
    ):
        """For any number of subscribers."""
        tasks = await some_tasks(process, 12)
        current = process.stream.task_cache
        first = asyncio.create_task(current.read(tasks[0].id))
        await until(lambda: asked)
        readings = await asyncio.gather(*(current.read(task.id) for task in tasks))
        await first

        assert [reading.task and reading.task.id for reading in readings] == [task.id for task in tasks]
        assert asked == [1, 11]

    async def test_a_read_has_a_limit(self, process: Process, asked: list[int], monkeypatch: pytest.MonkeyPatch):
        """More tasks than that are read by several statements."""
        monkeypatch.setattr(task_cache, "MAX_TASKS_OF_READ", 5)
        tasks = await some_tasks(process, 12)
        readings = await asyncio.gather(*(process.stream.task_cache.read(task.id) for task in tasks))

        assert all(reading.task is not None for reading in readings)
        assert asked == [5, 5, 2]

    async def test_a_task_that_changes_before_its_read_starts_is_read_once(self, process: Process, asked: list[int]):
        """Both callers get the state after the change."""
        tasks = await some_tasks(process, 2)
        current = process.stream.task_cache
        blocking = asyncio.create_task(current.read(tasks[1].id))
        await until(lambda: asked)
        before = asyncio.create_task(current.read(tasks[0].id))
        await asyncio.sleep(0)
        current.invalidate(tasks[0].id)
        after = await current.read(tasks[0].id)

        assert (await before).task is after.task is not None
        assert asked == [1, 1]
        await blocking

    async def test_requests_cannot_take_its_connection(self, process: Process):
        """While units of work hold all connections for requests, a task is read."""
        [task] = await some_tasks(process, 1)
        async with AsyncExitStack() as stack:
            for _ in range(process.database._pool._size):
                uow = await stack.enter_async_context(process.build.as_(None))
                await uow.freeze()
            async with asyncio.timeout(HANG_SECONDS):
                assert (await process.stream.task_cache.read(task.id)).task is not None
