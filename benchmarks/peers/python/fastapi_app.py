"""A REST interface with FastAPI as in its documentation: response models, dependencies, a list of sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from benchmarks.peers.python import common

Instant = Annotated[datetime, PlainSerializer(lambda instant: instant.isoformat(), return_type=str)]
StatusName = Annotated[common.Status, PlainSerializer(lambda status: status.name, return_type=str)]
PEOPLE: Final = (selectinload(common.TaskRow.owner), selectinload(common.TaskRow.assignee))


class Model(BaseModel):
    model_config = ConfigDict(from_attributes=True, alias_generator=to_camel, populate_by_name=True)


class User(Model):
    id: UUID
    username: str


class ListedTask(Model):
    id: UUID
    title: str
    status: StatusName
    priority: int
    created_at: Instant
    updated_at: Instant
    owner: User
    assignee: User | None


class PlainTask(Model):
    id: UUID
    title: str
    description: str
    status: StatusName
    priority: int
    created_at: Instant
    updated_at: Instant


class WholeTask(PlainTask):
    owner: User
    assignee: User | None


class AssignedTask(PlainTask):
    assignee: User | None


class Edge(Model):
    cursor: str
    node: ListedTask


class PageInfo(Model):
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


class Page(Model):
    edges: list[Edge]
    page_info: PageInfo


class Move(BaseModel):
    status: str


class Edit(BaseModel):
    title: str


class Assignment(BaseModel):
    assignee_id: UUID

    model_config = ConfigDict(alias_generator=to_camel)


class NewTask(BaseModel):
    title: str
    description: str
    priority: int


class Deleted(BaseModel):
    id: UUID


class Sockets:
    """The subscribers; each message is sent to one after another."""

    def __init__(self) -> None:
        self.open: dict[int, WebSocket] = {}

    async def deliver(self, event: dict[str, Any]) -> None:
        for number, socket in list(self.open.items()):
            try:
                await socket.send_json(event)
            except (RuntimeError, WebSocketDisconnect):
                self.open.pop(number, None)


sockets: Final = Sockets()
feed: Final = common.Feed()


async def unit_of_work() -> AsyncIterator[AsyncSession]:
    async with common.session() as unit:
        yield unit


async def signed_in(authorization: Annotated[str | None, Header()] = None) -> str:
    try:
        return common.subject_of(authorization)
    except PermissionError as error:
        raise HTTPException(401, str(error)) from error


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    running = asyncio.create_task(feed.run(sockets.deliver))
    yield
    running.cancel()


Unit = Annotated[AsyncSession, Depends(unit_of_work)]
SignedIn = Annotated[str, Depends(signed_in)]
app = FastAPI(lifespan=lifespan)


@app.get("/tasks/{identity}", response_model=WholeTask)
async def get_task(identity: UUID, unit: Unit, subject: SignedIn) -> Any:
    task = await unit.get(common.TaskRow, identity, options=PEOPLE)
    if task is None:
        raise HTTPException(404)
    return task


@app.get("/tasks", response_model=Page)
async def list_tasks(
    unit: Unit,
    subject: SignedIn,
    status: str | None = None,
    first: int = 20,
    after: str | None = None,
    search: str | None = None,
) -> Any:
    statement = common.page_of_tasks(first, after, common.Status[status] if status else None, search)
    rows = (await unit.scalars(statement.options(*PEOPLE))).all()
    edges = [{"cursor": common.cursor_of(row), "node": row} for row in rows[:first]]
    info = {
        "has_next_page": len(rows) > first,
        "has_previous_page": after is not None,
        "start_cursor": edges[0]["cursor"] if edges else None,
        "end_cursor": edges[-1]["cursor"] if edges else None,
    }
    return {"edges": edges, "page_info": info}


@app.patch("/tasks/{identity}/status", response_model=PlainTask)
async def move_task(identity: UUID, move: Move, unit: Unit, subject: SignedIn) -> Any:
    task = await common.change_task(unit, identity, status=common.Status[move.status])
    await feed.deliver(task)
    return task


@app.patch("/tasks/{identity}", response_model=PlainTask)
async def edit_task(identity: UUID, edit: Edit, unit: Unit, subject: SignedIn) -> Any:
    return await common.change_task(unit, identity, title=edit.title)


@app.put("/tasks/{identity}/assignee", response_model=AssignedTask)
async def assign_task(identity: UUID, assignment: Assignment, unit: Unit, subject: SignedIn) -> Any:
    task = await common.change_task(unit, identity, assignee_id=assignment.assignee_id)
    await unit.refresh(task, ["assignee"])
    return task


@app.post("/tasks", response_model=PlainTask)
async def create_task(task: NewTask, unit: Unit, subject: SignedIn) -> Any:
    return await common.create_task(unit, **task.model_dump(), owner_id=UUID(subject))


@app.delete("/tasks/{identity}", response_model=Deleted)
async def delete_task(identity: UUID, unit: Unit, subject: SignedIn) -> Any:
    return {"id": await common.delete_task(unit, identity)}


@app.get("/ping")
async def ping(subject: SignedIn) -> Any:
    return {"data": {"__typename": "Query"}}


@app.websocket("/ws/tasks")
async def listen(socket: WebSocket, token: str) -> None:
    common.subject_of(f"Bearer {token}")
    await socket.accept()
    sockets.open[id(socket)] = socket
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        sockets.open.pop(id(socket), None)
