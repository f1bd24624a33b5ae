"""How each API is asked for the same thing, and what its answer says when nothing but the names is different."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Protocol
from uuid import UUID

from benchmarks.workloads import Case, Workload
from domain.task import TaskPriority
from graphql_api.schema.ids import decode_id, encode_id

Plain = Any
"""JSON in the common form: ids are UUIDs, statuses upper-case names, priorities numbers."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; all peers get the same headers."""

    method: str
    path: str
    body: str = ""


class Dialect(Protocol):
    """One way to ask."""

    def request(self, workload: Workload, case: Case) -> Request:
        """The request for a case."""

    def plain(self, workload: Workload, answer: Any) -> Plain:
        """The decoded response, in the common form.

        Raises:
            ValueError: it is an error.
        """


class GraphQL:
    """The GraphQL servers that were written for this comparison."""

    queries: Mapping[Workload, str]

    def __init__(self, queries: Mapping[Workload, str]) -> None:
        self.queries = queries

    def request(self, workload: Workload, case: Case) -> Request:
        """A POST."""
        body: dict[str, Any] = {"query": self.queries[workload]}
        variables = self.variables(workload, case)
        if variables:
            body |= {"operationName": _NAMES[workload], "variables": variables}
        return Request("POST", "/graphql", json.dumps(body))

    def plain(self, workload: Workload, answer: Any) -> Plain:
        """The data without their root."""
        if answer.get("errors") or not answer.get("data"):
            raise ValueError(f"{workload}: {str(answer)[:500]}")
        data = answer["data"]
        return data if workload is Workload.W4 else self.words(next(iter(data.values())))

    def variables(self, workload: Workload, case: Case) -> dict[str, Any]:
        """What stands beside the query."""
        if workload is Workload.W1:
            return {"id": str(case.task)}
        if workload is Workload.W2:
            return {"first": case.first, "status": case.status}
        if workload is Workload.W3:
            return {"id": str(case.task), "status": case.status}
        return {}

    def words(self, found: Any) -> Plain:
        """The common form of a result."""
        return _in_plain_words(found)


class Taskriver(GraphQL):
    """Ours."""

    def variables(self, workload: Workload, case: Case) -> dict[str, Any]:
        """Opaque ids, and a filter that takes many statuses."""
        if workload is Workload.W2:
            return {"first": case.first, "status": [case.status]}
        mine = super().variables(workload, case)
        return mine if case.task is None else mine | {"id": encode_id("Task", case.task)}

    def words(self, found: Any) -> Plain:
        """Ids opened, and payloads unpacked."""
        if "userErrors" in found:
            if found["userErrors"]:
                raise ValueError(str(found["userErrors"]))
            found = found["task"]
        return _in_plain_words(found, opened=True)


class PostGraphile(GraphQL):
    """Its names come from the tables."""

    def variables(self, workload: Workload, case: Case) -> dict[str, Any]:
        """Statuses as the database calls them."""
        mine = super().variables(workload, case)
        return mine if case.status is None else mine | {"status": case.status.lower()}

    def words(self, found: Any) -> Plain:
        """Payloads unpacked."""
        return _in_plain_words(found.get("task", found))


class Rest:
    """The REST server."""

    def request(self, workload: Workload, case: Case) -> Request:
        """Paths and parameters."""
        if workload is Workload.W1:
            return Request("GET", f"/tasks/{case.task}")
        if workload is Workload.W2:
            return Request("GET", f"/tasks?first={case.first}&status={case.status}")
        if workload is Workload.W3:
            return Request("PATCH", f"/tasks/{case.task}/status", json.dumps({"status": case.status}))
        return Request("GET", "/ping")

    def plain(self, workload: Workload, answer: Any) -> Plain:
        """As it is."""
        if "detail" in answer:
            raise ValueError(f"{workload}: {answer}")
        return answer["data"] if workload is Workload.W4 else _in_plain_words(answer)


_NAMES: Final = {Workload.W1: "Task", Workload.W2: "Tasks", Workload.W3: "Move"}
_LISTED: Final = "id title status priority createdAt updatedAt owner { id username } assignee { id username }"
_WHOLE: Final = f"description {_LISTED}"
_CHANGED: Final = "id title description status priority createdAt updatedAt"
_PAGE: Final = "edges { cursor node { %s } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
_THEIR_LISTED: Final = """id: rowId title status priority createdAt updatedAt
    owner: userByOwnerId { id: rowId username } assignee: userByAssigneeId { id: rowId username }"""

_PEERS: Final = GraphQL(
    {
        Workload.W1: f"query Task($id: ID!) {{ task(id: $id) {{ {_WHOLE} }} }}",
        Workload.W2: "query Tasks($first: Int!, $status: TaskStatus) { tasks(first: $first, status: $status) { "
        f"{_PAGE % _LISTED} }} }}",
        Workload.W3: "mutation Move($id: ID!, $status: TaskStatus!) "
        f"{{ updateTaskStatus(id: $id, status: $status) {{ {_CHANGED} }} }}",
        Workload.W4: "{ __typename }",
    }
)
_OURS: Final = Taskriver(
    {
        Workload.W1: f"query Task($id: ID!) {{ task(id: $id) {{ {_WHOLE} }} }}",
        Workload.W2: "query Tasks($first: Int!, $status: [TaskStatus!]) "
        f"{{ tasks(first: $first, filter: {{status: $status}}) {{ {_PAGE % _LISTED} }} }}",
        Workload.W3: "mutation Move($id: ID!, $status: TaskStatus!) { updateTaskStatus(input: {id: $id, "
        f"status: $status}}) {{ task {{ {_CHANGED} }} userErrors {{ code message }} }} }}",
        Workload.W4: "{ __typename }",
    }
)
_POSTGRAPHILE: Final = PostGraphile(
    {
        Workload.W1: f"query Task($id: UUID!) {{ task: taskByRowId(rowId: $id) {{ description {_THEIR_LISTED} }} }}",
        Workload.W2: "query Tasks($first: Int!, $status: TaskStatus) { tasks: allTasks(first: $first, "
        "condition: {status: $status}, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) "
        f"{{ {_PAGE % _THEIR_LISTED} }} }}",
        Workload.W3: "mutation Move($id: UUID!, $status: TaskStatus!) { updateTaskByRowId(input: {rowId: $id, "
        f"taskPatch: {{status: $status}}}}) {{ task {{ {_CHANGED.replace('id', 'id: rowId', 1)} }} }} }}",
        Workload.W4: "{ __typename }",
    }
)


class Dialects(Enum):
    """All of them."""

    OURS = _OURS
    GRAPHQL = _PEERS
    POSTGRAPHILE = _POSTGRAPHILE
    REST = Rest()


def _in_plain_words(found: Any, key: str = "", *, opened: bool = False) -> Plain:
    if isinstance(found, dict):
        return {name: _in_plain_words(value, name, opened=opened) for name, value in found.items()}
    if isinstance(found, list):
        return [_in_plain_words(each, opened=opened) for each in found]
    if key == "id":
        return str(decode_id(found, field="id")[1] if opened else UUID(found))
    return found if found is None else _in_plain_word(found, key)


def _in_plain_word(found: Any, key: str) -> Plain:
    if key in ("createdAt", "updatedAt"):
        return datetime.fromisoformat(found).astimezone(UTC).isoformat()
    if key == "status":
        return found.upper()
    if key == "priority" and isinstance(found, str):
        return int(TaskPriority[found])
    if key in ("cursor", "startCursor", "endCursor"):
        return "a cursor" if found else found
    return found
