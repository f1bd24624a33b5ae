"""Writes that share a transaction: each has the result that it would have alone."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from domain.actor import OPERATOR, Actor
from domain.errors import Conflict, Invalid, NotFound, Refusal, Unavailable
from domain.events import TaskEvent
from domain.idempotency import IdempotencyKey
from domain.task import TaskStatus
from domain.user import Role
from persistence import group_commit
from persistence.database import Database
from persistence.errors import Duplicate
from persistence.group_commit import MAX_BATCH_SIZE
from persistence.models import TaskRow, UserRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.queries.task_list import EVERYTHING
from persistence.statement_counts import StatementCount, current
from persistence.transaction import Transaction
from persistence.unit_of_work import UnitOfWork
from persistence.write_set import WriteSet, send
from services.task import assign_task, create_task, creation, delete_task, update_task, update_task_status
from services.task_edit import TaskEdit
from tests.support.builders import Builders
from tests.support.transactions import orm_session
from tests.support.waiting import HANG_SECONDS

DONE, TODO, IN_PROGRESS = TaskStatus.DONE, TaskStatus.TODO, TaskStatus.IN_PROGRESS
_A_USER = UUID(int=7)

Write = Callable[[UnitOfWork, TaskRow], Coroutine[Any, Any, Any]]
"""A write of a task."""


async def create(uow: UnitOfWork, task: TaskRow) -> TaskRow:
    """Create another task."""
    return await create_task(uow, title=f"After {task.title}")


async def create_assigned(uow: UnitOfWork, task: TaskRow) -> TaskRow:
    """Create another task with an assignee, whose row is locked."""
    return await create_task(uow, title=f"After {task.title}", assignee_id=task.owner_id)


async def edit(uow: UnitOfWork, task: TaskRow) -> TaskRow:
    """Change the title."""
    return await update_task(uow, task_id=task.id, edit=TaskEdit(title=f"Not {task.title}"))


async def assign(uow: UnitOfWork, task: TaskRow) -> TaskRow:
    """Assign the task to its owner."""
    return await assign_task(uow, task_id=task.id, assignee_id=task.owner_id)


async def delete(uow: UnitOfWork, task: TaskRow) -> UUID:
    """Delete the task."""
    return await delete_task(uow, task_id=task.id)


async def finish(uow: UnitOfWork, task: TaskRow) -> TaskRow:
    """Change the status."""
    return await update_task_status(uow, task_id=task.id, status=DONE)


WRITES: list[Write] = [create, create_assigned, edit, assign, delete, finish]
OF_A_TASK: list[Write] = [edit, assign, delete, finish]


async def tasks_of(build: Builders, actor: Actor, number: int) -> list[TaskRow]:
    """Tasks of a user."""
    return [await build.a_task(actor) for _ in range(number)]


async def write_all(
    build: Builders, actor: Actor, tasks: Sequence[TaskRow], writes: Sequence[Write] = (finish,)
) -> list[Any]:
    """Write the tasks at the same time, each with the next kind of write; returns the result or error of each."""
    return await asyncio.gather(
        *(writes[number % len(writes)](build.as_(actor), task) for number, task in enumerate(tasks)),
        return_exceptions=True,
    )


async def transactions(build: Builders) -> int:
    """The number of transactions that have recorded the events."""
    async with build.database.connect() as connection:
        return int(await connection.scalar(text("SELECT count(DISTINCT xmin::text) FROM events")) or 0)


@asynccontextmanager
async def locked(build: Builders, task: TaskRow) -> AsyncIterator[None]:
    """A task that is locked by another transaction."""
    async with orm_session(build.database) as session:
        await session.execute(text("SELECT FROM tasks WHERE id = :id FOR UPDATE"), {"id": task.id})
        yield


@asynccontextmanager
async def nothing_recorded(build: Builders) -> AsyncIterator[None]:
    """The write statement waits until the end of the block; the statement that locks rows does not."""
    async with orm_session(build.database) as session:
        await session.execute(text("LOCK TABLE events IN SHARE MODE"))
        yield


async def is_waiting_for_a_lock(build: Builders, number: int = 1) -> None:
    """Wait until so many sessions of this database wait for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(HANG_SECONDS), build.database.connect() as connection:
        while await connection.scalar(waiting) < number:
            await connection.rollback()


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until the condition is true."""
    async with asyncio.timeout(HANG_SECONDS):
        while not condition():
            await asyncio.sleep(0)


@pytest.fixture
async def other_build(new_database: Callable[[], str]) -> AsyncIterator[Builders]:
    """A database of one test, with four connections."""
    database = Database(new_database(), pool_size=4)
    yield Builders(database)
    await database.close()


class TestTogether:
    async def test_concurrent_writes_share_one_transaction(self, build: Builders):
        """Of all kinds; each gets its own result."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 18)
        results = await write_all(build, actor, tasks, WRITES)

        assert await transactions(build) == 1
        assert len(await build.recorded_events()) == 18
        for number, (task, result) in enumerate(zip(tasks, results, strict=True)):
            match WRITES[number % len(WRITES)].__name__:
                case "create" | "create_assigned":
                    assert (result.title, result.version) == (f"After {task.title}", 1)
                    assert await build.task(result.id) is not None
                case "delete":
                    assert (result, await build.task(task.id)) == (task.id, None)
                case _:
                    assert (result.id, result.version) == (task.id, 2)
                    stored = await build.task(task.id)
                    assert stored is not None
                    assert (stored.title, stored.status, stored.assignee_id, stored.version) == (
                        result.title, result.status, result.assignee_id, 2
                    )  # fmt: skip

    async def test_a_batch_has_a_maximum_size(self, build: Builders):
        """Further writes go into the next batches."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 2 * MAX_BATCH_SIZE + 1)
        results = await write_all(build, actor, tasks)

        assert all(isinstance(row, TaskRow) for row in results)
        assert await transactions(build) == 3

    async def test_a_second_batch_does_not_wait_for_the_first(self, build: Builders):
        """It starts as soon as there are more writes than a batch takes."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, MAX_BATCH_SIZE + 1)
        async with nothing_recorded(build):
            running = asyncio.create_task(write_all(build, actor, tasks))
            await is_waiting_for_a_lock(build, 2)
        assert all(isinstance(row, TaskRow) for row in await running)
        assert await transactions(build) == 2

    async def test_a_shared_lock_and_a_change_are_in_different_batches(self, build: Builders):
        """A write does not see the changes of another one that may still fail."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        seen: list[str] = []

        async def read_locked() -> None:
            async with build.as_(actor) as uow:
                [row] = await uow.lock(uow.tasks.lock_of(task.id, shared=True), then_commits=True)
                seen.append(row.title)
                uow.record(creation(uow, row))
                await uow.commit()

        failing = build.as_(actor)
        failing.request_id = "\0"  # which no text of PostgreSQL can contain
        results = await asyncio.gather(
            read_locked(), edit(failing, task), read_locked(), finish(build.as_(actor), task), return_exceptions=True
        )

        assert [isinstance(each, BaseException) for each in results] == [False, True, False, False]
        assert seen == [task.title, task.title]
        versions = [event.version for event in await build.recorded_events() if isinstance(event, TaskEvent)]
        assert versions in ([1, 1, 2], [1, 2, 2], [2, 2, 2])  # by id: no event follows one of a later version

    async def test_writes_of_the_same_task(self, build: Builders):
        """Each waits for the one before, and starts from its result."""
        actor = await build.an_actor()
        task, other = await tasks_of(build, actor, 2)
        title, moved, elsewhere, gone, late = await asyncio.gather(
            edit(build.as_(actor), task),
            finish(build.as_(actor), task),
            finish(build.as_(actor), other),
            delete(build.as_(actor), task),
            edit(build.as_(actor), task),
            return_exceptions=True,
        )

        assert isinstance(title, TaskRow)
        assert isinstance(moved, TaskRow)
        assert (title.version, moved.version, moved.title) == (2, 3, title.title)
        assert isinstance(elsewhere, TaskRow)
        assert gone == task.id
        assert isinstance(late, NotFound)

    async def test_a_task_whose_write_is_in_progress(self, build: Builders):
        """Another write of it waits for the next batch, instead of finding it locked."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        groups = build.database._group_commit
        async with nothing_recorded(build):
            first = asyncio.create_task(finish(build.as_(actor), task))
            await is_waiting_for_a_lock(build)
            second = asyncio.create_task(edit(build.as_(actor), task))
            await until(lambda: bool(groups._pending))
            for _ in range(10):
                await asyncio.sleep(0)
            assert (len(groups._batches), len(groups._pending)) == (1, 1)

        assert [row.version for row in (await first, await second)] == [2, 3]

    async def test_listeners_of_commits_are_called(self, build: Builders):
        """All events are counted."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 6)
        before = build.database.recorded
        await write_all(build, actor, tasks, WRITES)

        assert build.database.recorded == before + 6

    async def test_a_batch_runs_in_the_context_of_no_caller(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """What it logs and counts belongs to no single request, of whichever member."""
        caller: ContextVar[str] = ContextVar("caller", default="none")
        seen: list[str] = []

        async def note(transaction: Transaction, write_set: WriteSet) -> None:
            seen.append(caller.get())
            await send(transaction, write_set)

        monkeypatch.setattr(group_commit, "send", note)
        actor = await build.an_actor()
        caller.set("a request")
        await write_all(build, actor, await tasks_of(build, actor, MAX_BATCH_SIZE + 1))

        assert set(seen) == {"none"}
        assert len(seen) >= 2

    async def test_each_caller_counts_its_own_statements(self, build: Builders):
        """The lock and the write are two statements of its request, whatever the size of the batch."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 5)
        counts: list[int] = []

        async def write(task: TaskRow) -> None:
            count = StatementCount()
            current.set(count)
            await finish(build.as_(actor), task)
            counts.append(count.statements)

        await asyncio.gather(*(asyncio.create_task(write(task)) for task in tasks))

        assert counts == [2] * 5


class TestEachAsIfAlone:
    async def test_every_status_change(self, build: Builders):
        """All concurrent changes have the result that they have in transactions of their own, one after another."""
        actors = [await build.an_actor(role) for role in Role]
        wanted = list(product(actors, ("owner", "assignee", "outsider"), TaskStatus, TaskStatus))
        keys = iter(range(10_000))

        async def change(actor: Actor, task: TaskRow, status: TaskStatus, *, alone: bool) -> Any:
            key = IdempotencyKey(f"key-{next(keys)}") if alone else None
            return await _outcome(update_task_status(build.as_(actor, key=key), task_id=task.id, status=status))

        together = [(actor, await self.a_task(build, actor, to, status), new) for actor, to, status, new in wanted]
        single = [(actor, await self.a_task(build, actor, to, status), new) for actor, to, status, new in wanted]

        assert await asyncio.gather(*(change(*each, alone=False) for each in together)) == [
            await change(*each, alone=True) for each in single
        ]

    async def a_task(self, build: Builders, actor: Actor, relation: str, status: TaskStatus) -> TaskRow:
        """A task with this relation to the actor."""
        other = (await build.a_user()).id
        owner_id = actor.user_id if relation == "owner" else other
        assignee_id = actor.user_id if relation == "assignee" else None
        return await build.a_task(owner_id=owner_id, assignee_id=assignee_id, status=status)

    async def test_a_refused_write_does_not_affect_others(self, build: Builders):
        """A hidden task, a missing one, a wrong version, an inactive assignee; an unchanged one writes nothing."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 4)
        hidden, done = await build.a_task(), await build.a_task(actor, status=DONE)
        disabled = await build.a_user(is_active=False)
        before = build.database.recorded
        results = await asyncio.gather(
            finish(build.as_(actor), tasks[0]),
            finish(build.as_(actor), hidden),
            finish(build.as_(actor), done),
            finish(build.as_(actor), TaskRow(id=actor.user_id)),
            update_task_status(build.as_(actor), task_id=tasks[1].id, status=DONE, expected_version=5),
            assign_task(build.as_(actor), task_id=tasks[2].id, assignee_id=disabled.id),
            create_task(build.as_(actor), title="Refused", assignee_id=disabled.id),
            delete(build.as_(actor), tasks[3]),
            return_exceptions=True,
        )

        kinds = [TaskRow, NotFound, TaskRow, NotFound, Conflict, Invalid, Invalid, UUID]
        assert [isinstance(*each) for each in zip(results, kinds, strict=True)] == [True] * 8, results
        assert build.database.recorded == before + 2
        assert len(await build.recorded_events()) == 2
        assert await transactions(build) == 1
        assert [await build.status_of(task) for task in tasks[:3]] == [DONE, TODO, TODO]

    @pytest.mark.parametrize("write", OF_A_TASK)
    async def test_a_task_locked_elsewhere_does_not_delay_others(self, build: Builders, write: Write):
        """Its write waits in a transaction of its own."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)
        async with locked(build, tasks[1]):
            patient = asyncio.create_task(write(build.as_(actor), tasks[1]))
            async with asyncio.timeout(HANG_SECONDS):
                others = await write_all(build, actor, [tasks[0], tasks[2]], [write])
            await is_waiting_for_a_lock(build)
            assert not patient.done()

        assert [isinstance(each, TaskRow | UUID) for each in others] == [True, True]
        assert isinstance(await patient, TaskRow | UUID)
        assert len(await build.recorded_events()) == 3

    async def test_an_assignee_that_is_being_disabled(self, build: Builders):
        """The assignment waits for the end of that transaction, and is refused; other writes do not wait."""
        actor, friend = await build.an_actor(), await build.a_user()
        tasks = await tasks_of(build, actor, 3)
        async with build.as_(OPERATOR) as disabling:
            [row] = await disabling.lock(disabling.users.lock_of(friend.id))
            disabling.change(row, is_active=False)
            patient = [
                asyncio.create_task(assign_task(build.as_(actor), task_id=tasks[0].id, assignee_id=friend.id)),
                asyncio.create_task(create_task(build.as_(actor), title="Refused", assignee_id=friend.id)),
            ]
            async with asyncio.timeout(HANG_SECONDS):
                others = await write_all(build, actor, tasks[1:])
            await is_waiting_for_a_lock(build, 2)
            await disabling.commit()
        refused = await asyncio.gather(*patient, return_exceptions=True)

        assert all(isinstance(each, TaskRow) for each in others)
        assert [type(each) for each in refused] == [Invalid, Invalid]
        assert len(await build.recorded_events()) == 2

    async def test_a_value_that_the_server_refuses(self, build: Builders):
        """Only its write fails."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)
        uows = [build.as_(actor) for _ in tasks]
        uows[1].request_id = "\0"  # which no text of PostgreSQL can contain
        results = await asyncio.gather(
            *(finish(uow, task) for uow, task in zip(uows, tasks, strict=True)), return_exceptions=True
        )

        assert [isinstance(each, TaskRow) for each in results] == [True, False, True]
        assert [await build.status_of(task) for task in tasks] == [DONE, TODO, DONE]
        assert len(await build.recorded_events()) == 2

    @pytest.mark.parametrize("with_locks", [True, False])
    async def test_a_unique_index(self, build: Builders, *, with_locks: bool):
        """Only the write of the duplicate fails, beside writes that have locked rows and beside others."""
        actor, user = await build.an_actor(), await build.a_user()
        tasks = await tasks_of(build, actor, 4)
        writes = [finish, edit] if with_locks else [create]
        results = await asyncio.gather(
            write_all(build, actor, tasks[:2], writes),
            _add_user(build, user.username),
            write_all(build, actor, tasks[2:], writes),
            _add_user(build, "another"),
            return_exceptions=True,
        )

        assert isinstance(results[1], Duplicate)
        assert results[3] is None
        assert len(await build.recorded_events()) == 4
        async with build.as_(OPERATOR) as uow:
            assert await uow.users.find_by_name("another") is not None

    async def test_a_constraint(self, other_build: Builders):
        """A trigger refuses some rows: their writes fail, and all others are stored."""
        build = other_build
        async with build.database.engine.begin() as connection:
            await connection.exec_driver_sql(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " $$BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END$$"
            )
            await connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE UPDATE ON tasks FOR EACH ROW"
                " WHEN (NEW.title LIKE 'Not refused%') EXECUTE FUNCTION refuse()"
            )
        actor = await build.an_actor()
        tasks = [await build.a_task(actor, title=title) for title in ("a", "refused 1", "b", "refused 2", "c")]
        results = await write_all(build, actor, tasks, [edit])

        assert [type(each) for each in results] == [
            TaskRow, asyncpg.CheckViolationError, TaskRow, asyncpg.CheckViolationError, TaskRow
        ]  # fmt: skip
        stored = [await build.task(task.id) for task in tasks]
        assert [task.title for task in stored if task] == ["Not a", "refused 1", "Not b", "refused 2", "Not c"]
        assert len(await build.recorded_events()) == 3

    async def test_a_version_that_no_task_has(self, build: Builders):
        """A number that no column could store is a conflict like any other wrong one."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        for version in (2**31, -1, 2**70):
            with pytest.raises(Refusal, match="version"):
                await update_task_status(build.as_(actor), task_id=task.id, status=DONE, expected_version=version)


class TestLastStatement:
    async def test_a_statement_after_the_lock_is_an_error(self, build: Builders):
        """With `then_commits` others would wait for it. The row is unlocked, and nothing is written."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        async with build.unchanged():
            async with build.as_(actor) as uow:
                [row] = await uow.lock(uow.tasks.lock_of(task.id), then_commits=True)
                uow.change(row, title="Changed")
                with pytest.raises(RuntimeError, match="only the commit may follow"):
                    await uow.tasks.count(EVERYTHING)
            await until(lambda: not build.database._group_commit._batches)

        async with orm_session(build.database) as session:
            await session.execute(text("SELECT FROM tasks FOR UPDATE NOWAIT"))

    async def test_after_the_commit_statements_are_possible(self, build: Builders):
        """The unit of work can be used again."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        async with build.as_(actor) as uow:
            [row] = await uow.lock(uow.tasks.lock_of(task.id), then_commits=True)
            uow.change(row, title="Changed")
            await uow.commit()
            assert (await uow.tasks.get(task.id)).title == "Changed"

    @pytest.mark.parametrize("then_commits", [True, False])
    async def test_a_connection_is_not_kept_while_waiting_for_the_batch(
        self, new_database: Callable[[], str], *, then_commits: bool
    ):
        """Units of work that have read before use no connection that the batch needs."""
        build = Builders(Database(new_database(), pool_size=1))
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)

        async def write(task: TaskRow) -> None:
            async with build.as_(actor) as uow:
                row = await uow.tasks.get(task.id)
                if then_commits:
                    [row] = await uow.lock(uow.tasks.lock_of(task.id), then_commits=True)
                    uow.change(row, title="Changed")
                else:
                    uow.tasks.add(new_row(TaskRow, **{name: getattr(row, name) for name in _COLUMNS}, id=new_id()))
                await uow.commit()

        async with asyncio.timeout(HANG_SECONDS / 2):  # waiting for a connection ends after HANG_SECONDS
            await asyncio.gather(*(write(task) for task in tasks))
        await build.database.close()


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

    async def test_while_the_rows_are_being_locked(self, build: Builders):
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
    async def test_between_lock_and_commit(self, build: Builders, error: type[BaseException]):
        """Others commit, and nothing of the member is written."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)

        async def give_up(task: TaskRow) -> None:
            async with build.as_(actor) as uow:
                [row] = await uow.lock(uow.tasks.lock_of(task.id), then_commits=True)
                uow.change(row, title="Changed")
                raise error

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
        build, actor = Builders(database), Actor(UUID(int=8), Role.USER, _A_USER, 1)
        tasks = [new_row(TaskRow, id=uuid4(), title="a", owner_id=uuid4()) for _ in WRITES]
        for _ in range(2):
            results = await write_all(build, actor, tasks, WRITES)
            assert [type(each) for each in results] == [Unavailable] * len(WRITES)
        await database.close()

    @pytest.mark.parametrize("step", ["savepoint", "fetch", "commit"])
    async def test_a_connection_that_ends_before_the_commit(
        self, other_build: Builders, monkeypatch: pytest.MonkeyPatch, step: str
    ):
        """After the lock, before the write or before the commit: every caller gets an error, and nothing is stored."""
        build, actor = other_build, await other_build.an_actor()
        tasks = await tasks_of(build, actor, 2 * len(WRITES))
        original = getattr(Transaction, step)

        async def interrupted(transaction: Transaction, *arguments: Any) -> Any:
            if step != "fetch" or arguments[0].startswith("WITH"):
                await _end_backend(build, transaction)
            return await original(transaction, *arguments)

        async with build.unchanged():
            with monkeypatch.context() as patch:
                patch.setattr(Transaction, step, interrupted)
                results = await write_all(build, actor, tasks, WRITES)
        assert [type(each) for each in results] == [Unavailable] * len(tasks)
        again = await write_all(build, actor, tasks, WRITES)
        assert not any(isinstance(each, BaseException) for each in again)

    async def test_a_connection_that_ends_before_the_answer_to_the_commit(
        self, other_build: Builders, monkeypatch: pytest.MonkeyPatch
    ):
        """Every caller gets an error; all writes are stored."""
        build, actor = other_build, await other_build.an_actor()
        tasks = await tasks_of(build, actor, 2 * len(WRITES))
        original = Transaction.commit

        async def interrupted(transaction: Transaction) -> None:
            await original(transaction)
            raise ConnectionResetError

        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "commit", interrupted)
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


async def anything(uow: UnitOfWork, task_id: UUID, chance: random.Random) -> None:
    """Mostly a status change, if possible; some in a transaction of their own."""
    if chance.random() < 0.2:
        uow.idempotency = IdempotencyKey(f"key-{chance.random()}")
    with suppress(Refusal):
        match chance.randrange(20):
            case 0:
                await delete_task(uow, task_id=task_id)
            case 1 | 2:
                assignee_id = chance.choice([uow.actor.user_id, None])
                await assign_task(uow, task_id=task_id, assignee_id=assignee_id)
            case 3 | 4 | 5:
                await update_task(uow, task_id=task_id, edit=TaskEdit(title=f"Title {chance.random()}"))
            case 6:
                await create_task(uow, title="Another")
            case _:
                await update_task_status(uow, task_id=task_id, status=chance.choice(list(TaskStatus)))


async def _outcome(asked: Any) -> Any:
    try:
        row = await asked
    except Refusal as refusal:
        return refusal.code, refusal.message
    return row.status, row.version, row.completed_at is not None


_COLUMNS = ("title", "description", "status", "priority", "owner_id", "version", "created_at", "updated_at")


async def _add_user(build: Builders, name: str) -> None:
    async with build.as_(OPERATOR) as uow:
        values = {"username": name, "email": f"{uuid4()}@example.org", "password_hash": "!", "role": Role.USER}
        uow.users.add(
            new_row(
                UserRow, **values, id=new_id(), is_active=True, access_version=1, created_at=uow.now, updated_at=uow.now
            )
        )
        await uow.commit()


async def _end_backend(build: Builders, transaction: Transaction) -> None:
    """Have the server end the connection of a transaction, and wait until it has."""
    if transaction._connection is not None:
        async with build.database.connect() as other:
            pid = transaction._connection.get_server_pid()
            await other.execute(text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": pid})
