"""What a compiled mutation returns when what its payload refers to cannot be read, or must not be asked for."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from asgi.client import Identity
from asgi.request_context import RequestContext
from domain.errors import Unavailable
from domain.project import ProjectRole
from domain.task import TaskStatus
from graphql_api.compiler.related import PageLookup, RowLookup
from graphql_api.context import Context
from graphql_api.execution.compiled_executor import CompiledExecutor
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from graphql_api.root import schema
from graphql_api.schema.ids import encode_id
from persistence.models import TaskRow, UserRow
from tests.support.api import Api
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

LABELS: Final = "labels { nodes { name } }"
COMMENTS: Final = "comments { nodes { text } }"


async def _labelled(api: Api) -> tuple[UserRow, TaskRow]:
    user = await api.a_user()
    project = await api.build.a_project((user, ProjectRole.MANAGER))
    return user, await api.build.a_task(user, project_id=project.id, number=1)


async def _move(api: Api, user: UserRow, task: TaskRow, selected: str, **variables: Any) -> Response | None:
    """The response of a plan to a change of the status; None if there is none, and nothing was done."""
    executor: Executor[Context] = Executor(schema, api.server.documents, timeout=HANG_SECONDS)
    declared = "".join(f", ${name}: String" for name in variables)
    text = f"""mutation ($id: ID!{declared}) {{
      moved: updateTaskStatus(input: {{id: $id, status: IN_PROGRESS}}) {{ task {{ {selected} }} userErrors {{ code }} }}
    }}"""
    request = OperationRequest(text, None, {"id": encode_id("Task", task.id), **variables}, {})
    operation = await executor.prepare(request, request_id="same")
    assert isinstance(operation, Operation), operation
    facts = RequestContext(
        Identity(Builders.actor(user), datetime(2100, 1, 1, tzinfo=UTC)), None, "same", "http", {"headers": []}
    )
    plans = CompiledExecutor(schema._schema, strict=True, at_first_request=True)
    return await plans.execute(
        operation.document, operation.node, operation.request, Context(api.server.backend, facts)
    )


async def _is_moved(api: Api, task: TaskRow) -> bool:
    found = await api.build.task(task.id)
    assert found is not None
    return found.status == TaskStatus.IN_PROGRESS


def _errors(response: Response) -> list[tuple[Any, Any]]:
    return [(each["path"], each["extensions"]["code"]) for each in response.body.get("errors", [])]


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away after the change."""

    async def fail(*_: object) -> Any:
        raise Unavailable("the database")

    for lookup in (PageLookup, RowLookup):
        monkeypatch.setattr(lookup, "read", fail)


@pytest.mark.usefixtures("unreadable")
class TestUnreadable:
    async def test_a_reference_is_null(self, api: Api) -> None:
        """References may be null: the rest of the payload is returned."""
        user, task = await _labelled(api)

        response = await _move(api, user, task, "status owner { id } project { key }")

        assert response is not None
        assert response.body["data"]["moved"] == {
            "task": {"status": "IN_PROGRESS", "owner": None, "project": None},
            "userErrors": [],
        }
        assert _errors(response) == [
            (["moved", "task", "owner"], "UNAVAILABLE"),
            (["moved", "task", "project"], "UNAVAILABLE"),
        ]
        assert await _is_moved(api, task)

    async def test_the_task_of_a_page_is_null(self, api: Api) -> None:
        """A page is not null (GraphQL 6.4.4): the nearest value that may be null is, with one error."""
        user, task = await _labelled(api)

        response = await _move(api, user, task, f"status {LABELS} {COMMENTS}")

        assert response is not None
        assert response.body["data"]["moved"] == {"task": None, "userErrors": []}
        assert _errors(response) == [(["moved", "task", "labels"], "UNAVAILABLE")]
        assert await _is_moved(api, task)


@pytest.mark.parametrize(
    "selected",
    ["labels(after: $after) { nodes { name } }", "parent { labels(after: $after) { nodes { name } } }"],
    ids=["in the payload", "below a reference"],
)
async def test_an_invalid_cursor_is_found_before_the_change(api: Api, selected: str) -> None:
    """The plan does nothing, so that the general executor can run the whole operation."""
    user, task = await _labelled(api)

    assert await _move(api, user, task, selected, after="nonsense") is None
    assert not await _is_moved(api, task)
