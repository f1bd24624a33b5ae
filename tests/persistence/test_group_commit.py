"""Moves that are made together: each as if it had been asked for alone, and all with one commit."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import TextClause, text

from domain.actor import Actor
from domain.errors import Refusal, Unavailable
from domain.events import TaskEvent
from domain.task import TaskStatus
from domain.user import Role
from persistence import group_commit
from persistence.database import Database
from persistence.group_commit import MAX_BATCH_SIZE
from persistence.models import TaskRow
from persistence.unit_of_work import UnitOfWork
from services.task import assign_task, delete_task, update_task, update_task_status
from services.task_edit import TaskEdit
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

DONE, TODO, IN_PROGRESS = TaskStatus.DONE, TaskStatus.TODO, TaskStatus.IN_PROGRESS
_A_USER = UUID(int=7)


async def tasks_of(build: Builders, actor: Actor, number: int) -> list[TaskRow]:
    """Tasks of a user."""
    return [await build.a_task(actor) for _ in range(number)]


async def move(build: Builders, actor: Actor, tasks: Sequence[TaskRow], status: TaskStatus = DONE) -> list[Any]:
    """Change them at the same time, in one statement if possible; returns each result."""
    moves = (build.as_(actor).try_status_update(task.id, status, None) for task in tasks)
    return await asyncio.gather(*moves, return_exceptions=True)


async def commits(build: Builders, tasks: Sequence[TaskRow]) -> int:
    """By how many transactions they were written last."""
    async with build.database.connect() as connection:
        ids = [task.id for task in tasks]
        found = await connection.execute(
            text("SELECT count(DISTINCT xmin::text) FROM tasks WHERE id = ANY(:ids)"), {"ids": ids}
        )
        return int(found.scalar_one())


@asynccontextmanager
async def locked(build: Builders, task: TaskRow) -> AsyncIterator[None]:
    """A task that is locked by another transaction."""
    async with build.database.session() as session:
        await session.execute(text("SELECT FROM tasks WHERE id = :id FOR UPDATE"), {"id": task.id})
        yield


@asynccontextmanager
async def nothing_recorded(build: Builders) -> AsyncIterator[None]:
    """Events have to wait, and so have moves."""
    async with build.database.session() as session:
        await session.execute(text("LOCK TABLE events IN SHARE MODE"))
        yield


async def is_waiting_for_a_lock(build: Builders) -> None:
    """Wait until a session waits for a lock on a row of this database."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(HANG_SECONDS):
        while not await count(build, waiting):
            await asyncio.sleep(0.005)


async def count(build: Builders, question: TextClause) -> int:
    """The number that a statement answers."""
    async with build.database.connect() as connection:
        return int(await connection.scalar(question) or 0)


class TestTogether:
    async def test_concurrent_changes_share_one_commit(self, build: Builders):
        """Each gets its own task."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 10)
        moved = await move(build, actor, tasks)

        assert [row.id for row in moved] == [task.id for task in tasks]
        assert {row.status for row in moved} == {DONE}
        assert await commits(build, tasks) == 1
        assert len(await build.recorded_events()) == 10

    async def test_a_statement_has_a_maximum_size(self, build: Builders):
        """Further changes go into the next statements."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 2 * MAX_BATCH_SIZE + 1)
        moved = await move(build, actor, tasks)

        assert all(row is not None for row in moved)
        assert await commits(build, tasks) == 3

    async def test_two_changes_of_the_same_task(self, build: Builders):
        """The second one waits for the first, and starts from its result."""
        actor = await build.an_actor()
        task, other = await tasks_of(build, actor, 2)
        moves = [(task, IN_PROGRESS), (other, DONE), (task, DONE)]
        moved = await asyncio.gather(
            *(build.as_(actor).try_status_update(each.id, status, None) for each, status in moves)
        )

        assert [(row.status, row.version) for row in moved if row is not None] == [
            (IN_PROGRESS, 2),
            (DONE, 2),
            (DONE, 3),
        ]

    async def test_again_while_it_is_moved(self, build: Builders):
        """A task that is on its way is not tried in the next round, where it would be found locked."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        async with nothing_recorded(build):
            moves = []
            for status in (DONE, TODO):
                moves.append(asyncio.create_task(move(build, actor, [task], status)))
                while not build.database._group_commit._batches or len(moves) > 1 + len(
                    build.database._group_commit._pending
                ):
                    await asyncio.sleep(0)
            for _ in range(10):
                await asyncio.sleep(0)
            assert (len(build.database._group_commit._batches), len(build.database._group_commit._pending)) == (1, 1)
        moved = [row for each in moves for row in await each]

        assert [row.version for row in moved] == [2, 3]

    async def test_listeners_of_commits_are_called_once(self, build: Builders):
        """With all changes."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 5)
        before = build.database.recorded
        await move(build, actor, tasks)

        assert build.database.recorded == before + 5


class TestEachAsIfAlone:
    async def test_every_status_change(self, build: Builders):
        """All concurrent changes have the result of the transactional path, one after another."""
        actors = [await build.an_actor(role) for role in Role]
        wanted = list(product(actors, ("owner", "assignee", "outsider"), TaskStatus, TaskStatus))

        async def outcomes(move: Callable[[Actor, TaskRow, TaskStatus], Any], *, together: bool) -> list[Any]:
            asked = [
                move(actor, await self.a_task(build, actor, to, status), target) for actor, to, status, target in wanted
            ]
            if together:
                return await asyncio.gather(*(_outcome(each) for each in asked))
            return [await _outcome(each) for each in asked]

        def short(actor: Actor, task: TaskRow, target: TaskStatus) -> Any:
            return update_task_status(build.as_(actor), task_id=task.id, status=target)

        def ordinary(actor: Actor, task: TaskRow, target: TaskStatus) -> Any:
            return update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(status=target))

        assert await outcomes(short, together=True) == await outcomes(ordinary, together=False)

    async def a_task(self, build: Builders, actor: Actor, relation: str, status: TaskStatus) -> TaskRow:
        """A task that the actor stands so to."""
        other = (await build.a_user()).id
        owner_id = actor.user_id if relation == "owner" else other
        assignee_id = actor.user_id if relation == "assignee" else None
        return await build.a_task(owner_id=owner_id, assignee_id=assignee_id, status=status)

    async def test_a_refused_change_does_not_affect_others(self, build: Builders):
        """A hidden task, an unchanged one and a missing one do not stop the others."""
        actor = await build.an_actor()
        mine = await tasks_of(build, actor, 2)
        others, done = await build.a_task(), await build.a_task(actor, status=DONE)
        gone = TaskRow(id=actor.user_id)
        before = build.database.recorded
        moved = await move(build, actor, [mine[0], others, done, gone, mine[1]])

        assert [row is not None for row in moved] == [True, False, False, False, True]
        assert build.database.recorded == before + 2

    async def test_a_locked_task_does_not_delay_others(self, build: Builders):
        """It is changed by the transactional path when it is free."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)
        async with locked(build, tasks[1]):
            async with asyncio.timeout(HANG_SECONDS):
                moved = await move(build, actor, tasks)
            patient = asyncio.create_task(update_task_status(build.as_(actor), task_id=tasks[1].id, status=DONE))
            await is_waiting_for_a_lock(build)
            assert not patient.done()

        assert [row is not None for row in moved] == [True, False, True]
        assert (await patient).version == 2

    async def test_a_failed_statement_is_repeated_one_by_one(self, build: Builders):
        """All changes succeed, except the invalid one."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 3)
        uows = [build.as_(actor) for _ in tasks]
        uows[1].request_id = "\0"  # which no text of PostgreSQL can hold
        moves = (update_task_status(uow, task_id=task.id, status=DONE) for uow, task in zip(uows, tasks, strict=True))
        moved = await asyncio.gather(*moves, return_exceptions=True)

        assert [isinstance(each, TaskRow) for each in moved] == [True, False, True]
        assert [await build.status_of(task) for task in tasks] == [DONE, TODO, DONE]
        assert len(await build.recorded_events()) == 2

    async def test_a_version_that_no_task_has(self, build: Builders):
        """A number that the statement could not hold is a conflict like any other wrong one."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        for version in (2**31, -1, 2**70):
            with pytest.raises(Refusal, match="version"):
                await update_task_status(build.as_(actor), task_id=task.id, status=DONE, expected_version=version)


class TestGivenUp:
    async def test_a_cancelled_change_does_not_affect_others(self, build: Builders):
        """It is not made if it has not begun; a started one is made."""
        actor = await build.an_actor()
        early, late, other = await tasks_of(build, actor, 3)
        before = build.database.recorded
        asked = [asyncio.create_task(move(build, actor, [task])) for task in (early, late, other)]
        while len(build.database._group_commit._pending) < 3:
            await asyncio.sleep(0)
        asked[0].cancel()
        while not build.database._group_commit._batches:
            await asyncio.sleep(0)
        asked[1].cancel()
        ends = await asyncio.gather(*asked, return_exceptions=True)
        await asyncio.gather(*build.database._group_commit._batches)

        assert [isinstance(end, asyncio.CancelledError) for end in ends] == [True, True, False]
        assert [await build.status_of(task) for task in (early, late, other)] == [TODO, DONE, DONE]
        assert build.database.recorded - before == len(await build.recorded_events()) == 2

    async def test_an_outage_fails_each_change(self):
        """Later ones try again."""
        database = Database("postgresql://nobody@127.0.0.1:1/nothing")
        build, actor = Builders(database), Actor(UUID(int=8), Role.USER, _A_USER, 1)
        for _ in range(2):
            moved = await move(build, actor, [TaskRow(id=_A_USER), TaskRow(id=actor.user_id)])
            assert [type(each) for each in moved] == [Unavailable, Unavailable]
        await database.close()

    async def test_waiting_has_a_limit(self, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch):
        """A change that has not begun is refused and not made; started ones continue."""
        monkeypatch.setattr(group_commit, "TIMEOUT_SECONDS", 0.1)
        build = Builders(Database(new_database(), pool_size=4))
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        async with nothing_recorded(build):
            first, *others = (asyncio.create_task(move(build, actor, [task], to)) for to in (DONE, TODO, IN_PROGRESS))
            async with asyncio.timeout(HANG_SECONDS):
                refused = [type(each) for moved in others for each in await moved]
            assert not first.done()
            monkeypatch.undo()
            later = asyncio.create_task(move(build, actor, [task], TODO))
            while not build.database._group_commit._pending:
                await asyncio.sleep(0)

        assert refused == [Unavailable, Unavailable]
        assert [row.version for row in (*await first, *await later)] == [2, 3]
        await build.database.close()

    async def test_close_waits_for_changes(self, new_database: Callable[[], str]):
        """For running and for waiting ones."""
        database = Database(new_database(), pool_size=2)
        build = Builders(database)
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)
        moves = [asyncio.create_task(move(build, actor, [task], to)) for to in (DONE, TODO)]
        while not database._group_commit._batches:
            await asyncio.sleep(0)
        await database.close()

        assert not database._group_commit._batches
        assert [row.version for moved in moves for row in await moved] == [2, 3]


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
            story = [event for event in events if event.task_id == task.id]
            stored = await build.task(task.id)
            assert [event.version for event in story] == list(range(2, len(story) + 2))
            assert [event.from_status for event in story] == [TODO, *(event.to_status for event in story)][: len(story)]
            assert (stored is None) == bool(story and story[-1].deleted)
            if stored is not None:
                assert (stored.version, stored.status) == (len(story) + 1, story[-1].to_status if story else TODO)

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
    """Mostly a status change, if possible."""
    with suppress(Refusal):
        match chance.randrange(20):
            case 0:
                await delete_task(uow, task_id=task_id)
            case 1 | 2:
                assignee_id = chance.choice([uow.actor.user_id, None])
                await assign_task(uow, task_id=task_id, assignee_id=assignee_id)
            case 3 | 4 | 5:
                await update_task(uow, task_id=task_id, edit=TaskEdit(title=f"Title {chance.random()}"))
            case _:
                await update_task_status(uow, task_id=task_id, status=chance.choice(list(TaskStatus)))


async def _outcome(asked: Any) -> Any:
    try:
        row = await asked
    except Refusal as refusal:
        return refusal.code, refusal.message
    return row.status, row.version, row.completed_at is not None
