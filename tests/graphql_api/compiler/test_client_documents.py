"""What the client package, the board and the examples ask is compiled: none of it is left to the general executor."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import OperationType, get_operation_ast, parse, print_ast, separate_operations

from asgi.client import Client, Identity
from asgi.request_context import RequestContext
from domain.project import ProjectRole
from graphql_api.auth.cookies import REFRESH_COOKIE
from graphql_api.auth.passwords import Passwords
from graphql_api.context import Context
from graphql_api.execution.compiled_executor import CompiledExecutor
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id
from persistence.models import CommentRow, LabelRow, ProjectRow, TaskRow, UserRow
from services.comment import create_comment
from services.task import delete_task
from tests.support.api import Api
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

ROOT = Path(__file__).parents[3]
DOCUMENTS = (
    "frontend/board/src/api/operations.graphql",
    "examples/urql/src/operations.graphql",
    "examples/apollo/src/operations.graphql",
)
PACKAGE = "clients/typescript/src/grant.ts"
PYTHON = "examples/python/tasks.py"
OPERATIONS = ("query ", "mutation ", "subscription ")
PASSWORD = "Correct-horse1"
WITHOUT_TYPES = frozenset({"ProjectPage", "Subtasks"})
"""Documents that only the board sends, which asks for no types; with them they are too expensive."""
CLIENT = Client("127.0.0.1", None)


@dataclass(frozen=True)
class Asked:
    """One query or mutation of a client, with the fragments that it uses."""

    client: str
    name: str
    text: str
    is_query: bool


def asked() -> list[Asked]:
    """All operations except subscriptions."""
    texts = [(path.split("/")[1], (ROOT / path).read_text()) for path in DOCUMENTS]
    texts += [("package", text) for text in _in_typescript((ROOT / PACKAGE).read_text())]
    texts += [("python", text) for text in _in_python((ROOT / PYTHON).read_text())]
    return [each for client, text in texts for each in _asked(client, text)]


def _in_typescript(source: str) -> list[str]:
    constants = dict(re.findall(r'^const ([A-Z]+) = [`"](.+)[`"];$', source, re.MULTILINE))
    whole = [re.sub(r"\$\{([A-Z]+)\}", lambda name: constants[name[1]], text) for text in constants.values()]
    return [text for text in whole if text.startswith(OPERATIONS)]


def _in_python(source: str) -> list[str]:
    parts: list[ast.stmt] = [
        each
        for each in ast.parse(source).body
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant | ast.JoinedStr)
    ]
    constants: dict[str, Any] = {}
    exec(compile(ast.Module(parts, []), PYTHON, "exec"), constants)  # noqa: S102 - of our own example
    return [text for text in constants.values() if isinstance(text, str) and text.startswith(OPERATIONS)]


def _asked(client: str, text: str) -> Iterator[Asked]:
    for name, document in separate_operations(parse(text)).items():
        operation = get_operation_ast(document, name)
        assert operation is not None
        if operation.operation is not OperationType.SUBSCRIPTION:
            plain, is_query = print_ast(document), operation.operation is OperationType.QUERY
            # Clients with a cache ask every object for its type.
            if name in WITHOUT_TYPES:
                yield Asked(client, name, plain, is_query)
                continue
            typed = re.sub(r"^(?: .*|fragment .*)\{$", r"\g<0> __typename", plain, flags=re.MULTILINE)
            yield Asked(client, name, plain, is_query)
            yield Asked(f"{client}, with types", name, typed, is_query)


@dataclass(frozen=True)
class Things:
    """What the operations name: a personal task of the user, and a project that the user manages."""

    user: UserRow
    other: UserRow
    """Another member of the project."""
    outsider: UserRow
    task: TaskRow
    project: ProjectRow
    in_project: TaskRow
    second: TaskRow
    """Another task of the project."""
    deleted: TaskRow
    label: LabelRow
    comment: CommentRow

    @classmethod
    async def made(cls, build: Builders, user: UserRow) -> "Things":
        """New ones; the two others manage the project, too, so that the user can leave it."""
        other, outsider = await build.a_user(), await build.a_user()
        project = await build.a_project((user, ProjectRole.MANAGER), (other, ProjectRole.MANAGER))
        tasks = [await build.a_task(user, project_id=project.id) for _ in range(3)]
        await delete_task(build.as_(user), task_id=tasks[2].id)
        comment, _ = await create_comment(build.as_(user), task_id=tasks[0].id, text="A comment")
        label = await build.a_label(project, "Bug")
        personal = await build.a_task(user)
        return cls(user, other, outsider, personal, project, tasks[0], tasks[1], tasks[2], label, comment)


def variables_of(name: str, things: Things, refresh_token: str) -> dict[str, Any]:
    """What a client would send with it."""
    task_id, user_id = encode_id("Task", things.task.id), encode_id("User", things.user.id)
    there, second = encode_id("Task", things.in_project.id), encode_id("Task", things.second.id)
    project, label = encode_id("Project", things.project.id), encode_id("Label", things.label.id)
    comment, other = encode_id("Comment", things.comment.id), encode_id("User", things.other.id)
    variables: dict[str, dict[str, Any]] = {
        "SignIn": {"input": {"username": things.user.username, "password": PASSWORD}},
        "StaySignedIn": {"input": {"refreshToken": refresh_token}},
        "TaskPage": {"filter": {"status": ["TODO"]}},
        "ProjectPage": {"filter": {"projectId": project, "status": ["TODO"]}},
        "Task": {"id": task_id},
        "TaskByKey": {"key": f"{things.project.key}-{things.in_project.number}"},
        "Subtasks": {"id": there},
        "Comments": {"id": there},
        "Trash": {"projectId": project},
        "Totals": {"projectId": project},
        "Newest": {"projectId": project},
        "History": {"id": task_id},
        "People": {"search": ""},
        "Project": {"key": things.project.key},
        "Members": {"key": things.project.key},
        "CreateTask": {"input": {"title": "New", "assigneeId": user_id}},
        "UpdateTask": {"input": {"id": task_id, "title": "Other", "expectedVersion": 1}},
        "MoveTask": {"input": {"id": task_id, "status": "DONE"}},
        "AssignTask": {"input": {"id": task_id, "assigneeId": user_id}},
        "DeleteTask": {"input": {"id": task_id}},
        "RestoreTask": {"input": {"id": encode_id("Task", things.deleted.id)}},
        "PlaceTask": {"input": {"id": second, "before": there, "status": "DONE"}},
        "UpdateTasks": {"input": {"ids": [there, second], "status": "DONE"}},
        "SetTaskLabels": {"input": {"id": there, "labelIds": [label]}},
        "SetTaskParent": {"input": {"id": second, "parentId": there}},
        "CreateLabel": {"input": {"projectId": project, "name": "New", "color": "#000000"}},
        "UpdateLabel": {"input": {"id": label, "name": "Other", "color": "#ffffff", "expectedVersion": 1}},
        "DeleteLabel": {"input": {"id": label, "expectedVersion": 1}},
        "CreateComment": {"input": {"taskId": there, "text": "Another one"}},
        "UpdateComment": {"input": {"id": comment, "text": "Changed"}},
        "DeleteComment": {"input": {"id": comment}},
        "CreateProject": {"input": {"key": f"N{things.project.key}", "name": "New"}},
        "UpdateProject": {"input": {"id": project, "key": f"M{things.project.key}", "expectedVersion": 1}},
        "DeleteProject": {"input": {"id": project, "confirmKey": things.project.key}},
        "ArchiveProject": {"input": {"id": project, "isArchived": True}},
        "AddMember": {
            "input": {"projectId": project, "userId": encode_id("User", things.outsider.id), "role": "VIEWER"}
        },
        "SetMemberRole": {"input": {"projectId": project, "userId": other, "role": "VIEWER"}},
        "RemoveMember": {"input": {"projectId": project, "userId": other}},
        "LeaveProject": {"input": {"projectId": project}},
    }
    return variables.get(name, {})


@pytest.mark.parametrize("asked", asked(), ids=lambda each: f"{each.client}: {each.name}")
async def test_every_document_is_compiled(api: Api, asked: Asked):
    """From the second request on a plan runs it, with the result of the general executor."""
    user = await api.a_user(password_hash=await Passwords(4).hash(PASSWORD))
    refresh_token = await _refresh_token(api, user)
    things = await Things.made(api.build, user)
    general: Executor[Context] = Executor(schema, api.server.documents, timeout=HANG_SECONDS)
    compiled = CompiledExecutor(schema._schema, strict=True)
    request = OperationRequest(asked.text, asked.name, variables_of(asked.name, things, refresh_token), {})
    for _ in range(2):
        operation = await general.prepare(request, request_id="same")
    assert isinstance(operation, Operation), operation
    await api.numbered()  # what came before, or a stream cursor is another one the next moment

    response = await compiled.execute(
        operation.document, operation.node, operation.request, _context(api, user, refresh_token)
    )

    assert response is not None, "It was left to the general executor."
    assert "errors" not in response.body
    if asked.is_query:
        assert _bytes(response) == _bytes(await general.execute(operation, _context(api, user, refresh_token)))
    else:
        assert response.body["data"].popitem()[1]["userErrors"] == []


def test_every_document_is_found():
    """All documents in the sources of the clients are compared."""
    names = {each.name for each in asked()}
    sources = [path for pattern in ("*.ts*", "*.py", "*.graphql") for path in (ROOT / "examples").rglob(pattern)]
    sources += (ROOT / "frontend/board/src").rglob("*.*")
    sources += (ROOT / "clients/typescript/src").rglob("*.ts")
    mine = [path for path in sources if not {"node_modules", "gql", "watch"} & set(path.parts)]
    written = {name for path in mine for name in re.findall(r"\b(?:query|mutation) ([A-Z]\w*) ?[({]", path.read_text())}

    assert written == names
    assert {"SignIn", "StaySignedIn", "SignOut", "MoveTask", "TaskPage"} <= names


async def _refresh_token(api: Api, user: UserRow) -> str:
    signed_in = await api.server.backend.accounts.sign_in(
        CLIENT, username=user.username, password=PASSWORD, request_id="same"
    )
    return signed_in.refresh_token


def _bytes(response: Response) -> bytes:
    return orjson.dumps(response.body, option=orjson.OPT_UTC_Z)


def _context(api: Api, user: UserRow, refresh_token: str) -> Context:
    identity = Identity(Builders.actor(user), datetime(2100, 1, 1, tzinfo=UTC))
    scope = {"client": (CLIENT.address, 1), "headers": [(b"cookie", f"{REFRESH_COOKIE}={refresh_token}".encode())]}
    facts = RequestContext(identity, None, "same", "http", scope)
    return Context(api.server.backend, facts)
