"""Operations on tasks."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from asgi.response import HTTPResponse
from domain.errors import NotFound
from domain.task import MAX_DESCRIPTION, MAX_TITLE, TaskStatus, check_description, check_title
from graphql_api.auth.access_rules import TASKS_READ, TASKS_WRITE
from persistence.models import VisibleTaskRow
from persistence.queries import task as reads
from rest_api.errors import INSUFFICIENT
from rest_api.etags import etag, expected_versions, known_tag
from rest_api.operation import Call, ErrorResponse, NoParams, Problem, RestOperation, SuccessResponse
from rest_api.responses import nothing
from rest_api.task_json import TASK_SHAPE, row_fields, task_fields, to_json
from rest_api.validators import TEXT, rule
from services import task as task_service
from services import task_creation
from services.task_edit import TaskEdit
from services.unset import UNSET, UnsetType

T = TypeVar("T")

PATH: Final = "/tasks/{task_id}"
MAX_LIMIT: Final = 100

_BOOLEAN_PATTERN: Final = (
    "^([Tt]([Rr][Uu][Ee])?|[Ff]([Aa][Ll][Ss][Ee])?|[Yy]([Ee][Ss])?|[Nn][Oo]?|[Oo][Nn]|[Oo][Ff][Ff]|0|1)$"
)

Title = Annotated[str, rule(check_title)]
Description = Annotated[str, rule(check_description)]
Completed = Annotated[
    bool | None,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "boolean"},
                {"enum": [0, 1]},
                {"type": "string", "pattern": _BOOLEAN_PATTERN},
                {"type": "null"},
            ],
            "default": None,
            "examples": [True],
        }
    ),
]
_TITLE_SCHEMA: Final[dict[str, Any]] = {"minLength": 1, "maxLength": MAX_TITLE, "pattern": r"^[^\u0000]*\S[^\u0000]*$"}
_DESCRIPTION_SCHEMA: Final[dict[str, Any]] = {"maxLength": MAX_DESCRIPTION, "pattern": TEXT}


class OneTask(BaseModel):
    """The parameter of operations on one task."""

    task_id: UUID = Field(description="The id of the task.")


class Slice(BaseModel):
    """The part of the list to return."""

    skip: int = Field(0, ge=0, description="The number of tasks to skip, from the oldest on.")
    limit: int = Field(10, ge=0, description=f"The number of tasks to return; over {MAX_LIMIT} counts as {MAX_LIMIT}.")


class TaskCreate(BaseModel):
    """A new task."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Water the plants", "description": "The fern, too"}]}
    )

    title: Title = Field(description="The title.", json_schema_extra=_TITLE_SCHEMA)
    description: Description | None = Field(
        None, description="The description; null means empty.", json_schema_extra=_DESCRIPTION_SCHEMA
    )


class TaskUpdate(BaseModel):
    """The fields to change; a field that is absent or null stays unchanged."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Water all plants", "completed": True}]})

    title: Title | None = Field(None, description="The title.", json_schema_extra=_TITLE_SCHEMA)
    description: Description | None = Field(None, description="The description.", json_schema_extra=_DESCRIPTION_SCHEMA)
    completed: Completed = Field(
        None,
        description="True moves the task to DONE; false moves a DONE task back to TODO and changes no other task.",
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

    uuid: UUID = Field(description="The id of the task.")
    title: str = Field(description="The title.")
    description: str = Field(description="The description.")
    completed: bool = Field(description="Whether the status is DONE.")
    created_at: datetime = Field(description="When the task was created.")
    owner_uuid: UUID = Field(description="The user who owns the task.")
    status: TaskStatus = Field(description="The status: the column on the board.")
    priority: Literal["LOW", "MEDIUM", "HIGH", "URGENT"] = Field(description="The priority.")
    due_at: datetime | None = Field(description="When the task is due.")
    assignee_uuid: UUID | None = Field(description="The user to whom the task is assigned.")
    updated_at: datetime = Field(description="When the task was last changed.")
    version: int = Field(description="Increases with every change. It is also the ETag.")


async def list_tasks(call: Call[Slice, None]) -> HTTPResponse:
    """List the tasks that the user may see."""
    params = call.params
    query = reads.task_slice(call.actor, skip=params.skip, limit=min(params.limit, MAX_LIMIT))
    async with call.reading() as reading:
        rows = await reading.rows(TASK_SHAPE, query.rows, query.values)
    return HTTPResponse(200, to_json([task_fields(row) for row in rows]))


async def create_task(call: Call[NoParams, TaskCreate]) -> HTTPResponse:
    """Create a task."""
    row = await task_creation.create_task(
        call.idempotent_unit_of_work(), title=call.body.title, description=call.body.description or ""
    )
    return _task(row, (b"location", f"/api/v1/tasks/{row.id}".encode()), status=201)


async def get_task(call: Call[OneTask, None]) -> HTTPResponse:
    """Return one task."""
    query = reads.task(call.actor, call.params.task_id)
    async with call.reading() as reading:
        rows = await reading.rows(TASK_SHAPE, query.rows, query.values)
    if not rows:
        raise NotFound("Task not found", path=("id",))
    found = task_fields(rows[0])
    known = known_tag(call.request.headers, found["version"])
    if known is not None:
        return HTTPResponse(304, headers=[(b"etag", known)])
    return HTTPResponse(200, to_json(found), headers=[(b"etag", etag(found["version"]))])


async def update_task(call: Call[OneTask, TaskUpdate]) -> HTTPResponse:
    """Change a task. All fields together are one version and one event."""
    edit = call.body
    row = await task_service.update_task(
        call.idempotent_unit_of_work(),
        task_id=call.params.task_id,
        edit=TaskEdit(title=_given(edit.title), description=_given(edit.description), completed=_given(edit.completed)),
        expected_version=expected_versions(call.request.headers),
    )
    return _task(row)


async def delete_task(call: Call[OneTask, None]) -> HTTPResponse:
    """Delete a task."""
    await task_service.delete_task(
        call.idempotent_unit_of_work(),
        task_id=call.params.task_id,
        expected_version=expected_versions(call.request.headers),
    )
    return nothing()


def _task(row: VisibleTaskRow, *headers: tuple[bytes, bytes], status: int = 200) -> HTTPResponse:
    return HTTPResponse(status, to_json(row_fields(row)), headers=[(b"etag", etag(row.version)), *headers])


def _given(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


_NOT_FOUND: Final = ErrorResponse(404, "The task does not exist, or you may not see it", "Task not found")
_FORBIDDEN: Final = ErrorResponse(403, "You may see the task, but not do this", INSUFFICIENT)
_GONE_SINCE: Final = ErrorResponse(
    404,
    "The task was created with this key before, and does not exist any more",
    "This was done already; since then the task was deleted, or you may not see it any more.",
)
OPERATIONS: Final = (
    RestOperation(
        name="list_tasks",
        methods=("GET",),
        path="/tasks/",
        tag="tasks",
        summary="List tasks",
        text="The tasks that you may see, the oldest first.",
        handler=list_tasks,
        access=TASKS_READ,
        params=Slice,
        reply=SuccessResponse(200, "Tasks.", Task, many=True),
        problem=Problem("skip", "Input should be greater than or equal to 0"),
    ),
    RestOperation(
        name="create_task",
        methods=("POST",),
        path="/tasks/",
        tag="tasks",
        summary="Create a task",
        handler=create_task,
        access=TASKS_WRITE,
        body=TaskCreate,
        headers=("Idempotency-Key",),
        reply=SuccessResponse(201, "The new task, which you own.", Task, headers=("ETag", "Location")),
        refused=(_GONE_SINCE,),
        problem=Problem("title", "Field required"),
    ),
    RestOperation(
        name="get_task",
        methods=("GET",),
        path=PATH,
        tag="tasks",
        summary="Get a task",
        handler=get_task,
        access=TASKS_READ,
        params=OneTask,
        headers=("If-None-Match",),
        reply=SuccessResponse(200, "The task.", Task, headers=("ETag",)),
        refused=(_NOT_FOUND,),
        problem=Problem("task_id", "Input should be a valid UUID"),
    ),
    RestOperation(
        name="update_task",
        methods=("PUT", "PATCH"),
        path=PATH,
        tag="tasks",
        summary="Change a task",
        text="All fields together are one change: one version, one event.",
        handler=update_task,
        access=TASKS_WRITE,
        params=OneTask,
        body=TaskUpdate,
        headers=("If-Match", "Idempotency-Key"),
        reply=SuccessResponse(200, "The task as it is now.", Task, headers=("ETag",)),
        refused=(
            _FORBIDDEN,
            _NOT_FOUND,
            ErrorResponse(
                409,
                "The status change is not allowed",
                "A task cannot go from CANCELLED to DONE; from here it can go to TODO.",
            ),
        ),
        problem=Problem("title", "title must not be empty."),
    ),
    RestOperation(
        name="delete_task",
        methods=("DELETE",),
        path=PATH,
        tag="tasks",
        summary="Delete a task permanently",
        handler=delete_task,
        access=TASKS_WRITE,
        params=OneTask,
        headers=("If-Match", "Idempotency-Key"),
        reply=SuccessResponse(204, "The task is deleted."),
        refused=(_FORBIDDEN, _NOT_FOUND),
        problem=Problem("task_id", "Input should be a valid UUID"),
    ),
)
