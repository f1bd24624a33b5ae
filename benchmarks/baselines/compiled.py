"""The lower bound of a compiled operation: bare ASGI, one asyncpg statement, a response written by hand."""

import base64
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import asyncpg
import jwt
import orjson

SECRET: Final = os.environ["JWT_SECRET"]
COLUMNS: Final = (
    "t.id, t.title, t.description, t.status, t.priority, t.created_at, t.updated_at, o.id, o.username, a.id, a.username"
)
PEOPLE: Final = "JOIN users o ON o.id = t.owner_id LEFT JOIN users a ON a.id = t.assignee_id"
ONE: Final = f"SELECT {COLUMNS} FROM tasks t {PEOPLE} WHERE t.id = $1"  # noqa: S608 - of constants
PAGE: Final = f"""SELECT {COLUMNS} FROM tasks t {PEOPLE} WHERE t.status = $1::text::task_status
    ORDER BY t.created_at DESC, t.id DESC LIMIT $2 + 1"""  # noqa: S608
CHANGED: Final = "id, title, description, status, priority, created_at, updated_at"
CHANGE: Final = f"""UPDATE tasks SET {{}}, updated_at = date_trunc('milliseconds', now())
    WHERE id = $1 RETURNING {CHANGED}"""  # noqa: S608
MOVE: Final = CHANGE.format("status = $2::text::task_status")
EDIT: Final = CHANGE.format("title = $2")
ASSIGN: Final = f"""WITH changed AS ({CHANGE.format("assignee_id = $2")}, assignee_id)
    SELECT changed.*, username FROM changed JOIN users ON users.id = assignee_id"""  # noqa: S608
CREATE: Final = f"""INSERT INTO tasks (title, description, priority, owner_id) VALUES ($1, $2, $3, $4)
    RETURNING {CHANGED}"""  # noqa: S608
DELETE: Final = "DELETE FROM tasks WHERE id = $1 RETURNING id"
UPPER: Final = {"todo": "TODO", "in_progress": "IN_PROGRESS", "done": "DONE", "cancelled": "CANCELLED"}

Claims = dict[str, Any]
Answer = Callable[[dict[str, Any], Claims], Awaitable[bytes]]
pool: Any = None
tokens: dict[bytes, Claims] = {}


async def one(variables: dict[str, Any], claims: Claims) -> bytes:
    """A task with its people."""
    async with pool.acquire() as connection:
        row = await connection.fetchrow(ONE, UUID(variables["id"]))
    identity, title, description, status, priority, created, updated, owner, owner_name, assignee, name = row
    task = {
        "id": str(identity),
        "title": title,
        "description": description,
        "status": UPPER[status],
        "priority": priority,
        "createdAt": created,
        "updatedAt": updated,
        "owner": {"id": str(owner), "username": owner_name},
        "assignee": {"id": str(assignee), "username": name} if assignee else None,
    }
    return orjson.dumps({"data": {"task": task}})


async def page(variables: dict[str, Any], claims: Claims) -> bytes:
    """A page of a connection."""
    first = variables["first"]
    async with pool.acquire() as connection:
        rows = await connection.fetch(PAGE, variables["status"].lower(), first)
    edges = [
        {
            "cursor": base64.b64encode(f"{created.isoformat()}|{identity}".encode()).decode(),
            "node": {
                "id": str(identity),
                "title": title,
                "status": UPPER[status],
                "priority": priority,
                "createdAt": created,
                "updatedAt": updated,
                "owner": {"id": str(owner), "username": owner_name},
                "assignee": {"id": str(assignee), "username": name} if assignee else None,
            },
        }
        for identity, title, _, status, priority, created, updated, owner, owner_name, assignee, name in rows[:first]
    ]
    info = {
        "hasNextPage": len(rows) > first,
        "hasPreviousPage": False,
        "startCursor": edges[0]["cursor"],
        "endCursor": edges[-1]["cursor"],
    }
    return orjson.dumps({"data": {"tasks": {"edges": edges, "pageInfo": info}}})


async def changed(statement: str, *values: Any) -> dict[str, Any]:
    """The fields of a changed task."""
    async with pool.acquire() as connection:
        row = await connection.fetchrow(statement, *values)
    return {
        "id": str(row[0]),
        "title": row[1],
        "description": row[2],
        "status": UPPER[row[3]],
        "priority": row[4],
        "createdAt": row[5],
        "updatedAt": row[6],
        **({"assignee": {"id": str(row[7]), "username": row[8]}} if len(row) > len(CHANGED.split()) else {}),
    }


async def move(variables: dict[str, Any], claims: Claims) -> bytes:
    """A changed status, without subscribers."""
    task = await changed(MOVE, UUID(variables["id"]), variables["status"].lower())
    return orjson.dumps({"data": {"updateTaskStatus": task}})


async def edit(variables: dict[str, Any], claims: Claims) -> bytes:
    """A changed title."""
    return orjson.dumps({"data": {"updateTask": await changed(EDIT, UUID(variables["id"]), variables["title"])}})


async def assign(variables: dict[str, Any], claims: Claims) -> bytes:
    """A changed assignee."""
    task = await changed(ASSIGN, UUID(variables["id"]), UUID(variables["assigneeId"]))
    return orjson.dumps({"data": {"assignTask": task}})


async def create(variables: dict[str, Any], claims: Claims) -> bytes:
    """A new task."""
    values = (variables["title"], variables["description"], variables["priority"], UUID(claims["sub"]))
    return orjson.dumps({"data": {"createTask": await changed(CREATE, *values)}})


async def delete(variables: dict[str, Any], claims: Claims) -> bytes:
    """A deleted task."""
    async with pool.acquire() as connection:
        deleted = await connection.fetchval(DELETE, UUID(variables["id"]))
    return orjson.dumps({"data": {"deleteTask": str(deleted)}})


async def typename(variables: dict[str, Any], claims: Claims) -> bytes:
    """A response without the database."""
    return b'{"data":{"__typename":"Query"}}'


NAMED: Final[dict[str | None, Answer]] = {
    "Task": one,
    "Tasks": page,
    "Move": move,
    "Edit": edit,
    "Assign": assign,
    "Create": create,
    "Delete": delete,
    None: typename,
}


def claims_of(headers: list[tuple[bytes, bytes]]) -> Claims | None:
    """The claims of a valid token. A token that was verified before is checked for its expiry only."""
    for name, value in headers:
        if name == b"authorization":
            claims = tokens.get(value)
            if claims is None:
                try:
                    claims = jwt.decode(value[7:].decode(), SECRET, algorithms=["HS256"])
                except jwt.PyJWTError:
                    return None
                tokens[value] = claims
            return claims if claims["exp"] > time.time() else None
    return None


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The server."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message.get("more_body"):
            break
    claims = claims_of(scope["headers"])
    if claims is not None:
        request = orjson.loads(body)
        out = await NAMED[request.get("operationName")](request.get("variables"), claims)
    else:
        out = b'{"errors":[{"message":"unauthenticated"}]}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(out)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": out})


async def _live(receive: Any, send: Any) -> None:
    global pool  # noqa: PLW0603 - an application of functions has no other place
    await receive()
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10, reset=_nothing)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})


async def _nothing(connection: Any) -> None:
    """Single statements leave no session state, so nothing is reset."""
