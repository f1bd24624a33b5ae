"""Writes that share a transaction, with cancelled callers, broken connections and other processes."""

import asyncio
import gc
import random
import weakref
from collections.abc import Callable, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.actor import Actor
from domain.errors import Conflict, NotFound, Unavailable
from domain.events import TaskEvent
from domain.idempotency import IdempotencyKey
from domain.user import Role
from persistence import group_commit
from persistence.database import Database
from persistence.models import TaskRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.transaction import Transaction
from services.task import delete_task, update_task_status
from tests.persistence.task_writes import (
    _COLUMNS,
    A_USER,
    DONE,
    IN_PROGRESS,
    TODO,
    WRITES,
    anything,
    assign,
    create,
    delete,
    edit,
    end_backend,
    finish,
    is_waiting_for_a_lock,
    nothing_recorded,
    tasks_of,
    until,
    write_all,
)
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS


class TestGivenUp:
    async def test_before_the_batch_starts(self, build: Builders):
        """The write is not made; others are."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)
        running = [asyncio.create_task(finish(build.as_(actor), task)) for task in tasks]
        await until(lambda: len(build.database._group_commit._pending) == 3)
        running[0].cancel()
        ends = await asyncio.gather(*running, return_exceptions=True)

        assert [isinstance(end, asyncio.CancelledError) for end in ends] == [True, False, False]
        assert [await build.status_of(task) for task in tasks] == [TODO, DONE, DONE]

    async def test_while_the_rows_are_being_read(self, build: Builders):
        """The batch does not wait for the cancelled one."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)
        running = [asyncio.create_task(finish(build.as_(actor), task)) for task in tasks]
        await until(lambda: bool(build.database._group_commit._batches))
        running[1].cancel()
        async with asyncio.timeout(HANG_SECONDS):
            ends = await asyncio.gather(*running, return_exceptions=True)

        assert [isinstance(end, asyncio.CancelledError) for end in ends] == [False, True, False]
        assert [await build.status_of(task) for task in tasks] == [DONE, TODO, DONE]
        assert len(await build.recorded_events()) == 2

    @pytest.mark.parametrize("error", [asyncio.CancelledError, RuntimeError])
    async def test_while_it_decides(self, build: Builders, error: type[BaseException]):
        """Others commit, and nothing of the member is written."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)

        async def give_up(task: TaskRow) -> None:
            def decide(row: TaskRow) -> None:
                uow.change(row, title="Changed")
                if error is asyncio.CancelledError:
                    writing.cancel()
                else:
                    raise error

            writing = cast("asyncio.Task[None]", asyncio.current_task())
            async with build.as_(actor) as uow:
                await uow.write(decide, uow.tasks.lock_of(task.id))

        async with asyncio.timeout(HANG_SECONDS):
            ends = await asyncio.gather(
                finish(build.as_(actor), tasks[0]),
                give_up(tasks[1]),
                finish(build.as_(actor), tasks[2]),
                return_exceptions=True,
            )

        assert [isinstance(end, error) for end in ends] == [False, True, False]
        stored = await build.task(tasks[1].id)
        assert stored is not None
        assert stored.title == tasks[1].title
        assert [await build.status_of(task) for task in tasks] == [DONE, TODO, DONE]

    async def test_a_refusal_is_freed_at_once(self, build: Builders):
        """No cycle of references keeps the rows of a batch, and the frames of a request, until a garbage collection."""
        actor = await build.an_actor()

        async def refused() -> "weakref.ref[NotFound]":
            try:
                async with build.as_(actor) as uow:
                    await delete_task(uow, task_id=new_id())
            except NotFound as refusal:
                return weakref.ref(refusal)
            raise AssertionError("It is not refused.")

        gc.disable()
        try:
            refusal = await refused()
            await until(lambda: not build.database._group_commit._batches)
            assert refusal() is None
        finally:
            gc.enable()

    async def test_while_it_is_written(self, build: Builders):
        """The write is made, and those of others."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)
        async with nothing_recorded(build):
            running = [asyncio.create_task(finish(build.as_(actor), task)) for task in tasks]
            await is_waiting_for_a_lock(build)
            running[1].cancel()
            for _ in range(5):
                await asyncio.sleep(0)
        ends = await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(*build.database._group_commit._batches)

        assert [isinstance(end, asyncio.CancelledError) for end in ends] == [False, True, False]
        assert [await build.status_of(task) for task in tasks] == [DONE, DONE, DONE]
        assert len(await build.recorded_events()) == 3

    async def test_waiting_has_a_limit(self, other_build: Builders, monkeypatch: pytest.MonkeyPatch):
        """A write that has not begun is refused and not made; started ones continue."""
        monkeypatch.setattr(group_commit, "TIMEOUT_SECONDS", 0.1)
        build = other_build
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        async with nothing_recorded(build):
            first = asyncio.create_task(finish(build.as_(actor), task))
            await is_waiting_for_a_lock(build)
            async with asyncio.timeout(HANG_SECONDS):
                refused = await write_all(build, actor, [task] * 3, [edit, assign, delete])
            assert not first.done()
            monkeypatch.undo()
            later = asyncio.create_task(edit(build.as_(actor), task))
            await until(lambda: bool(build.database._group_commit._pending))

        assert [type(each) for each in refused] == [Unavailable] * 3
        assert [row.version for row in (await first, await later)] == [2, 3]

    async def test_close_waits_for_writes(self, other_build: Builders):
        """For running and for waiting ones."""
        build, actor = other_build, await other_build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        writes = [asyncio.create_task(each(build.as_(actor), task)) for each in (finish, edit, create)]
        await until(lambda: bool(build.database._group_commit._batches))
        await build.database.close()

        assert not build.database._group_commit._batches
        assert [row.version for row in await asyncio.gather(*writes)] == [2, 3, 1]


class TestOutage:
    async def test_without_a_server(self):
        """Every write fails, and later ones try again."""
        database = Database("postgresql://nobody@127.0.0.1:1/nothing")
        build, actor = Builders(database), Actor(UUID(int=8), Role.USER, A_USER, 1)
        tasks = [new_row(TaskRow, id=uuid4(), title="a", owner_id=uuid4()) for _ in WRITES]
        for _ in range(2):
            results = await write_all(build, actor, tasks, WRITES)
            assert [type(each) for each in results] == [Unavailable] * len(WRITES)
        await database.close()

    @pytest.mark.parametrize("step", ["SELECT", "WITH"])
    async def test_a_connection_that_ends_before_the_commit(
        self, other_build: Builders, monkeypatch: pytest.MonkeyPatch, step: str
    ):
        """Before the read or the write: every caller gets an error, and nothing is stored."""
        build, actor = other_build, await other_build.an_actor()
        tasks = await tasks_of(build, actor, 2 * len(WRITES))
        original = Transaction.fetch

        async def interrupted(transaction: Transaction, text: str, *arguments: Any) -> Any:
            if text.startswith(step):
                await original(transaction, "SELECT 1")  # so that there is a connection
                await end_backend(build, transaction)
            return await original(transaction, text, *arguments)

        async with build.unchanged():
            with monkeypatch.context() as patch:
                patch.setattr(Transaction, "fetch", interrupted)
                results = await write_all(build, actor, tasks, WRITES)
        assert [type(each) for each in results] == [Unavailable] * len(tasks)
        again = await write_all(build, actor, tasks, WRITES)
        assert not any(isinstance(each, BaseException) for each in again)

    @pytest.mark.parametrize("error", [ConnectionResetError, asyncpg.AdminShutdownError])
    async def test_a_connection_that_ends_before_the_answer_to_the_commit(
        self, other_build: Builders, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
    ):
        """Every caller gets an error; all writes are stored, and none is made again."""
        build, actor = other_build, await other_build.an_actor()
        tasks = await tasks_of(build, actor, 2 * len(WRITES))
        original = Transaction.fetch

        async def interrupted(transaction: Transaction, text: str, *arguments: Any) -> Any:
            rows = await original(transaction, text, *arguments)
            if text.startswith("WITH"):
                raise error
            return rows

        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "fetch", interrupted)
            results = await write_all(build, actor, tasks, WRITES)
        assert [type(each) for each in results] == [Unavailable] * len(tasks)
        assert len(await build.recorded_events()) == len(tasks)


class TestRivals:
    async def test_concurrent_changes_of_a_task_are_serialized(self, build: Builders, shared_database: Database):
        """Two processes change status, edit, assign and delete: each change starts from the previous one."""
        actor = await build.an_actor(Role.ADMIN)
        tasks = await tasks_of(build, actor, 12)
        url = shared_database.engine.url.render_as_string(hide_password=False)
        rival = Builders(Database(url, pool_size=5))

        async def work(build: Builders, seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(12):
                await asyncio.gather(*(anything(build.as_(actor), chance.choice(tasks).id, chance) for _ in range(10)))

        async with asyncio.timeout(HANG_SECONDS):
            await asyncio.gather(work(build, 1), work(rival, 2))
        await rival.database.close()

        events = [event for event in await build.recorded_events() if isinstance(event, TaskEvent)]
        assert sum(event.changed_status for event in events) > 20
        for task in tasks:
            history = [event for event in events if event.task_id == task.id]
            stored = await build.task(task.id)
            assert [event.version for event in history] == list(range(2, len(history) + 2))
            assert [event.from_status for event in history] == [TODO, *(event.to_status for event in history)][
                : len(history)
            ]
            assert (stored is None) == bool(history and history[-1].deleted)
            if stored is not None:
                assert (stored.version, stored.status) == (len(history) + 1, history[-1].to_status if history else TODO)

    async def test_two_processes_in_opposite_orders(self, build: Builders, shared_database: Database):
        """There is no deadlock, nothing is lost, and no version occurs twice."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 30)
        url = shared_database.engine.url.render_as_string(hide_password=False)
        rival = Builders(Database(url, pool_size=5))

        async def go_round(build: Builders, tasks: Sequence[TaskRow]) -> int:
            made = 0
            for status in (IN_PROGRESS, DONE, TODO, DONE, IN_PROGRESS, TODO) * 3:
                moves = (update_task_status(build.as_(actor), task_id=task.id, status=status) for task in tasks)
                made += len(await asyncio.gather(*moves))
            return made

        async with asyncio.timeout(HANG_SECONDS):
            made = await asyncio.gather(go_round(build, tasks), go_round(rival, tasks[::-1]))
        await rival.database.close()
        events = [event for event in await build.recorded_events() if isinstance(event, TaskEvent)]

        assert list(made) == [540, 540]
        for task in tasks:
            stored = await build.task(task.id)
            assert stored is not None
            versions = [event.version for event in events if event.task_id == task.id]
            assert versions == list(range(2, stored.version + 1))


class TestConnections:
    @pytest.mark.parametrize("with_lock", [True, False])
    async def test_a_connection_is_not_kept_while_waiting_for_the_batch(
        self, new_database: Callable[[], str], *, with_lock: bool
    ):
        """Units of work that have read before use no connection that the batch needs."""
        build = Builders(Database(new_database(), pool_size=1))
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)

        async def write(task: TaskRow) -> None:
            async with build.as_(actor) as uow:
                row = await uow.tasks.get(task.id)
                if with_lock:
                    await uow.write(lambda row: uow.change(row, title="Changed"), uow.tasks.lock_of(task.id))
                else:
                    uow.tasks.add(new_row(TaskRow, **{name: getattr(row, name) for name in _COLUMNS}, id=new_id()))
                    await uow.commit()

        async with asyncio.timeout(HANG_SECONDS / 2):  # waiting for a connection ends after HANG_SECONDS
            await asyncio.gather(*(write(task) for task in tasks))
        await build.database.close()

    async def test_after_the_write_statements_are_possible(self, build: Builders):
        """The unit of work can be used again."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        async with build.as_(actor) as uow:
            await uow.write(lambda row: uow.change(row, title="Changed"), uow.tasks.lock_of(task.id))
            assert (await uow.tasks.get(task.id)).title == "Changed"

    @pytest.mark.parametrize("key", [None, IdempotencyKey("alone")])
    async def test_a_refused_write_leaves_nothing_for_a_later_commit(self, build: Builders, key: IdempotencyKey | None):
        """What its function changed before it refused is not stored."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)

        def refuse(row: TaskRow) -> None:
            uow.change(row, title="Changed")
            raise Conflict("refused", version=1)

        async with build.unchanged(), build.as_(actor, key=key) as uow:
            with pytest.raises(Conflict):
                await uow.write(refuse, uow.tasks.lock_of(task.id))
            await uow.commit()

    async def test_changes_from_before_are_refused(self, build: Builders):
        """A function that is called twice would make them once."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        async with build.unchanged(), build.as_(actor) as uow:
            uow.tasks.add(task)
            with pytest.raises(RuntimeError, match="can be called twice"):
                await uow.write(lambda row: uow.change(row, title="Changed"), uow.tasks.lock_of(task.id))
