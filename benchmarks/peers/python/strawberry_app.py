"""Strawberry as in its documentation, with its two caches if `CACHES` is set."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

from benchmarks.peers.python import common

TaskStatus = strawberry.enum(common.Status, name="TaskStatus")  # not a type for mypy, which explains the ignores below
feed: Final = common.Feed()


@strawberry.type
class User:
    id: strawberry.ID
    username: str
    role: str

    @classmethod
    def of(cls, row: common.UserRow) -> "User":
        return cls(id=strawberry.ID(str(row.id)), username=row.username, role=row.role)


@strawberry.type
class Task:
    id: strawberry.ID
    title: str
    description: str
    status: TaskStatus  # type: ignore[valid-type]  # made by a call
    priority: int
    created_at: datetime
    updated_at: datetime
    owner_id: strawberry.Private[UUID]
    assignee_id: strawberry.Private[UUID | None]

    @strawberry.field
    async def owner(self, info: strawberry.Info) -> User:
        return User.of(await info.context["users"].load(self.owner_id))

    @strawberry.field
    async def assignee(self, info: strawberry.Info) -> User | None:
        if self.assignee_id is None:
            return None
        return User.of(await info.context["users"].load(self.assignee_id))

    @classmethod
    def of(cls, row: common.TaskRow) -> "Task":
        return cls(
            id=strawberry.ID(str(row.id)),
            title=row.title,
            description=row.description,
            status=row.status,
            priority=row.priority,
            created_at=row.created_at,
            updated_at=row.updated_at,
            owner_id=row.owner_id,
            assignee_id=row.assignee_id,
        )


@strawberry.type
class TaskEvent:
    id: strawberry.ID
    title: str
    status: TaskStatus  # type: ignore[valid-type]  # made by a call
    priority: int
    updated_at: datetime


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class TaskEdge:
    cursor: str
    node: Task


@strawberry.type
class TaskConnection:
    edges: list[TaskEdge]
    page_info: PageInfo


@strawberry.type
class Query:
    @strawberry.field
    async def task(self, id: strawberry.ID) -> Task | None:
        async with common.session() as unit:
            row = await unit.get(common.TaskRow, UUID(id))
        return Task.of(row) if row else None

    @strawberry.field
    async def tasks(
        self,
        first: int = 20,
        after: str | None = None,
        status: TaskStatus | None = None,  # type: ignore[valid-type]  # made by a call
        search: str | None = None,
    ) -> TaskConnection:
        async with common.session() as unit:
            rows = (await unit.scalars(common.page_of_tasks(first, after, status, search))).all()
        edges = [TaskEdge(cursor=common.cursor_of(row), node=Task.of(row)) for row in rows[:first]]
        info = PageInfo(
            has_next_page=len(rows) > first,
            has_previous_page=after is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )
        return TaskConnection(edges=edges, page_info=info)


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def update_task_status(self, id: strawberry.ID, status: TaskStatus) -> Task:  # type: ignore[valid-type]  # made by a call
        async with common.session() as unit:
            row = await common.change_task(unit, UUID(id), status=status)
        await feed.deliver(row)
        return Task.of(row)

    @strawberry.mutation
    async def update_task(self, id: strawberry.ID, title: str) -> Task:
        async with common.session() as unit:
            return Task.of(await common.change_task(unit, UUID(id), title=title))

    @strawberry.mutation
    async def assign_task(self, id: strawberry.ID, assignee_id: strawberry.ID) -> Task:
        async with common.session() as unit:
            return Task.of(await common.change_task(unit, UUID(id), assignee_id=UUID(assignee_id)))

    @strawberry.mutation
    async def create_task(self, info: strawberry.Info, title: str, description: str, priority: int) -> Task:
        owner = UUID(info.context["subject"])
        async with common.session() as unit:
            row = await common.create_task(
                unit, title=title, description=description, priority=priority, owner_id=owner
            )
        return Task.of(row)

    @strawberry.mutation
    async def delete_task(self, id: strawberry.ID) -> strawberry.ID:
        async with common.session() as unit:
            return strawberry.ID(str(await common.delete_task(unit, UUID(id))))


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def task_status_changed(self) -> AsyncGenerator[TaskEvent, None]:
        async for event in feed.events():
            yield TaskEvent(
                id=event["id"],
                title=event["title"],
                status=common.Status[event["status"]],
                priority=event["priority"],
                updated_at=datetime.fromisoformat(event["updatedAt"]),
            )


class Endpoint(GraphQL[Any, None]):
    async def get_context(self, request: Any, response: Any = None) -> Any:
        subject = None
        if request.scope["type"] == "http":
            try:
                subject = common.subject_of(request.headers.get("authorization"))
            except PermissionError as error:
                raise HTTPException(401, str(error)) from error
        return {"request": request, "subject": subject, "users": DataLoader(load_fn=cast("Any", common.find_users))}

    async def on_ws_connect(self, context: Any) -> Any:
        common.subject_of((context.get("connection_params") or {}).get("authorization"))
        return await super().on_ws_connect(context)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    running = asyncio.create_task(feed.run())
    yield
    running.cancel()


CACHES: Final[list[type[SchemaExtension]]] = [ParserCache, ValidationCache]
endpoint = Endpoint(
    strawberry.Schema(Query, Mutation, Subscription, extensions=CACHES if os.environ.get("CACHES") else [])
)
app = Starlette(routes=[Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)], lifespan=lifespan)
