"""The contract of the older API, row by row: under both verbs, with and without the slash at the end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.task import TaskStatus
from persistence.models import TaskRow
from tests.graphql_api.rest.support import PASSWORD, TASK_FIELDS, Rest, Visitor, cookie_of, tokens_of

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
    """Somebody who is not there yet."""
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
    owner = await rest.api.house.user(UUID(visitor.uuid))
    return await rest.api.house.a_task(owner, **values)


def is_user(response: httpx.Response, visitor: Visitor) -> None:
    """Name, address and uuid of somebody."""
    assert list(response.json()) == ["username", "email", "uuid"]
    assert UUID(response.json()["uuid"])


def is_oneself(response: httpx.Response, visitor: Visitor) -> None:
    """Exactly oneself."""
    expected = {"username": visitor.name, "email": f"{visitor.name}@example.org", "uuid": visitor.uuid}
    assert response.json() == expected


def has_tokens(response: httpx.Response, visitor: Visitor) -> None:
    """An access token in the body, the refresh token in the cookie only, and nothing of it may be kept by caches."""
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
    """Every endpoint answers as documented, whichever way it is spelled, and never sends a body elsewhere."""
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
async def test_each_row_wants_to_know_who_is_asking(rest: Rest, row: Row):
    """Without a token, with garbage, or with a refresh token in its place, the answer is 401 in the older words."""
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


class TestRegister:
    async def test_what_is_unknown_or_breaks_a_rule_is_told_field_by_field(self, rest: Rest):
        """All problems are told at once, each with its field; what was sent is not."""
        values = {"username": "ab", "email": "nowhere", "password": "short Secret1!", "role": "ADMIN"}
        response = await rest.send("POST", "/auth/register/", json=values)
        body = response.json()
        assert response.status_code == 422
        assert set(body) == {"error", "details", "body"}
        assert (body["error"], body["body"]) == ("Validation error", None)
        assert [problem["field"] for problem in body["details"]] == ["username", "email", "password", "role"]
        assert all(set(problem) == {"field", "message"} for problem in body["details"])
        assert "Secret" not in response.text

    @pytest.mark.parametrize(
        "password", ["Sh0rt-a", "no-upper-1", "NO-LOWER-1", "No-digit-x", "NoSymbol12", "A b-1234"]
    )
    async def test_a_password_has_its_rules(self, rest: Rest, password: str):
        """At least 8 characters with upper, lower, digit and symbol, and no spaces."""
        values = {"username": "someone", "email": "someone@example.org", "password": password}
        response = await rest.send("POST", "/auth/register/", json=values)
        assert [problem["field"] for problem in response.json()["details"]] == ["password"]

    async def test_a_taken_name_or_address_is_400(self, rest: Rest):
        """As before, ignoring case."""
        visitor = await rest.a_visitor()
        other = {"username": visitor.name.upper(), "email": "free@example.org", "password": PASSWORD}
        response = await rest.send("POST", "/auth/register/", json=other)
        assert (response.status_code, response.json()) == (400, {"detail": "A user with this name already exists"})
        other = {"username": f"x{visitor.name}", "email": f"{visitor.name}@EXAMPLE.org", "password": PASSWORD}
        response = await rest.send("POST", "/auth/register/", json=other)
        assert (response.status_code, response.json()) == (400, {"detail": "A user with this email already exists"})

    async def test_it_gives_role_user(self, rest: Rest):
        """Nobody makes themselves more than a user."""
        visitor = await rest.a_visitor()
        stored = await rest.api.house.user(UUID(visitor.uuid))
        assert stored is not None
        assert stored.role == "USER"


class TestLogin:
    async def test_a_multipart_form_does_as_well(self, rest: Rest):
        """Both encodings of the form sign in."""
        visitor = await rest.a_visitor()
        form = {"username": (None, visitor.name), "password": (None, PASSWORD), "client_id": (None, "")}
        tokens_of(await rest.send("POST", "/auth/login/", files=form))

    async def test_an_empty_grant_type_counts_as_none_and_another_one_is_refused(self, rest: Rest):
        """Only the password grant is there."""
        visitor = await rest.a_visitor()
        tokens_of(await rest.login(visitor.name, grant_type=""))
        response = await rest.login(visitor.name, grant_type="client_credentials")
        assert response.status_code == 422
        assert response.json()["details"][0]["field"] == "grant_type"

    async def test_json_is_no_form(self, rest: Rest):
        """Whoever sends JSON is told that the form's fields are missing, as before, and that a form is wanted."""
        response = await rest.send("POST", "/auth/login/", json={"username": "a", "password": "b"})
        assert response.status_code == 422
        assert response.json()["details"] == [
            {"field": "username", "message": "Field required"},
            {"field": "password", "message": "Field required"},
            {
                "field": "body",
                "message": "Input should be a form: send it with the header "
                "Content-Type: application/x-www-form-urlencoded",
            },
        ]


class TestRefresh:
    async def test_it_goes_round_by_cookie_only(self, rest: Rest):
        """Each refresh gives another cookie, and a session that was refreshed says so."""
        visitor = await rest.a_visitor()
        token, cookie = tokens_of(await rest.send("POST", "/auth/refresh/", cookie=visitor.cookie))
        assert cookie != visitor.cookie
        [session] = (await rest.send("GET", "/auth/sessions/", token)).json()
        assert session["used"] is True
        assert instant(session["used_at"]) >= instant(session["created_at"])

    async def test_its_refusals_are_in_the_older_words(self, rest: Rest):
        """Missing, invalid, and used too long ago or twice over."""
        visitor = await rest.a_visitor()
        cookie = visitor.cookie
        for _ in range(2):
            _, cookie = tokens_of(await rest.send("POST", "/auth/refresh/", cookie=cookie))
        for sent, detail in (
            (None, "Refresh token missing"),
            ("garbage", "Invalid refresh token"),
            (visitor.cookie, "Refresh token has been already used"),
            (cookie, "Invalid refresh token"),
        ):
            response = await rest.send("POST", "/auth/refresh/", cookie=sent)
            assert (response.status_code, response.json()) == (401, {"detail": detail})
            assert response.headers["www-authenticate"] == "Bearer"

    async def test_a_token_in_the_body_or_the_header_is_not_taken(self, rest: Rest):
        """The refresh token comes from the cookie or not at all."""
        visitor = await rest.a_visitor()
        body = {"refresh_token": visitor.cookie}
        headers = {"authorization": f"Bearer {visitor.cookie}"}
        response = await rest.send("POST", "/auth/refresh/", headers=headers, json=body)
        assert (response.status_code, response.json()) == (401, {"detail": "Refresh token missing"})


class TestLogout:
    async def test_without_its_cookie_it_is_404_and_nothing_ends(self, rest: Rest):
        """As before: "Token not found", for no cookie, for garbage and for somebody else's."""
        visitor, other = await rest.a_visitor(), await rest.a_visitor()
        for cookie in (None, "garbage", other.cookie):
            response = await rest.send("POST", "/auth/logout/", visitor, cookie=cookie)
            assert (response.status_code, response.json()) == (404, {"detail": "Token not found"})
            assert "set-cookie" not in response.headers
        for each in (visitor, other):
            tokens_of(await rest.send("POST", "/auth/refresh/", cookie=each.cookie))

    async def test_the_session_is_over(self, rest: Rest):
        """Neither its access token nor its cookie are good for anything; other sessions go on."""
        visitor = await rest.a_visitor()
        elsewhere, _ = tokens_of(await rest.login(visitor.name))
        assert (await rest.send("POST", "/auth/logout/", visitor, cookie=visitor.cookie)).status_code == 204
        await rest.refused(visitor.token)
        response = await rest.send("POST", "/auth/refresh/", cookie=visitor.cookie)
        assert response.json() == {"detail": "Invalid refresh token"}
        assert (await rest.send("GET", "/users/about_me/", elsewhere)).status_code == 200

    async def test_logout_all_ends_every_session(self, rest: Rest):
        """No token of the user is accepted any more."""
        visitor = await rest.a_visitor()
        elsewhere, _ = tokens_of(await rest.login(visitor.name))
        assert (await rest.send("POST", "/auth/logout_all/", elsewhere)).status_code == 204
        for token in (visitor.token, elsewhere):
            await rest.refused(token)


class TestTasks:
    async def test_the_list_is_by_age_and_in_slices(self, rest: Rest):
        """The oldest first; ten unless asked otherwise, and over 100 counts as 100."""
        visitor = await rest.a_visitor()
        rows = [await task_of(rest, visitor, title=str(number)) for number in range(12)]
        ids = [str(row.id) for row in rows]
        for query, expected in (
            ("", ids[:10]),
            ("?skip=10", ids[10:]),
            ("?skip=1&limit=2", ids[1:3]),
            ("?limit=1000000", ids),
            ("?limit=0", []),
            ("?skip=99999999999999999999999", []),
            ("?unknown=1&limit=1", ids[:1]),
        ):
            listed = (await rest.send("GET", f"/tasks/{query}", visitor)).json()
            assert [task["uuid"] for task in listed] == expected

    async def test_more_than_a_hundred_are_never_listed(self, rest: Rest):
        """A limit over 100 counts as 100."""
        visitor = await rest.a_visitor()
        for _ in range(101):
            await task_of(rest, visitor)
        assert len((await rest.send("GET", "/tasks/?limit=101", visitor)).json()) == 100

    @pytest.mark.parametrize(("query", "field"), [("skip=-1", "skip"), ("limit=-1", "limit"), ("limit=x", "limit")])
    async def test_numbers_that_are_none_are_422(self, rest: Rest, query: str, field: str):
        """Negative and other bad numbers are told with their names."""
        response = await rest.send("GET", f"/tasks/?{query}", await rest.a_visitor())
        assert response.status_code == 422
        assert [problem["field"] for problem in response.json()["details"]] == [field]

    @pytest.mark.parametrize("changed", [{}, {"title": None, "description": None, "completed": None}, {"unknown": 1}])
    async def test_nothing_to_change_is_a_no_op(self, rest: Rest, changed: dict[str, Any]):
        """Absent and null leave alone: 200 with the task as it is, and nobody is told."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor)
        response = await rest.send("PUT", f"/tasks/{task.id}", visitor, json=changed)
        assert (response.status_code, response.json()["version"]) == (200, 1)
        assert all(getattr(event, "task_id", None) != task.id for event in await rest.api.house.recorded_events())

    async def test_an_empty_description_is_a_value(self, rest: Rest):
        """Only null leaves it alone."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor, description="Something")
        response = await rest.send("PATCH", f"/tasks/{task.id}", visitor, json={"description": ""})
        assert (response.json()["description"], response.json()["version"]) == ("", 2)

    @pytest.mark.parametrize("value", [True, 1, "true", "True", "yes", "on", "1"])
    async def test_completed_is_read_as_it_was(self, rest: Rest, value: object):
        """The words that the older server took for true are true."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor)
        response = await rest.send("PUT", f"/tasks/{task.id}", visitor, json={"completed": value})
        assert response.json()["completed"] is True

    async def test_completed_is_the_status_done_and_back(self, rest: Rest):
        """True moves to DONE, false moves DONE to TODO and leaves others where they are."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor, status=TaskStatus.IN_PROGRESS)
        for completed, status in ((False, "IN_PROGRESS"), (True, "DONE"), (True, "DONE"), (False, "TODO")):
            response = await rest.send("PUT", f"/tasks/{task.id}", visitor, json={"completed": completed})
            assert (response.status_code, response.json()["status"]) == (200, status)
            assert response.json()["completed"] is (status == "DONE")

    async def test_a_move_that_the_board_does_not_have_is_409(self, rest: Rest):
        """Completing a cancelled task changes nothing, the title beside it included."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor, status=TaskStatus.CANCELLED)
        response = await rest.send("PUT", f"/tasks/{task.id}", visitor, json={"title": "Other", "completed": True})
        assert response.status_code == 409
        assert response.json() == {"detail": "A task cannot go from CANCELLED to DONE; from here it can go to TODO."}
        stored = await rest.api.house.task(task.id)
        assert stored is not None
        assert (stored.title, stored.version) == (task.title, 1)

    async def test_an_assigned_person_may_read_it_and_complete_it_and_no_more(self, rest: Rest):
        """Completing is allowed; another title is 403 in the older words."""
        visitor = await rest.a_visitor()
        task = await rest.api.house.a_task(assignee_id=UUID(visitor.uuid))
        assert (await rest.send("GET", f"/tasks/{task.id}", visitor)).status_code == 200
        assert (await rest.send("PUT", f"/tasks/{task.id}", visitor, json={"completed": True})).status_code == 200
        for method, body in (("PUT", {"title": "Mine"}), ("DELETE", None)):
            response = await rest.send(method, f"/tasks/{task.id}", visitor, json=body)
            assert (response.status_code, response.json()) == (403, {"detail": "Insufficient permissions"})

    async def test_what_is_deleted_is_not_found(self, rest: Rest):
        """Once is 204, twice is 404."""
        visitor = await rest.a_visitor()
        task = await task_of(rest, visitor)
        statuses = [(await rest.send("DELETE", f"/tasks/{task.id}", visitor)).status_code for _ in range(2)]
        assert statuses == [204, 404]

    async def test_an_id_that_is_none_is_422(self, rest: Rest):
        """As before: the path is looked at like any other value."""
        response = await rest.send("GET", "/tasks/42", await rest.a_visitor())
        assert response.status_code == 422
        assert response.json()["details"][0]["field"] == "task_id"
