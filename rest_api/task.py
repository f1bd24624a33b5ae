"""Tasks: asked for and changed."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from asgi.response import HTTPResponse
from domain.errors import NotFound
from domain.task import MAX_DESCRIPTION, MAX_TITLE, TaskStatus, check_description, check_title
from persistence.models import TaskRow
from persistence.queries import task as reads
from rest_api.errors import INSUFFICIENT
from rest_api.etags import etag, expected_versions, known_tag
from rest_api.operation import Call, NoParams, Operation, Problem, Refused, Reply
from rest_api.responses import nothing, one
from rest_api.task_json import READ, dumped, written
from rest_api.validators import TEXT, rule
from services import task as task_service
from services.task_edit import TaskEdit
from services.unset import UNSET, UnsetType

T = TypeVar("T")

PATH: Final = "/tasks/{task_id}"
MOST: Final = 100

_WORDS: Final = "^([Tt]([Rr][Uu][Ee])?|[Ff]([Aa][Ll][Ss][Ee])?|[Yy]([Ee][Ss])?|[Nn][Oo]?|[Oo][Nn]|[Oo][Ff][Ff]|0|1)$"

Title = Annotated[str, rule(check_title)]
Description = Annotated[str, rule(check_description)]
Completed = Annotated[
    bool | None,
    WithJsonSchema(
        {
            "anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, {"type": "string", "pattern": _WORDS}, {"type": "null"}],
            "default": None,
            "examples": [True],
        }
    ),
]
_TITLE_SCHEMA: Final[dict[str, Any]] = {"minLength": 1, "maxLength": MAX_TITLE, "pattern": r"^[^\u0000]*\S[^\u0000]*$"}
_DESCRIPTION_SCHEMA: Final[dict[str, Any]] = {"maxLength": MAX_DESCRIPTION, "pattern": TEXT}


class OneTask(BaseModel):
    """Which task."""

    task_id: UUID = Field(description="Which task.")


class Slice(BaseModel):
    """Which part of the list."""

    skip: int = Field(0, ge=0, description="How many to leave out, from the oldest on.")
    limit: int = Field(10, ge=0, description=f"How many to list; over {MOST} counts as {MOST}.")


class TaskCreate(BaseModel):
    """A new task."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Water the plants", "description": "The fern, too"}]}
    )

    title: Title = Field(description="What is to be done.", json_schema_extra=_TITLE_SCHEMA)
    description: Description | None = Field(
        None, description="More about it; null counts as empty.", json_schema_extra=_DESCRIPTION_SCHEMA
    )


class TaskUpdate(BaseModel):
    """What to change; what is absent or null stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Water all plants", "completed": True}]})

    title: Title | None = Field(None, description="What is to be done.", json_schema_extra=_TITLE_SCHEMA)
    description: Description | None = Field(None, description="More about it.", json_schema_extra=_DESCRIPTION_SCHEMA)
    completed: Completed = Field(
        None, description="True moves the task to DONE; false moves a DONE task back to TODO, and no other."
    )


class Task(BaseModel):
    """A task."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "uuid": "0199e2a5-1f3b-7d48-8c0e-6a9b4e2d7f31",
                    "title": "Water the plants",
                    "description": "The fern, too",
                    "completed": False,
                    "created_at": "2026-11-23T09:15:02.113824Z",
                    "owner_uuid": "0199e2a4-7c1e-7b52-9f3a-5d1c2b7e8f60",
                    "status": "TODO",
                    "priority": "MEDIUM",
                    "due_at": None,
                    "assignee_uuid": None,
                    "updated_at": "2026-11-23T09:15:02.113824Z",
                    "version": 1,
                }
            ]
        }
    )

    uuid: UUID = Field(description="Which task.")
    title: str = Field(description="What is to be done.")
    description: str = Field(description="More about it.")
    completed: bool = Field(description="Whether its status is DONE.")
    created_at: datetime = Field(description="When it was created.")
    owner_uuid: UUID = Field(description="Whose task it is.")
    status: TaskStatus = Field(description="Its column on the board.")
    priority: Literal["LOW", "MEDIUM", "HIGH", "URGENT"] = Field(description="How urgent it is.")
    due_at: datetime | None = Field(description="When it should be done.")
    assignee_uuid: UUID | None = Field(description="Who is to do it.")
    updated_at: datetime = Field(description="When it was last changed.")
    version: int = Field(description="Grows with every change; the ETag is made of it.")

    @classmethod
    def of(cls, row: TaskRow) -> Self:
        """The row as clients see it."""
        return cls(
            uuid=row.id,
            title=row.title,
            description=row.description,
            completed=row.status is TaskStatus.DONE,
            created_at=row.created_at,
            owner_uuid=row.owner_id,
            status=row.status,
            priority=row.priority.name,
            due_at=row.due_at,
            assignee_uuid=row.assignee_id,
            updated_at=row.updated_at,
            version=row.version,
        )


async def list_tasks(call: Call[Slice, None]) -> HTTPResponse:
    """One read."""
    wanted = call.params
    asked = reads.task_slice(call.actor, skip=wanted.skip, limit=min(wanted.limit, MOST))
    async with call.reading() as reading:
        rows = await reading.rows(READ, asked.rows, asked.values)
    return HTTPResponse(200, dumped([written(row) for row in rows]))


async def create_task(call: Call[NoParams, TaskCreate]) -> HTTPResponse:
    """One service call."""
    row = await task_service.create_task(call.once(), title=call.body.title, description=call.body.description or "")
    return _task(row, (b"location", f"/api/v1/tasks/{row.id}".encode()), status=201)


async def get_task(call: Call[OneTask, None]) -> HTTPResponse:
    """One read."""
    asked = reads.task(call.actor, call.params.task_id)
    async with call.reading() as reading:
        rows = await reading.rows(READ, asked.rows, asked.values)
    if not rows:
        raise NotFound("Task not found", path=("id",))
    found = written(rows[0])
    known = known_tag(call.facts.headers, found["version"])
    if known is not None:
        return HTTPResponse(304, headers=[(b"etag", known)])
    return HTTPResponse(200, dumped(found), headers=[(b"etag", etag(found["version"]))])


async def update_task(call: Call[OneTask, TaskUpdate]) -> HTTPResponse:
    """One service call: several fields are one version and one event."""
    edit = call.body
    row = await task_service.update_task(
        call.once(),
        task_id=call.params.task_id,
        edit=TaskEdit(title=_given(edit.title), description=_given(edit.description), completed=_given(edit.completed)),
        expected_version=expected_versions(call.facts.headers),
    )
    return _task(row)


async def delete_task(call: Call[OneTask, None]) -> HTTPResponse:
    """One service call."""
    await task_service.delete_task(
        call.once(), task_id=call.params.task_id, expected_version=expected_versions(call.facts.headers)
    )
    return nothing()


def _task(row: TaskRow, *headers: tuple[bytes, bytes], status: int = 200) -> HTTPResponse:
    return one(Task.of(row), (b"etag", etag(row.version)), *headers, status=status)


def _given(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


_NOT_FOUND: Final = Refused(404, "There is none, or you may not see it", "Task not found")
_FORBIDDEN: Final = Refused(403, "You may see it, but not do this", INSUFFICIENT)
_GONE_SINCE: Final = Refused(
    404,
    "It was created under this key before, and is not there any more",
    "This was done already; since then the task was deleted, or you may not see it any more.",
)
OPERATIONS: Final = (
    Operation(
        name="list_tasks",
        methods=("GET",),
        path="/tasks/",
        tag="tasks",
        summary="List tasks",
        text="Those that you may see, the oldest first.",
        handler=list_tasks,
        params=Slice,
        reply=Reply(200, "Tasks.", Task, many=True),
        problem=Problem("skip", "Input should be greater than or equal to 0"),
    ),
    Operation(
        name="create_task",
        methods=("POST",),
        path="/tasks/",
        tag="tasks",
        summary="Create a task",
        handler=create_task,
        body=TaskCreate,
        headers=("Idempotency-Key",),
        reply=Reply(201, "The new task, which is yours.", Task, headers=("ETag", "Location")),
        refused=(_GONE_SINCE,),
        problem=Problem("title", "Field required"),
    ),
    Operation(
        name="get_task",
        methods=("GET",),
        path=PATH,
        tag="tasks",
        summary="Get a task",
        handler=get_task,
        params=OneTask,
        headers=("If-None-Match",),
        reply=Reply(200, "The task.", Task, headers=("ETag",)),
        refused=(_NOT_FOUND,),
        problem=Problem("task_id", "Input should be a valid UUID"),
    ),
    Operation(
        name="update_task",
        methods=("PUT", "PATCH"),
        path=PATH,
        tag="tasks",
        summary="Change a task",
        text="Several fields are one change: one version, one event.",
        handler=update_task,
        params=OneTask,
        body=TaskUpdate,
        headers=("If-Match", "Idempotency-Key"),
        reply=Reply(200, "The task as it is now.", Task, headers=("ETag",)),
        refused=(
            _FORBIDDEN,
            _NOT_FOUND,
            Refused(
                409,
                "The board has no such move",
                "A task cannot go from CANCELLED to DONE; from here it can go to TODO.",
            ),
        ),
        problem=Problem("title", "title must not be empty."),
    ),
    Operation(
        name="delete_task",
        methods=("DELETE",),
        path=PATH,
        tag="tasks",
        summary="Delete a task for good",
        handler=delete_task,
        params=OneTask,
        headers=("If-Match", "Idempotency-Key"),
        reply=Reply(204, "It is gone."),
        refused=(_FORBIDDEN, _NOT_FOUND),
        problem=Problem("task_id", "Input should be a valid UUID"),
    ),
)
