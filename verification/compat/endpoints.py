"""The twelve endpoints, each under every spelling that clients use."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from verification.compat.http import Reply
from verification.compat.result import Differs, expect, expect_keys, expect_that
from verification.compat.visitor import PASSWORD, Person, Visit

USER: Final = ("username", "email", "uuid")
TASK: Final = ("uuid", "title", "description", "completed", "created_at", "owner_uuid")
SESSION: Final = ("uuid", "ip_address", "user_agent", "created_at", "expires_at", "used", "used_at")
LIFETIME: Final = "Max-Age=604800"


def _spelled(*methods: str, path: str) -> Iterator[tuple[str, str]]:
    for method in methods:
        yield method, path
        yield method, f"{path}/"


def _each(spellings: Iterator[tuple[str, str]], check: Callable[[str, str], None]) -> None:
    """Check every spelling; the first that differs is named."""
    for method, path in spellings:
        try:
            check(method, path)
        except Differs as difference:
            raise Differs(f"{method} {path}: {difference}") from None


def register(visit: Visit) -> None:
    """POST /auth/register: 201 with name, address and uuid."""

    def check(method: str, path: str) -> None:
        person = visit.newcomer()
        values = {"username": person.name, "email": person.email, "password": PASSWORD}
        reply = visit.client.send(method, path, values=values)
        expect(reply, 201)
        expect_keys(reply.json, USER, exactly=True)
        person.uuid = reply.json["uuid"]
        visit.people.append(person)
        told = (reply.json["username"], reply.json["email"])
        expect_that(told == (person.name, person.email), "tells somebody else's name or address")

    _each(_spelled("POST", path="/auth/register"), check)


def login(visit: Visit) -> None:
    """POST /auth/login: 200 with a bearer token, and the refresh token in an HttpOnly cookie."""
    person = visit.anna

    def check(method: str, path: str) -> None:
        form = {"username": person.name, "password": PASSWORD, "grant_type": "password", "scope": ""}
        _take_tokens(person, visit.client.send(method, path, form=form))

    _each(_spelled("POST", path="/auth/login"), check)


def refresh(visit: Visit) -> None:
    """POST /auth/refresh: 200 as login, and another cookie."""
    person = visit.anna

    def check(method: str, path: str) -> None:
        before = person.cookie
        reply = visit.client.send(method, path, cookie=before)
        _take_tokens(person, reply)
        expect_that(person.cookie != before, "gives the same refresh token again")
        expect_that("no-store" in reply.headers.get("cache-control", ""), "may be kept by caches")

    _each(_spelled("POST", path="/auth/refresh"), check)


def sessions(visit: Visit) -> None:
    """POST and GET /auth/sessions: 200 with the devices one is signed in on."""
    person = visit.anna

    def check(method: str, path: str) -> None:
        reply = visit.client.send(method, path, token=person.token)
        expect(reply, 200)
        expect_that(isinstance(reply.json, list) and bool(reply.json), "lists no session")
        for session in reply.json:
            expect_keys(session, SESSION)

    _each(_spelled("POST", "GET", path="/auth/sessions"), check)


def about_me(visit: Visit) -> None:
    """GET /users/about_me: 200 with oneself."""
    person = visit.anna

    def check(method: str, path: str) -> None:
        reply = visit.client.send(method, path, token=person.token)
        expect(reply, 200)
        expect_keys(reply.json, USER, exactly=True)
        expect_that(reply.json["username"] == person.name, "tells of somebody else")

    _each(_spelled("GET", path="/users/about_me"), check)


def create(visit: Visit) -> None:
    """POST /tasks: 201 with the task."""
    person = visit.anna

    def check(method: str, path: str) -> None:
        values = {"title": "Write it down", "description": "In full"}
        reply = visit.client.send(method, path, token=person.token, values=values)
        expect(reply, 201)
        visit.made(person, reply)
        _expect_task(reply.json, person, values | {"completed": False})

    _each(_spelled("POST", path="/tasks"), check)


def read(visit: Visit) -> None:
    """GET /tasks/{id}: 200 with the task."""
    person = visit.anna
    task = visit.a_task(person)

    def check(method: str, path: str) -> None:
        reply = visit.client.send(method, path, token=person.token)
        expect(reply, 200)
        _expect_task(reply.json, person, {name: task[name] for name in TASK})

    _each(_spelled("GET", path=f"/tasks/{task['uuid']}"), check)


def list_tasks(visit: Visit) -> None:
    """GET /tasks: 200 with ten tasks, or as many as asked for behind as many as asked for, the oldest first."""
    person = visit.otto
    uuids = [visit.a_task(person, title=str(number))["uuid"] for number in range(11)]

    def check(method: str, path: str) -> None:
        for query, expected in (("", uuids[:10]), ("?skip=9&limit=5", uuids[9:]), ("?limit=1000", uuids)):
            reply = visit.client.send(method, path + query, token=person.token)
            expect(reply, 200)
            listed = [task.get("uuid") for task in reply.json] if isinstance(reply.json, list) else None
            expect_that(listed == expected, f"{query or 'without a query'} lists others, or in another order")

    _each(_spelled("GET", path="/tasks"), check)


def update(visit: Visit) -> None:
    """PUT and PATCH /tasks/{id}: 200 with the changed task; null and absent leave alone."""
    person = visit.anna

    def check(method: str, path: str) -> None:
        task = visit.a_task(person)
        path = path.replace("{id}", task["uuid"])
        for values, changed in (
            ({"title": "Other", "description": None}, {"title": "Other", "description": task["description"]}),
            ({"completed": True}, {"title": "Other", "completed": True}),
            ({"completed": False, "description": ""}, {"completed": False, "description": ""}),
            ({}, {"title": "Other", "completed": False}),
        ):
            reply = visit.client.send(method, path, token=person.token, values=values)
            expect(reply, 200)
            _expect_task(reply.json, person, changed)

    _each(_spelled("PUT", "PATCH", path="/tasks/{id}"), check)


def delete(visit: Visit) -> None:
    """DELETE /tasks/{id}: 204, and then it is not found."""
    person = visit.anna

    def check(method: str, path: str) -> None:
        path = path.replace("{id}", visit.a_task(person)["uuid"])
        reply = visit.client.send(method, path, token=person.token)
        expect(reply, 204)
        expect_that(reply.body == b"", "204 with a body")
        expect(visit.client.send(method, path, token=person.token), 404, "Task not found")

    _each(_spelled("DELETE", path="/tasks/{id}"), check)


def logout(visit: Visit) -> None:
    """POST /auth/logout: 204, and the cookie is good for nothing any more."""
    person = visit.anna

    def check(method: str, path: str) -> None:
        expect(visit.login(person), 200)
        cookie = person.cookie
        expect(visit.client.send(method, path, token=person.token, cookie=cookie), 204)
        person.token = ""
        expect(visit.client.send("POST", "/auth/refresh/", cookie=cookie), 401)

    _each(_spelled("POST", path="/auth/logout"), check)


def logout_all(visit: Visit) -> None:
    """POST /auth/logout_all: 204, and every session has ended."""
    person = visit.anna

    def check(method: str, path: str) -> None:
        cookies = []
        for _ in range(2):
            expect(visit.login(person), 200)
            cookies.append(person.cookie)
        expect(visit.client.send(method, path, token=person.token), 204)
        person.token = ""
        for cookie in cookies:
            expect(visit.client.send("POST", "/auth/refresh/", cookie=cookie), 401)

    _each(_spelled("POST", path="/auth/logout_all"), check)


def _take_tokens(person: Person, reply: Reply) -> None:
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
    expect_that(task["owner_uuid"] == owner.uuid, "belongs to somebody else")


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
