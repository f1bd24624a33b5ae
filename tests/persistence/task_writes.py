"""Writes of tasks, and what tests of group commits observe of them."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from domain.actor import OPERATOR, Actor
from domain.errors import Refusal
from domain.idempotency import IdempotencyKey
from domain.task import TaskStatus
from domain.user import Role
from persistence.models import TaskRow, UserRow, VisibleTaskRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.transaction import Transaction
from persistence.unit_of_work import UnitOfWork
from services.task import assign_task, delete_task, update_task, update_task_status
from services.task_creation import create_task
from services.task_edit import TaskEdit
from tests.support.builders import Builders
from tests.support.transactions import orm_session
from tests.support.waiting import HANG_SECONDS

DONE, TODO, IN_PROGRESS = TaskStatus.DONE, TaskStatus.TODO, TaskStatus.IN_PROGRESS
A_USER = UUID(int=7)
Write = Callable[[UnitOfWork, TaskRow], Coroutine[Any, Any, Any]]
"""A write of a task."""


async def create(uow: UnitOfWork, task: TaskRow) -> VisibleTaskRow:
    """Create another task."""
    return await create_task(uow, title=f"After {task.title}")


async def create_assigned(uow: UnitOfWork, task: TaskRow) -> VisibleTaskRow:
    """Create another task with an assignee, whose row is locked."""
    return await create_task(uow, title=f"After {task.title}", assignee_id=task.owner_id)


async def edit(uow: UnitOfWork, task: TaskRow) -> VisibleTaskRow:
    """Change the title."""
    return await update_task(uow, task_id=task.id, edit=TaskEdit(title=f"Not {task.title}"))


async def assign(uow: UnitOfWork, task: TaskRow) -> VisibleTaskRow:
    """Assign the task to its owner."""
    return await assign_task(uow, task_id=task.id, assignee_id=task.owner_id)


async def delete(uow: UnitOfWork, task: TaskRow) -> UUID:
    """Delete the task."""
    return await delete_task(uow, task_id=task.id)


async def finish(uow: UnitOfWork, task: TaskRow) -> VisibleTaskRow:
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


async def outcome_of(asked: Any) -> Any:
    try:
        row = await asked
    except Refusal as refusal:
        return refusal.code, refusal.message
    return row.status, row.version, row.completed_at is not None


_COLUMNS = ("title", "description", "status", "priority", "owner_id", "version", "created_at", "updated_at")


async def add_user(build: Builders, name: str) -> None:
    async with build.as_(OPERATOR) as uow:
        values = {"username": name, "email": f"{uuid4()}@example.org", "password_hash": "!", "role": Role.USER}
        uow.users.add(
            new_row(
                UserRow, **values, id=new_id(), is_active=True, access_version=1, created_at=uow.now, updated_at=uow.now
            )
        )
        await uow.commit()


async def end_backend(build: Builders, transaction: Transaction) -> None:
    """Have the server end the connection of a transaction, and wait until it has."""
    if transaction._connection is not None:
        async with build.database.connect() as other:
            pid = transaction._connection.get_server_pid()
            await other.execute(text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": pid})
