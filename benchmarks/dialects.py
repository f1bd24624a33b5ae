"""How each API is asked for the same thing, and its responses in a common form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

from benchmarks.cases import Case, Operation
from benchmarks.queries import OURS, PEERS, POSTGRAPHILE
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
    """The requests and responses of an API."""

    def request(self, case: Case) -> Request:
        """The request for a case."""

    def plain(self, operation: Operation, answer: Any) -> Plain:
        """The decoded response, in the common form.

        Raises:
            ValueError: it is an error.
        """


class GraphQL:
    """The GraphQL servers that were written for this comparison."""

    def __init__(self, queries: Mapping[Operation, str]) -> None:
        self.queries = queries

    def request(self, case: Case) -> Request:
        """A POST."""
        body: dict[str, Any] = {"query": self.queries[case.operation]}
        variables = self.variables(case)
        if variables:
            body |= {"operationName": case.operation.value, "variables": variables}
        return Request("POST", "/graphql", json.dumps(body))

    def plain(self, operation: Operation, answer: Any) -> Plain:
        """The value of the only field."""
        if answer.get("errors") or not answer.get("data"):
            raise ValueError(f"{operation}: {str(answer)[:500]}")
        data = answer["data"]
        return data if operation is Operation.TYPENAME else self.result(operation, next(iter(data.values())))

    def variables(self, case: Case) -> dict[str, Any]:
        """The variables of the query."""
        match case.operation:
            case Operation.TASK | Operation.DELETE:
                return {"id": str(case.task)}
            case Operation.PAGE:
                return {"first": case.first, "status": case.status}
            case Operation.SEARCH:
                return {"first": case.first, "search": case.search}
            case Operation.MOVE:
                return {"id": str(case.task), "status": case.status}
            case Operation.EDIT:
                return {"id": str(case.task), "title": case.title}
            case Operation.ASSIGN:
                return {"id": str(case.task), "assigneeId": str(case.person)}
            case Operation.CREATE:
                return {"title": case.title, "description": case.description, "priority": case.priority}
            case _:
                return {}

    def result(self, operation: Operation, found: Any) -> Plain:
        """The common form of a result."""
        return _normalized({"id": found} if operation is Operation.DELETE else found)


class Taskriver(GraphQL):
    """Our server: ids are opaque, a filter has several statuses, and mutations return payloads."""

    def variables(self, case: Case) -> dict[str, Any]:
        """The variables of the query, with opaque ids."""
        found = super().variables(case)
        if case.operation is Operation.PAGE:
            return found | {"status": [case.status]}
        if case.operation is Operation.CREATE:
            return found | {"priority": TaskPriority(case.priority).name}
        if case.person is not None:
            found["assigneeId"] = encode_id("User", case.person)
        return found if case.task is None else found | {"id": encode_id("Task", case.task)}

    def result(self, operation: Operation, found: Any) -> Plain:
        """The common form of a result, without the payload around it."""
        if "userErrors" in found:
            if found["userErrors"]:
                raise ValueError(str(found["userErrors"]))
            found = {"id": found["deletedTaskId"]} if operation is Operation.DELETE else found["task"]
        return _normalized(found, opaque=True)


class PostGraphile(GraphQL):
    """Its names come from the tables."""

    def variables(self, case: Case) -> dict[str, Any]:
        """The variables of the query, with the statuses of the database."""
        found = super().variables(case)
        if case.operation is Operation.CREATE:
            return found | {"ownerId": str(case.person)}
        return found if case.status is None else found | {"status": case.status.lower()}

    def result(self, operation: Operation, found: Any) -> Plain:
        """The common form of a result, without the payload around it."""
        return _normalized(found.get("task", found))


class Rest:
    """The REST server."""

    def request(self, case: Case) -> Request:
        """The request for a case."""
        return self._write(case) if case.operation.writes else self._read(case)

    def _read(self, case: Case) -> Request:
        match case.operation:
            case Operation.TASK:
                return Request("GET", f"/tasks/{case.task}")
            case Operation.PAGE:
                return Request("GET", f"/tasks?first={case.first}&status={case.status}")
            case Operation.SEARCH:
                return Request("GET", f"/tasks?{urlencode({'first': case.first, 'search': case.search})}")
            case _:
                return Request("GET", "/ping")

    def _write(self, case: Case) -> Request:
        match case.operation:
            case Operation.MOVE:
                return Request("PATCH", f"/tasks/{case.task}/status", json.dumps({"status": case.status}))
            case Operation.EDIT:
                return Request("PATCH", f"/tasks/{case.task}", json.dumps({"title": case.title}))
            case Operation.ASSIGN:
                return Request("PUT", f"/tasks/{case.task}/assignee", json.dumps({"assigneeId": str(case.person)}))
            case Operation.CREATE:
                body = {"title": case.title, "description": case.description, "priority": case.priority}
                return Request("POST", "/tasks", json.dumps(body))
            case _:
                return Request("DELETE", f"/tasks/{case.task}")

    def plain(self, operation: Operation, answer: Any) -> Plain:
        """The response in the common form."""
        if "detail" in answer:
            raise ValueError(f"{operation}: {answer}")
        return answer["data"] if operation is Operation.TYPENAME else _normalized(answer)


class Dialects(Enum):
    """The dialects of the peers."""

    OURS = Taskriver(OURS)
    GRAPHQL = GraphQL(PEERS)
    POSTGRAPHILE = PostGraphile(POSTGRAPHILE)
    REST = Rest()


def _normalized(found: Any, key: str = "", *, opaque: bool = False) -> Plain:
    if isinstance(found, dict):
        return {name: _normalized(value, name, opaque=opaque) for name, value in found.items()}
    if isinstance(found, list):
        return [_normalized(each, opaque=opaque) for each in found]
    if key == "id":
        return str(decode_id(found, field="id")[1] if opaque else UUID(found))
    return found if found is None else _normalized_value(found, key)


def _normalized_value(found: Any, key: str) -> Plain:
    if key in ("createdAt", "updatedAt"):
        return datetime.fromisoformat(found).astimezone(UTC).isoformat()
    if key == "status":
        return found.upper()
    if key == "priority" and isinstance(found, str):
        return int(TaskPriority[found])
    if key in ("cursor", "startCursor", "endCursor"):
        return "a cursor" if found else found
    return found
