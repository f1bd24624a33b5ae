"""The floor of a compiled operation: bare ASGI, one statement of asyncpg, the answer written by hand."""

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
MOVE: Final = """UPDATE tasks SET status = $2::text::task_status, updated_at = date_trunc('milliseconds', now())
    WHERE id = $1 RETURNING id, title, description, status, priority, created_at, updated_at"""
UPPER: Final = {"todo": "TODO", "in_progress": "IN_PROGRESS", "done": "DONE", "cancelled": "CANCELLED"}

Answer = Callable[[dict[str, Any]], Awaitable[bytes]]
pool: Any = None
tokens: dict[bytes, float] = {}


async def one(variables: dict[str, Any]) -> bytes:
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


async def page(variables: dict[str, Any]) -> bytes:
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


async def move(variables: dict[str, Any]) -> bytes:
    """A changed status without subscribers."""
    async with pool.acquire() as connection:
        row = await connection.fetchrow(MOVE, UUID(variables["id"]), variables["status"].lower())
    identity, title, description, status, priority, created, updated = row
    task = {
        "id": str(identity),
        "title": title,
        "description": description,
        "status": UPPER[status],
        "priority": priority,
        "createdAt": created,
        "updatedAt": updated,
    }
    return orjson.dumps({"data": {"updateTaskStatus": task}})


async def typename(variables: dict[str, Any]) -> bytes:
    """What needs no database."""
    return b'{"data":{"__typename":"Query"}}'


NAMED: Final[dict[str | None, Answer]] = {"Task": one, "Tasks": page, "Move": move, None: typename}


def is_signed_in(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether there is a token that is good; one that was seen before needs no second look but at the clock."""
    for name, value in headers:
        if name == b"authorization":
            expires = tokens.get(value)
            if expires is None:
                try:
                    expires = jwt.decode(value[7:].decode(), SECRET, algorithms=["HS256"])["exp"]
                except jwt.PyJWTError:
                    return False
                tokens[value] = expires
            return expires > time.time()
    return False


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
    if is_signed_in(scope["headers"]):
        request = orjson.loads(body)
        out = await NAMED[request.get("operationName")](request.get("variables"))
    else:
        out = b'{"errors":[{"message":"unauthenticated"}]}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(out)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": out})


async def _live(receive: Any, send: Any) -> None:
    global pool  # noqa: PLW0603 - an application of functions has no better place
    await receive()
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10, reset=_nothing)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})


async def _nothing(connection: Any) -> None:
    """Single statements leave nothing behind that would have to be reset."""
