"""The contract of the older API, row by row: under both verbs, with and without the slash at the end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from persistence.models import TaskRow
from tests.rest_api.support import PASSWORD, TASK_FIELDS, Rest, Visitor, cookie_of

Prepare = Callable[[Rest, Visitor], Awaitable[dict[str, Any]]]
Check = Callable[[httpx.Response, Visitor], None]


@dataclass(frozen=True)
class Row:
    """One row: what is sent, and what must come back. *prepare* makes the path's parameters and the body."""

    name: str
    methods: tuple[str, ...]
    path: str
    status: int
    check: Check
    prepare: Prepare
    bearer: bool = True
    cookie: bool = False


async def no_body(rest: Rest, visitor: Visitor) -> dict[str, Any]:
    """Nothing to send."""
    return {}


async def newcomer(rest: Rest, visitor: Visitor) -> dict[str, Any]:
    """A name that is not registered."""
    name = f"new{visitor.name}"
    return {"json": {"username": name, "email": f"{name}@example.org", "password": PASSWORD}}


async def credentials(rest: Rest, visitor: Visitor) -> dict[str, Any]:
    """The form of OAuth2."""
    return {"data": {"username": visitor.name, "password": PASSWORD, "grant_type": "password", "scope": ""}}


async def new_task(rest: Rest, visitor: Visitor) -> dict[str, Any]:
    """A task's values."""
    return {"json": {"title": "Write it down", "description": "In full"}}


async def some_task(rest: Rest, visitor: Visitor) -> dict[str, Any]:
    """A task of the visitor's."""
    return {"task": await task_of(rest, visitor)}


async def changes(rest: Rest, visitor: Visitor) -> dict[str, Any]:
    """A task of the visitor's, and other values for it."""
    values = {"title": "Other", "description": None, "completed": True}
    return {"task": await task_of(rest, visitor), "json": values}


async def task_of(rest: Rest, visitor: Visitor, **values: Any) -> TaskRow:
    """A task that this visitor owns."""
    owner = await rest.api.build.user(UUID(visitor.uuid))
    return await rest.api.build.a_task(owner, **values)


def is_user(response: httpx.Response, visitor: Visitor) -> None:
    """Name, address and uuid of a user."""
    assert list(response.json()) == ["username", "email", "uuid"]
    assert UUID(response.json()["uuid"])


def is_oneself(response: httpx.Response, visitor: Visitor) -> None:
    """The fields of the user."""
    expected = {"username": visitor.name, "email": f"{visitor.name}@example.org", "uuid": visitor.uuid}
    assert response.json() == expected


def has_tokens(response: httpx.Response, visitor: Visitor) -> None:
    """An access token in the body, the refresh token only in the cookie, and no caching."""
    assert set(response.json()) == {"access_token", "token_type"}
    assert response.json()["token_type"] == "bearer"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    cookie = set(response.headers["set-cookie"].split("; "))
    assert {"Max-Age=604800", "Path=/", "HttpOnly", "SameSite=Strict", "Secure"} <= cookie
    assert cookie_of(response) not in response.text


def has_sessions(response: httpx.Response, visitor: Visitor) -> None:
    """Where one is signed in, with the older names."""
    [session] = response.json()
    assert list(session) == ["uuid", "ip_address", "user_agent", "created_at", "expires_at", "used", "used_at"]
    assert (session["used"], session["used_at"]) == (False, None)
    assert instant(session["expires_at"]) - instant(session["created_at"]) == timedelta(days=7)


def is_empty(response: httpx.Response, visitor: Visitor) -> None:
    """Nothing to read, and no length of it."""
    assert response.content == b""
    assert "content-type" not in response.headers


def clears_the_cookie(response: httpx.Response, visitor: Visitor) -> None:
    """Nothing to read, and the cookie is gone."""
    is_empty(response, visitor)
    assert response.headers["set-cookie"].startswith("refresh_token=; Max-Age=0; Path=/")


def is_list(response: httpx.Response, visitor: Visitor) -> None:
    """An array of tasks."""
    assert response.json() == []


def is_task(response: httpx.Response, visitor: Visitor) -> None:
    """A task with the older fields first, times in UTC with a Z, and its version as ETag."""
    task = response.json()
    assert list(task)[: len(TASK_FIELDS)] == TASK_FIELDS
    assert task["owner_uuid"] == visitor.uuid
    assert task["created_at"].endswith("Z")
    assert response.headers["etag"] == f'"{task["version"]}"'


def is_new_task(response: httpx.Response, visitor: Visitor) -> None:
    """The task as it was sent, and where it is."""
    is_task(response, visitor)
    task = response.json()
    assert (task["title"], task["description"], task["completed"]) == ("Write it down", "In full", False)
    assert response.headers["location"] == f"/api/v1/tasks/{task['uuid']}"


def is_changed(response: httpx.Response, visitor: Visitor) -> None:
    """The task as it was changed, what was null left alone."""
    is_task(response, visitor)
    task = response.json()
    assert (task["title"], task["completed"], task["status"], task["version"]) == ("Other", True, "DONE", 2)


def instant(text: str) -> datetime:
    """A time in UTC."""
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


ROWS = [
    Row("register", ("POST",), "/auth/register", 201, is_user, newcomer, bearer=False),
    Row("login", ("POST",), "/auth/login", 200, has_tokens, credentials, bearer=False),
    Row("refresh", ("POST",), "/auth/refresh", 200, has_tokens, no_body, bearer=False, cookie=True),
    Row("sessions", ("POST", "GET"), "/auth/sessions", 200, has_sessions, no_body),
    Row("logout", ("POST",), "/auth/logout", 204, clears_the_cookie, no_body, cookie=True),
    Row("logout_all", ("POST",), "/auth/logout_all", 204, clears_the_cookie, no_body),
    Row("about_me", ("GET",), "/users/about_me", 200, is_oneself, no_body),
    Row("list", ("GET",), "/tasks", 200, is_list, no_body),
    Row("create", ("POST",), "/tasks", 201, is_new_task, new_task),
    Row("get", ("GET",), "/tasks/{id}", 200, is_task, some_task),
    Row("update", ("PUT", "PATCH"), "/tasks/{id}", 200, is_changed, changes),
    Row("delete", ("DELETE",), "/tasks/{id}", 204, is_empty, some_task),
]
CASES = [
    pytest.param(row, method, slash, id=f"{row.name}-{method}{slash}")
    for row in ROWS
    for method in row.methods
    for slash in ("", "/")
]


@pytest.mark.parametrize(("row", "method", "slash"), CASES)
async def test_each_row_of_the_contract(rest: Rest, row: Row, method: str, slash: str):
    """Every endpoint answers as documented, with and without the slash, and never redirects."""
    visitor = await rest.a_visitor()
    options = await row.prepare(rest, visitor)
    task = options.pop("task", None)
    path = row.path.replace("{id}", str(task.id) if task else "") + slash

    response = await rest.send(
        method, path, visitor if row.bearer else None, cookie=visitor.cookie if row.cookie else None, **options
    )

    assert response.status_code == row.status, response.text
    assert response.headers["x-request-id"]
    row.check(response, visitor)


@pytest.mark.parametrize("row", [row for row in ROWS if row.bearer], ids=lambda row: row.name)
async def test_each_row_requires_a_token(rest: Rest, row: Row):
    """Without a token, with an invalid one, or with a refresh token it is 401 with the older message."""
    visitor = await rest.a_visitor()
    path = row.path.replace("{id}", "no-uuid")
    for authorization, detail in (
        (None, "Not authenticated"),
        ("Basic YTpi", "Not authenticated"),
        ("Bearer garbage", "Invalid token"),
        (f"Bearer {visitor.cookie}", "Invalid token"),
    ):
        headers = {"authorization": authorization} if authorization else {}
        response = await rest.send(row.methods[0], path, headers=headers, content=b"{")
        assert (response.status_code, response.json()) == (401, {"detail": detail})
        assert response.headers["www-authenticate"] == "Bearer"


async def test_the_scheme_is_in_any_case(rest: Rest):
    """`bearer`, `BEARER` and `Bearer` are one."""
    visitor = await rest.a_visitor()
    for scheme in ("bearer", "BEARER", "BeArEr"):
        response = await rest.send("GET", "/users/about_me/", headers={"authorization": f"{scheme} {visitor.token}"})
        assert response.status_code == 200
