"""Compares the responses of each server with SQL before it is measured."""

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import uvloop

from benchmarks.cases import Case, Operation
from benchmarks.dataset import plain as plain_url
from benchmarks.dialects import Dialect, Plain, Request

SAMPLE: Final = 30
PATIENCE_SECONDS: Final = 30.0
_VOLATILE: Final[Mapping[Operation, frozenset[str]]] = {
    Operation.MOVE: frozenset({"updatedAt"}),
    Operation.EDIT: frozenset({"updatedAt"}),
    Operation.ASSIGN: frozenset({"updatedAt"}),
    Operation.CREATE: frozenset({"id", "createdAt", "updatedAt"}),
}
"""Values that the server chooses."""
_PLACE: Final = "AND ($3::uuid IS NULL OR $3 IN (owner_id, assignee_id)) ORDER BY created_at DESC, id DESC LIMIT $2"
_PAGE: Final = f"SELECT * FROM tasks WHERE upper(status::text) = $1 {_PLACE}"  # noqa: S608 - constants
_SEARCH: Final = f"SELECT * FROM tasks WHERE (title ILIKE $1 OR description ILIKE $1) {_PLACE}"  # noqa: S608


async def expected(url: str, some: Sequence[Case], *, seen_by: UUID | None = None) -> list[Plain]:
    """The correct response to each case, from these tables before any change. Lists have the tasks that *seen_by* sees.

    Without *seen_by* they have all tasks.
    """
    connection = await asyncpg.connect(plain_url(url))
    try:
        people = {row["id"]: _person(row) for row in await connection.fetch("SELECT id, username FROM users")}
        return [await _find(connection, case, people, seen_by) for case in some]
    finally:
        await connection.close()


def check(name: str, port: int, token: str, dialect: Dialect, url: str, asked: Sequence[tuple[Case, Plain]]) -> None:
    """Send each case, compare the response, and look for the change in the tables at *url*.

    Raises:
        AssertionError: a response is wrong, or a change was not made.
    """
    for case, right in asked:
        status, raw = send(port, dialect.request(case), token)
        assert status == 200, f"{name} answered {case} with {status}: {raw[:500]!r}"
        found = comparable(case.operation, dialect.plain(case.operation, json.loads(raw)))
        assert found == right, f"{name} answered {case} wrongly:\n{found}\nand should have answered\n{right}"
        if case.operation.writes:
            stored = uvloop.run(_is_stored(url, case))
            assert stored, f"{name} has not stored {case}"


def comparable(operation: Operation, found: Plain) -> Plain:
    """A response without the values that the server chooses."""
    volatile = _VOLATILE.get(operation)
    return {key: value for key, value in found.items() if key not in volatile} if volatile else found


def check_endpoints(name: str, port: int, token: str, dialect: Dialect, task: UUID) -> None:
    """Read a task with a forged token.

    Raises:
        AssertionError: the server does not verify tokens.
    """
    status, raw = send(port, dialect.request(Case(Operation.TASK, task=task)), f"{token[:-6]}AAAAAA")
    answered = status == 200 and not json.loads(raw).get("errors")
    assert not answered, f"{name} accepted a forged token: {raw[:500]!r}"


def send(port: int, request: Request, token: str) -> tuple[int, bytes]:
    """Send one request on a new connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        connection.request(request.method, request.path, request.body.encode() or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


async def _find(connection: Any, case: Case, people: dict[Any, Plain], seen_by: UUID | None) -> Plain:
    match case.operation:
        case Operation.TYPENAME:
            return {"__typename": "Query"}
        case Operation.DELETE:
            return {"id": str(case.task)}
        case Operation.CREATE:
            return created(case)
        case Operation.PAGE:
            rows = await connection.fetch(_PAGE, case.status, case.first + 1, seen_by)
            return _page(case, rows, people)
        case Operation.SEARCH:
            rows = await connection.fetch(_SEARCH, f"%{case.search}%", case.first + 1, seen_by)
            return _page(case, rows, people)
    row = await connection.fetchrow("SELECT * FROM tasks WHERE id = $1", case.task)
    task = {"description": row["description"], **_listed(row, people)}
    return task if case.operation is Operation.TASK else changed(case, task, people)


def created(case: Case) -> Plain:
    """The response to a CREATE."""
    return {"title": case.title, "description": case.description, "status": "TODO", "priority": case.priority}


def changed(case: Case, task: dict[str, Plain], people: Mapping[Any, Plain]) -> Plain:
    """The response to a MOVE, an EDIT or an ASSIGN of this task."""
    kept = {key: value for key, value in task.items() if key not in ("owner", "assignee", "updatedAt")}
    match case.operation:
        case Operation.MOVE:
            return kept | {"status": case.status}
        case Operation.EDIT:
            return kept | {"title": case.title}
        case _:
            return kept | {"assignee": people[case.person]}


async def _is_stored(url: str, case: Case) -> bool:
    connection = await asyncpg.connect(plain_url(url))
    try:
        if case.operation is Operation.CREATE:
            return bool(await connection.fetchval("SELECT true FROM tasks WHERE title = $1 LIMIT 1", case.title))
        row = await connection.fetchrow("SELECT * FROM tasks WHERE id = $1", case.task)
    finally:
        await connection.close()
    match case.operation:
        case Operation.DELETE:
            return row is None
        case Operation.MOVE:
            return bool(row["status"].upper() == case.status)
        case Operation.EDIT:
            return bool(row["title"] == case.title)
        case _:
            return bool(row["assignee_id"] == case.person)


def _page(case: Case, rows: Sequence[Any], people: dict[Any, Plain]) -> Plain:
    edges = [{"cursor": "a cursor", "node": _listed(row, people)} for row in rows[: case.first]]
    cursor = "a cursor" if edges else None
    info = {"hasNextPage": len(rows) > case.first, "hasPreviousPage": False}
    return {"edges": edges, "pageInfo": {**info, "startCursor": cursor, "endCursor": cursor}}


def _listed(row: Any, people: dict[Any, Plain]) -> dict[str, Plain]:
    return {
        "id": str(row["id"]),
        "title": row["title"],
        "status": row["status"].upper(),
        "priority": row["priority"],
        "createdAt": row["created_at"].isoformat(),
        "updatedAt": row["updated_at"].isoformat(),
        "owner": people[row["owner_id"]],
        "assignee": people.get(row["assignee_id"]),
    }


def _person(row: Any) -> Plain:
    return {"id": str(row["id"]), "username": row["username"]}
