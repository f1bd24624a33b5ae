"""Compares the responses of each server with SQL before it is measured."""

import http.client
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks.dataset import plain as plain_url
from benchmarks.dialects import Dialect, Plain, Request
from benchmarks.workloads import Case, Workload

SAMPLE = 30
PATIENCE_SECONDS = 30.0


async def expected(url: str, workload: Workload, some: Sequence[Case], *, seen_by: UUID | None = None) -> list[Plain]:
    """The expected response of each case, from these tables; a list holds what *seen_by* may see, or everything."""
    if workload is Workload.W4:
        return [{"__typename": "Query"} for _ in some]
    connection = await asyncpg.connect(plain_url(url))
    try:
        people = {row["id"]: _person(row) for row in await connection.fetch("SELECT id, username FROM users")}
        return [await _find(connection, workload, case, people, seen_by) for case in some]
    finally:
        await connection.close()


def check(
    name: str, port: int, token: str, dialect: Dialect, workload: Workload, asked: list[tuple[Case, Plain]]
) -> None:
    """Ask, and compare.

    Raises:
        AssertionError: this server may not be compared.
    """
    for case, right in asked:
        request = dialect.request(workload, case)
        status, raw = send(port, request, token)
        assert status == 200, f"{name} answered {workload} with {status}: {raw[:500]!r}"
        found = dialect.plain(workload, json.loads(raw))
        if workload is Workload.W3:
            found = {key: value for key, value in found.items() if key != "updatedAt"}
        assert found == right, f"{name} answered {workload} wrongly:\n{found}\nand should have answered\n{right}"


def check_endpoints(name: str, port: int, token: str, dialect: Dialect, task: UUID) -> None:
    """Ask for a task with a forged token.

    Raises:
        AssertionError: it was answered, so this server does not look at tokens.
    """
    status, raw = send(port, dialect.request(Workload.W1, Case(task=task)), f"{token[:-6]}AAAAAA")
    answered = status == 200 and not json.loads(raw).get("errors")
    assert not answered, f"{name} took a forged token: {raw[:500]!r}"


def send(port: int, request: Request, token: str) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        connection.request(request.method, request.path, request.body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


async def _find(
    connection: Any, workload: Workload, case: Case, people: dict[Any, Plain], seen_by: UUID | None
) -> Plain:
    if workload is Workload.W1:
        row = await connection.fetchrow("SELECT * FROM tasks WHERE id = $1", case.task)
        return {"description": row["description"], **_listed(row, people)}
    if workload is Workload.W3:
        row = await connection.fetchrow("SELECT * FROM tasks WHERE id = $1", case.task)
        changed = {"description": row["description"], **_listed(row, people), "status": case.status}
        return {key: value for key, value in changed.items() if key not in ("owner", "assignee", "updatedAt")}
    rows = await connection.fetch(
        "SELECT * FROM tasks WHERE upper(status::text) = $1 AND ($3::uuid IS NULL OR $3 IN (owner_id, assignee_id)) "
        "ORDER BY created_at DESC, id DESC LIMIT $2",
        case.status,
        case.first + 1,
        seen_by,
    )
    edges = [{"cursor": "a cursor", "node": _listed(row, people)} for row in rows[: case.first]]
    info = {"hasNextPage": len(rows) > case.first, "hasPreviousPage": False}
    return {"edges": edges, "pageInfo": {**info, "startCursor": "a cursor", "endCursor": "a cursor"}}


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
