"""What the board and the examples ask is compiled: none of it is left to the general executor."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import OperationType, get_operation_ast, parse, print_ast, separate_operations

from graphql_api.auth.facts import RequestFacts
from graphql_api.auth.identity import Identity
from graphql_api.context import Context
from graphql_api.execution.compiled import Compiled
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id
from persistence.models import TaskRow, UserRow
from tests.support.api import Api
from tests.support.house import House

ROOT = Path(__file__).parents[3]
DOCUMENTS = (
    "frontend/board/src/api/operations.graphql",
    "examples/urql/src/operations.graphql",
    "examples/apollo/src/operations.graphql",
)
PYTHON = "examples/python/tasks.py"
SESSIONS = {"SignIn", "StaySignedIn", "SignOut"}
"""What signs in, and stays so: a password's hash or a token's digest costs more than any executor."""


@dataclass(frozen=True)
class Asked:
    """One query or mutation of a client, with the fragments that it uses."""

    client: str
    name: str
    text: str
    is_query: bool


def asked() -> list[Asked]:
    """Everything but subscriptions."""
    texts = [(path.split("/")[1], (ROOT / path).read_text()) for path in DOCUMENTS]
    python = re.findall(r'^[A-Z]+ = """(.*?)"""', (ROOT / PYTHON).read_text(), re.MULTILINE | re.DOTALL)
    return [each for client, text in [*texts, *(("python", text) for text in python)] for each in _asked(client, text)]


def _asked(client: str, text: str) -> Iterator[Asked]:
    for name, document in separate_operations(parse(text)).items():
        operation = get_operation_ast(document, name)
        assert operation is not None
        if operation.operation is not OperationType.SUBSCRIPTION:
            plain, is_query = print_ast(document), operation.operation is OperationType.QUERY
            # Clients with a cache ask every object for its type.
            typed = re.sub(r"^(?: .*|fragment .*)\{$", r"\g<0> __typename", plain, flags=re.MULTILINE)
            yield Asked(client, name, plain, is_query)
            yield Asked(f"{client}, with types", name, typed, is_query)


def variables_of(name: str, user: UserRow, task: TaskRow) -> dict[str, Any]:
    """What a client would send with it."""
    task_id, user_id = encode_id("Task", task.id), encode_id("User", user.id)
    variables: dict[str, dict[str, Any]] = {
        "TaskPage": {"filter": {"status": ["TODO"]}},
        "History": {"id": task_id},
        "People": {"search": ""},
        "CreateTask": {"input": {"title": "New", "assigneeId": user_id}},
        "UpdateTask": {"input": {"id": task_id, "title": "Other", "expectedVersion": 1}},
        "MoveTask": {"input": {"id": task_id, "status": "DONE"}},
        "AssignTask": {"input": {"id": task_id, "assigneeId": user_id}},
        "DeleteTask": {"input": {"id": task_id}},
    }
    return variables.get(name, {})


@pytest.mark.parametrize("asked", asked(), ids=lambda each: f"{each.client}: {each.name}")
async def test_it_is_compiled(api: Api, asked: Asked):
    """Sent again it is answered by a plan, as well as in general."""
    user = await api.a_user()
    task = await api.house.a_task(user)
    general: Executor[Context] = Executor(schema, api.server.documents, timeout=60)
    compiled = Compiled(schema._schema, strict=True)
    request = OperationRequest(asked.text, asked.name, variables_of(asked.name, user, task), {})
    for _ in range(2):
        operation = general.prepare(request, request_id="same")
    assert isinstance(operation, Operation), operation
    await api.numbered()  # what came before, or a stream cursor is another one the next moment

    response = await compiled.execute(operation.document, operation.node, operation.request, _context(api, user))

    assert response is not None, "It was left to the general executor."
    assert "errors" not in response.body
    if asked.is_query:
        assert _bytes(response) == _bytes(await general.execute(operation, _context(api, user)))
    else:
        assert response.body["data"].popitem()[1]["userErrors"] == []


def test_nothing_was_overlooked():
    """Every document of the clients' sources is among them, but for what signs in and stays so."""
    names = {each.name for each in asked()}
    sources = [
        *(ROOT / "examples").rglob("*.ts*"),
        *(ROOT / "examples").rglob("*.py"),
        *(ROOT / "examples").rglob("*.graphql"),
    ]
    sources += (ROOT / "frontend/board/src").rglob("*.*")
    mine = [path for path in sources if not {"node_modules", "gql", "watch"} & set(path.parts)]
    written = {name for path in mine for name in re.findall(r"\b(?:query|mutation) (\w+) ?[({]", path.read_text())}

    assert written - names == SESSIONS
    assert len(names) >= 10


def _bytes(response: Response) -> bytes:
    return orjson.dumps(response.body, option=orjson.OPT_UTC_Z)


def _context(api: Api, user: UserRow) -> Context:
    identity = Identity(House.actor(user), datetime(2100, 1, 1, tzinfo=UTC))
    facts = RequestFacts(identity, None, "same", "http", {"headers": []})
    return Context(api.server.backend, facts)
