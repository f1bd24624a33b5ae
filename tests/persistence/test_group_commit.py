"""Writes that share a transaction: each has the result that it would have alone."""

import asyncio
from contextvars import ContextVar
from functools import partial
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.actor import OPERATOR, Actor
from domain.errors import Conflict, Invalid, NotFound, Refusal
from domain.events import TaskEvent
from domain.idempotency import IdempotencyKey
from domain.task import TaskStatus
from domain.user import Role
from persistence import group_commit
from persistence.errors import Duplicate
from persistence.group_commit import MAX_BATCH_SIZE
from persistence.models import TaskRow, VisibleTaskRow
from persistence.row_locks import LockMode
from persistence.statement_counts import StatementCount, current
from persistence.unit_of_work import UnitOfWork
from persistence.write_set import send
from services.task import assign_task, update_task_status
from services.task_creation import create_task
from services.task_event import creation
from tests.persistence.task_writes import (
    DONE,
    OF_A_TASK,
    TODO,
    WRITES,
    Write,
    add_user,
    create,
    delete,
    edit,
    finish,
    is_waiting_for_a_lock,
    locked,
    nothing_recorded,
    outcome_of,
    tasks_of,
    transactions,
    until,
    write_all,
)
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS


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

        assert all(isinstance(row, VisibleTaskRow) for row in results)
        assert await transactions(build) == 3

    async def test_a_second_batch_does_not_wait_for_the_first(self, build: Builders):
        """It starts as soon as there are more writes than a batch takes."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, MAX_BATCH_SIZE + 1)
        async with nothing_recorded(build):
            running = asyncio.create_task(write_all(build, actor, tasks))
            await is_waiting_for_a_lock(build, 2)
        assert all(isinstance(row, VisibleTaskRow) for row in await running)
        assert await transactions(build) == 2

    async def test_a_shared_lock_and_a_change_are_in_different_batches(self, build: Builders):
        """A write does not see the changes of another one that may still fail."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        seen: list[str] = []

        def note(uow: UnitOfWork, row: TaskRow) -> None:
            seen.append(row.title)
            uow.record(creation(uow, row))

        async def read_locked() -> None:
            async with build.as_(actor) as uow:
                await uow.write(partial(note, uow), uow.tasks.lock_of(task.id, LockMode.SHARED))

        failing = build.as_(actor)
        failing.request_id = "\0"  # which no text of PostgreSQL can contain
        results = await asyncio.gather(
            read_locked(), edit(failing, task), read_locked(), finish(build.as_(actor), task), return_exceptions=True
        )

        assert [isinstance(each, BaseException) for each in results] == [False, True, False, False]
        # A write decides again if its batch met another change, so the number of calls depends on the timing.
        assert set(seen) == {task.title}
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

        assert isinstance(title, VisibleTaskRow)
        assert isinstance(moved, VisibleTaskRow)
        assert (title.version, moved.version, moved.title) == (2, 3, title.title)
        assert isinstance(elsewhere, VisibleTaskRow)
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

        async def note(*arguments: Any) -> None:
            seen.append(caller.get())
            await send(*arguments)

        monkeypatch.setattr(group_commit, "send", note)
        actor = await build.an_actor()
        caller.set("a request")
        await write_all(build, actor, await tasks_of(build, actor, MAX_BATCH_SIZE + 1))

        assert set(seen) == {"none"}
        assert len(seen) >= 2

    async def test_each_caller_counts_its_own_statements(self, build: Builders):
        """Its write is one statement of its request, whatever the size of the batch."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 5)
        counts: list[int] = []

        async def write(task: TaskRow) -> None:
            count = StatementCount()
            current.set(count)
            await finish(build.as_(actor), task)
            counts.append(count.statements)

        await asyncio.gather(*(asyncio.create_task(write(task)) for task in tasks))

        assert counts == [1] * 5


class TestEachAsIfAlone:
    async def test_every_status_change(self, build: Builders):
        """All concurrent changes have the result that they have in transactions of their own, one after another."""
        actors = [await build.an_actor(role) for role in Role]
        wanted = list(product(actors, ("owner", "assignee", "outsider"), TaskStatus, TaskStatus))
        keys = iter(range(10_000))

        async def change(actor: Actor, task: TaskRow, status: TaskStatus, *, alone: bool) -> Any:
            key = IdempotencyKey(f"key-{next(keys)}") if alone else None
            return await outcome_of(update_task_status(build.as_(actor, key=key), task_id=task.id, status=status))

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

        kinds = [VisibleTaskRow, NotFound, VisibleTaskRow, NotFound, Conflict, Invalid, Invalid, UUID]
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

        assert [isinstance(each, VisibleTaskRow | UUID) for each in others] == [True, True]
        assert isinstance(await patient, VisibleTaskRow | UUID)
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

        assert all(isinstance(each, VisibleTaskRow) for each in others)
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

        assert [isinstance(each, VisibleTaskRow) for each in results] == [True, False, True]
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
            add_user(build, user.username),
            write_all(build, actor, tasks[2:], writes),
            add_user(build, "another"),
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

        refused = [isinstance(each, asyncpg.CheckViolationError) for each in results]
        assert refused == [False, True, False, True, False], results
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
