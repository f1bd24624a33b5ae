"""Another process changes rows after a batch has read them, and before it writes."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from domain.actor import OPERATOR
from domain.errors import Conflict, Invalid, NotFound
from domain.idempotency import IdempotencyKey
from persistence import group_commit
from persistence.row_locks import read_statements
from persistence.write_set import send
from services.task import assign_task, update_task_status
from services.task_creation import create_task
from services.user import set_user_active
from tests.persistence.task_writes import DONE, TODO, delete, edit, finish, tasks_of
from tests.support.builders import Builders
from tests.support.transactions import orm_session


class TestChangedMeanwhile:
    async def write(
        self, build: Builders, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Awaitable[Any]], *writes: Any
    ) -> list[Any]:
        """Write in one batch, which waits for *meanwhile* once before its statement."""
        remaining = [meanwhile]

        async def late(*arguments: Any) -> None:
            if remaining:
                await remaining.pop()()
            await send(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(group_commit, "send", late)
            return await asyncio.gather(*writes, return_exceptions=True)

    async def test_the_rules_are_applied_again(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """To the row as it is now; no change is lost, and other members of the batch are written."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 2)

        async def meanwhile() -> None:
            async with build.as_(actor, key=IdempotencyKey("in a transaction of its own")) as uow:
                await uow.write(partial(uow.revise, title="Meanwhile"), uow.tasks.lock_of(tasks[0].id))

        ends = await self.write(
            build, monkeypatch, meanwhile, finish(build.as_(actor), tasks[0]), finish(build.as_(actor), tasks[1])
        )
        assert [(row.title, row.version, row.status) for row in ends] == [
            ("Meanwhile", 3, DONE),
            (tasks[1].title, 2, DONE),
        ]

    async def test_the_expected_version_is_compared_again(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """The write that is late is a conflict."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 2)

        async def meanwhile() -> None:
            await edit(build.as_(actor, key=IdempotencyKey("own transaction")), tasks[0])

        writes = [
            update_task_status(build.as_(actor), task_id=task.id, status=DONE, expected_version=1) for task in tasks
        ]
        late, other = await self.write(build, monkeypatch, meanwhile, *writes)
        assert isinstance(late, Conflict)
        assert (other.version, other.status) == (2, DONE)
        assert await build.status_of(tasks[0]) == TODO

    async def test_a_deleted_task(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """Its change is refused, and records no event."""
        actor = await build.an_actor()
        tasks = await tasks_of(build, actor, 2)

        async def meanwhile() -> None:
            await delete(build.as_(actor, key=IdempotencyKey("own transaction")), tasks[0])

        gone, other = await self.write(
            build, monkeypatch, meanwhile, edit(build.as_(actor), tasks[0]), edit(build.as_(actor), tasks[1])
        )
        assert isinstance(gone, NotFound)
        assert other.version == 2
        assert len(await build.recorded_events()) == 2

    @pytest.mark.parametrize("write", [assign_task, create_task])
    async def test_a_disabled_assignee(self, build: Builders, monkeypatch: pytest.MonkeyPatch, write: Any):
        """Rows that a decision only reads are checked, too."""
        actor, friend = await build.an_actor(), await build.a_user()
        (task,) = await tasks_of(build, actor, 1)

        async def meanwhile() -> None:
            await set_user_active(build.as_(OPERATOR), user_id=friend.id, is_active=False)

        named = {"title": "Assigned"} if write is create_task else {"task_id": task.id}
        [refused] = await self.write(
            build, monkeypatch, meanwhile, write(build.as_(actor), assignee_id=friend.id, **named)
        )
        assert isinstance(refused, Invalid)
        stored = await build.task(task.id)
        assert stored is not None
        assert stored.assignee_id is None

    async def test_nothing_is_locked_between_read_and_write(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """A process that stops there delays nobody."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)

        async def meanwhile() -> None:
            async with orm_session(build.database) as session:
                await session.execute(text("SELECT FROM tasks FOR UPDATE NOWAIT"))
                await session.execute(text("LOCK TABLE events IN ACCESS EXCLUSIVE MODE NOWAIT"))

        [row] = await self.write(build, monkeypatch, meanwhile, edit(build.as_(actor), task))
        assert row.version == 2

    async def test_the_version_changes_with_every_update(self, build: Builders):
        """Also if no value differs; a lock alone is no change."""
        actor = await build.an_actor()
        (task,) = await tasks_of(build, actor, 1)

        async def version() -> int:
            async with build.as_(actor) as uow:
                [statement] = read_statements([uow.tasks.lock_of(task.id)])
                [(_, _, version)] = statement.rows(await uow.transaction.fetch(statement.text, statement.ids))
                return version

        first = await version()
        async with orm_session(build.database) as session:
            await session.execute(text("SELECT FROM tasks FOR UPDATE"))
            await session.commit()
        assert await version() == first
        async with orm_session(build.database) as session:
            await session.execute(text("UPDATE tasks SET title = title"))
            await session.commit()
        assert await version() != first
