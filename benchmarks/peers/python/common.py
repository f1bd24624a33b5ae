"""Shared by the Python peers: tables, statements, tokens, and the published status changes."""

import asyncio
import base64
import enum
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import jwt
from redis.asyncio import Redis
from sqlalchemy import (
    DateTime,
    Enum,
    FetchedValue,
    ForeignKey,
    Select,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

SECRET: Final = os.environ["JWT_SECRET"]
CHANNEL: Final = os.environ["CHANNEL"]

engine: Final = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:"), pool_size=10, max_overflow=0
)
session: Final = async_sessionmaker(engine, expire_on_commit=False)


class Status(enum.Enum):
    """The statuses, with their values in the database."""

    TODO = "todo"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class Base(DeclarativeBase):
    """The mapped tables."""


class UserRow(Base):
    """A user."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str]
    role: Mapped[str]


class TaskRow(Base):
    """A task."""

    __tablename__ = "tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=FetchedValue())
    title: Mapped[str]
    description: Mapped[str]
    status: Mapped[Status] = mapped_column(
        Enum(Status, name="task_status", values_callable=lambda kind: [member.value for member in kind]),
        server_default=FetchedValue(),
    )
    priority: Mapped[int]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=FetchedValue())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=FetchedValue())
    owner: Mapped[UserRow] = relationship(foreign_keys=[owner_id], lazy="raise")
    assignee: Mapped[UserRow | None] = relationship(foreign_keys=[assignee_id], lazy="raise")


def subject_of(authorization: str | None) -> str:
    """The id of the user whose bearer token this is.

    Raises:
        PermissionError: the token is missing or invalid.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme != "Bearer":
        raise PermissionError("missing token")
    try:
        return str(jwt.decode(token, SECRET, algorithms=["HS256"])["sub"])
    except jwt.PyJWTError as error:
        raise PermissionError("bad token") from error


def cursor_of(task: TaskRow) -> str:
    """The position of a task in the list."""
    return base64.b64encode(f"{task.created_at.isoformat()}|{task.id}".encode()).decode()


def page_of_tasks(first: int, after: str | None, status: Status | None, search: str | None) -> Select[TaskRow]:
    """One row more than requested, which shows whether there is a next page."""
    statement = select(TaskRow).order_by(TaskRow.created_at.desc(), TaskRow.id.desc()).limit(first + 1)
    if status is not None:
        statement = statement.where(TaskRow.status == status)
    if search is not None:
        found = (text.icontains(search, autoescape=True) for text in (TaskRow.title, TaskRow.description))
        statement = statement.where(or_(*found))
    if after is not None:
        instant, _, identity = base64.b64decode(after).decode().partition("|")
        place = tuple_(datetime.fromisoformat(instant), UUID(identity))
        statement = statement.where(tuple_(TaskRow.created_at, TaskRow.id) < place)
    return statement


async def find_users(ids: Sequence[UUID]) -> list[UserRow | None]:
    """Users in the order of their ids."""
    async with session() as unit:
        found = {row.id: row for row in await unit.scalars(select(UserRow).where(UserRow.id.in_(ids)))}
    return [found.get(identity) for identity in ids]


async def change_task(unit: AsyncSession, identity: UUID, **values: Any) -> TaskRow:
    """Change some columns and commit."""
    now = func.date_trunc("milliseconds", func.now())
    changed = update(TaskRow).where(TaskRow.id == identity).values(**values, updated_at=now).returning(TaskRow)
    task = (await unit.scalars(changed)).one()
    await unit.commit()
    return task


async def create_task(unit: AsyncSession, **values: Any) -> TaskRow:
    """Insert a task and commit."""
    task = (await unit.scalars(insert(TaskRow).values(**values).returning(TaskRow))).one()
    await unit.commit()
    return task


async def delete_task(unit: AsyncSession, identity: UUID) -> UUID:
    """Delete a task and commit."""
    deleted = (await unit.scalars(delete(TaskRow).where(TaskRow.id == identity).returning(TaskRow.id))).one()
    await unit.commit()
    return deleted


class Feed:
    """The Redis subscription of the process, and its messages."""

    def __init__(self) -> None:
        self._redis = Redis.from_url(os.environ["REDIS_URL"])
        self._queues: set[asyncio.Queue[dict[str, Any]]] = set()

    async def deliver(self, task: TaskRow) -> None:
        """Publish a change of status."""
        event = {
            "id": str(task.id),
            "title": task.title,
            "status": task.status.name,
            "priority": task.priority,
            "updatedAt": task.updated_at.isoformat(),
        }
        await self._redis.publish(CHANNEL, json.dumps(event))

    async def run(self, also: Callable[[dict[str, Any]], Awaitable[None]] | None = None) -> None:
        """Pass messages to all subscribers."""
        listener = self._redis.pubsub(ignore_subscribe_messages=True)
        await listener.subscribe(CHANNEL)
        async for message in listener.listen():
            event = json.loads(message["data"])
            if also is not None:
                await also(event)
            for queue in self._queues:
                queue.put_nowait(event)

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """The messages from now on."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)
