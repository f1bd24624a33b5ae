"""The checks of the endpoints, each with all paths that clients use."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from verification.compat.http import CompatResponse
from verification.compat.result import Differs, expect, expect_keys, expect_that
from verification.compat.visitor import PASSWORD, Person, Visitor

USER: Final = ("username", "email", "uuid")
TASK: Final = ("uuid", "title", "description", "completed", "created_at", "owner_uuid")
SESSION: Final = ("uuid", "ip_address", "user_agent", "created_at", "expires_at", "used", "used_at")
LIFETIME: Final = "Max-Age=604800"


def _spelled(*methods: str, path: str) -> Iterator[tuple[str, str]]:
    for method in methods:
        yield method, path
        yield method, f"{path}/"


def _each(spellings: Iterator[tuple[str, str]], check: Callable[[str, str], None]) -> None:
    """Check all paths; the first difference is reported."""
    for method, path in spellings:
        try:
            check(method, path)
        except Differs as difference:
            raise Differs(f"{method} {path}: {difference}") from None


def register(visitor: Visitor) -> None:
    """POST /auth/register: 201 with name, address and uuid."""

    def check(method: str, path: str) -> None:
        person = visitor.new_user()
        values = {"username": person.name, "email": person.email, "password": PASSWORD}
        reply = visitor.client.send(method, path, values=values)
        expect(reply, 201)
        expect_keys(reply.json, USER, exactly=True)
        person.uuid = reply.json["uuid"]
        visitor.people.append(person)
        found = (reply.json["username"], reply.json["email"])
        expect_that(found == (person.name, person.email), "has another name or e-mail address")

    _each(_spelled("POST", path="/auth/register"), check)


def login(visitor: Visitor) -> None:
    """POST /auth/login: 200 with a bearer token, and the refresh token in an HttpOnly cookie."""
    person = visitor.first_user

    def check(method: str, path: str) -> None:
        form = {"username": person.name, "password": PASSWORD, "grant_type": "password", "scope": ""}
        _take_tokens(person, visitor.client.send(method, path, form=form))

    _each(_spelled("POST", path="/auth/login"), check)


def refresh(visitor: Visitor) -> None:
    """POST /auth/refresh: 200 as login, and another cookie."""
    person = visitor.first_user

    def check(method: str, path: str) -> None:
        before = person.cookie
        reply = visitor.client.send(method, path, cookie=before)
        _take_tokens(person, reply)
        expect_that(person.cookie != before, "gives the same refresh token again")
        expect_that("no-store" in reply.headers.get("cache-control", ""), "lacks Cache-Control: no-store")

    _each(_spelled("POST", path="/auth/refresh"), check)


def sessions(visitor: Visitor) -> None:
    """POST and GET /auth/sessions: 200 with the sessions of the user."""
    person = visitor.first_user

    def check(method: str, path: str) -> None:
        reply = visitor.client.send(method, path, token=person.token)
        expect(reply, 200)
        expect_that(isinstance(reply.json, list) and bool(reply.json), "lists no session")
        for session in reply.json:
            expect_keys(session, SESSION)

    _each(_spelled("POST", "GET", path="/auth/sessions"), check)


def about_me(visitor: Visitor) -> None:
    """GET /users/about_me: 200 with the signed-in user."""
    person = visitor.first_user

    def check(method: str, path: str) -> None:
        reply = visitor.client.send(method, path, token=person.token)
        expect(reply, 200)
        expect_keys(reply.json, USER, exactly=True)
        expect_that(reply.json["username"] == person.name, "is another user")

    _each(_spelled("GET", path="/users/about_me"), check)


def create(visitor: Visitor) -> None:
    """POST /tasks: 201 with the task."""
    person = visitor.first_user

    def check(method: str, path: str) -> None:
        values = {"title": "Write it down", "description": "In full"}
        reply = visitor.client.send(method, path, token=person.token, values=values)
        expect(reply, 201)
        visitor.track(person, reply)
        _expect_task(reply.json, person, values | {"completed": False})

    _each(_spelled("POST", path="/tasks"), check)


def read(visitor: Visitor) -> None:
    """GET /tasks/{id}: 200 with the task."""
    person = visitor.first_user
    task = visitor.a_task(person)

    def check(method: str, path: str) -> None:
        reply = visitor.client.send(method, path, token=person.token)
        expect(reply, 200)
        _expect_task(reply.json, person, {name: task[name] for name in TASK})

    _each(_spelled("GET", path=f"/tasks/{task['uuid']}"), check)


def list_tasks(visitor: Visitor) -> None:
    """GET /tasks: 200 with ten tasks, or with `limit` tasks after `skip` tasks, the oldest first."""
    person = visitor.second_user
    uuids = [visitor.a_task(person, title=str(number))["uuid"] for number in range(11)]

    def check(method: str, path: str) -> None:
        for query, expected in (("", uuids[:10]), ("?skip=9&limit=5", uuids[9:]), ("?limit=1000", uuids)):
            reply = visitor.client.send(method, path + query, token=person.token)
            expect(reply, 200)
            listed = [task.get("uuid") for task in reply.json] if isinstance(reply.json, list) else None
            expect_that(listed == expected, f"{query or 'without a query'} lists other tasks, or another order")

    _each(_spelled("GET", path="/tasks"), check)


def update(visitor: Visitor) -> None:
    """PUT and PATCH /tasks/{id}: 200 with the changed task; null and missing fields change nothing."""
    person = visitor.first_user

    def check(method: str, path: str) -> None:
        task = visitor.a_task(person)
        path = path.replace("{id}", task["uuid"])
        for values, changed in (
            ({"title": "Other", "description": None}, {"title": "Other", "description": task["description"]}),
            ({"completed": True}, {"title": "Other", "completed": True}),
            ({"completed": False, "description": ""}, {"completed": False, "description": ""}),
            ({}, {"title": "Other", "completed": False}),
        ):
            reply = visitor.client.send(method, path, token=person.token, values=values)
            expect(reply, 200)
            _expect_task(reply.json, person, changed)

    _each(_spelled("PUT", "PATCH", path="/tasks/{id}"), check)


def delete(visitor: Visitor) -> None:
    """DELETE /tasks/{id}: 204; then the task is not found."""
    person = visitor.first_user

    def check(method: str, path: str) -> None:
        path = path.replace("{id}", visitor.a_task(person)["uuid"])
        reply = visitor.client.send(method, path, token=person.token)
        expect(reply, 204)
        expect_that(reply.body == b"", "204 with a body")
        expect(visitor.client.send(method, path, token=person.token), 404, "Task not found")

    _each(_spelled("DELETE", path="/tasks/{id}"), check)


def logout(visitor: Visitor) -> None:
    """POST /auth/logout: 204; then the cookie is invalid."""
    person = visitor.first_user

    def check(method: str, path: str) -> None:
        expect(visitor.login(person), 200)
        cookie = person.cookie
        expect(visitor.client.send(method, path, token=person.token, cookie=cookie), 204)
        person.token = ""
        expect(visitor.client.send("POST", "/auth/refresh/", cookie=cookie), 401)

    _each(_spelled("POST", path="/auth/logout"), check)


def logout_all(visitor: Visitor) -> None:
    """POST /auth/logout_all: 204; then all sessions have ended."""
    person = visitor.first_user

    def check(method: str, path: str) -> None:
        cookies = []
        for _ in range(2):
            expect(visitor.login(person), 200)
            cookies.append(person.cookie)
        expect(visitor.client.send(method, path, token=person.token), 204)
        person.token = ""
        for cookie in cookies:
            expect(visitor.client.send("POST", "/auth/refresh/", cookie=cookie), 401)

    _each(_spelled("POST", path="/auth/logout_all"), check)


def _take_tokens(person: Person, reply: CompatResponse) -> None:
    expect(reply, 200)
    expect_keys(reply.json, ("access_token", "token_type"), exactly=True)
    expect_that(str(reply.json["token_type"]).lower() == "bearer", f"token_type is {reply.json['token_type']!r}")
    expect_that(reply.cookie is not None, "sets no cookie refresh_token")
    attributes = reply.headers["set-cookie"].lower().split("; ")
    lacking = [each for each in ("HttpOnly", "Path=/", "SameSite=Strict", LIFETIME) if each.lower() not in attributes]
    expect_that(not lacking, f"the cookie lacks {', '.join(lacking)}")
    person.token, person.cookie = reply.json["access_token"], reply.cookie or ""


def _expect_task(task: object, owner: Person, values: dict[str, Any]) -> None:
    expect_keys(task, TASK)
    assert isinstance(task, dict)
    wrong = [name for name, value in values.items() if task[name] != value]
    expect_that(not wrong, f"{', '.join(wrong)} is not as it was sent")
    expect_that(task["owner_uuid"] == owner.uuid, "belongs to another user")


ENDPOINTS: Final = (
    register,
    login,
    refresh,
    sessions,
    about_me,
    create,
    read,
    list_tasks,
    update,
    delete,
    logout,
    logout_all,
)
