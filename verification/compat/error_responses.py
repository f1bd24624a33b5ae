"""The checks of the older API's error responses: the statuses and texts that clients use."""

from typing import Final
from uuid import uuid4

from verification.compat.result import Differs, expect, expect_that
from verification.compat.visitor import PASSWORD, Visitor

_GUARDED: Final = (
    ("GET", "/users/about_me/"),
    ("GET", "/tasks/"),
    ("POST", "/tasks/"),
    ("POST", "/auth/sessions/"),
    ("POST", "/auth/logout_all/"),
)


def no_token(visitor: Visitor) -> None:
    """Without a token: 401 "Not authenticated", with WWW-Authenticate."""
    for method, path in _GUARDED:
        reply = visitor.client.send(method, path)
        expect(reply, 401, "Not authenticated")
        expect_that(
            reply.headers.get("www-authenticate") == "Bearer", f"{method} {path} lacks WWW-Authenticate: Bearer"
        )


def garbage_token(visitor: Visitor) -> None:
    """With an invalid token: 401 "Invalid token"."""
    for method, path in _GUARDED:
        expect(visitor.client.send(method, path, token="garbage"), 401, "Invalid token")  # noqa: S106 - that is none


def scheme(visitor: Visitor) -> None:
    """The scheme `Bearer` in upper or lower case."""
    for word in ("bearer", "BEARER"):
        headers = {"authorization": f"{word} {visitor.first_user.token}"}
        expect(visitor.client.send("GET", "/users/about_me/", headers=headers), 200)


def wrong_password(visitor: Visitor) -> None:
    """A wrong password: 401."""
    person = visitor.first_user
    form = {"username": person.name, "password": "Wrong-horse-1"}
    expect(visitor.client.send("POST", "/auth/login/", form=form), 401)


def taken(visitor: Visitor) -> None:
    """A name that is taken: 400 with a message."""
    person = visitor.first_user
    values = {"username": person.name, "email": f"x{person.email}", "password": PASSWORD}
    reply = visitor.client.send("POST", "/auth/register/", values=values)
    expect(reply, 400, "A user with this name already exists")


def bad_registration(visitor: Visitor) -> None:
    """A registration that breaks rules: 422 with each field and a message."""
    values = {"username": "ab", "email": "nowhere", "password": "short"}
    reply = visitor.client.send("POST", "/auth/register/", values=values)
    expect(reply, 422)
    body = reply.json if isinstance(reply.json, dict) else {}
    expect_that(body.get("error") == "Validation error", f"error is {body.get('error')!r}")
    details = body.get("details")
    expect_that(
        isinstance(details, list) and all(set(each) == {"field", "message"} for each in details), "other details"
    )
    fields = {str(each["field"]).rpartition(".")[2] for each in details or ()}
    expect_that({"username", "email", "password"} <= fields, f"has only {', '.join(sorted(fields)) or 'nothing'}")


def unknown_field(visitor: Visitor) -> None:
    """A registration with an unknown field: 422."""
    person = visitor.new_user()
    values = {"username": person.name, "email": person.email, "password": PASSWORD, "role": "ADMIN"}
    reply = visitor.client.send("POST", "/auth/register/", values=values)
    if reply.status == 201:
        visitor.people.append(person)
    expect(reply, 422)


def no_cookie(visitor: Visitor) -> None:
    """Refreshing without a cookie: 401 "Refresh token missing"; with an invalid one: "Invalid refresh token"."""
    expect(visitor.client.send("POST", "/auth/refresh/"), 401, "Refresh token missing")
    expect(visitor.client.send("POST", "/auth/refresh/", cookie="garbage"), 401, "Invalid refresh token")


def logout_without_cookie(visitor: Visitor) -> None:
    """Logging out without a cookie: 404 "Token not found"."""
    expect(visitor.client.send("POST", "/auth/logout/", token=visitor.first_user.token), 404, "Token not found")


def no_task(visitor: Visitor) -> None:
    """A task that does not exist: 404 "Task not found"."""
    path = f"/tasks/{uuid4()}"
    for method, values in (("GET", None), ("PUT", {"title": "x"}), ("DELETE", None)):
        expect(visitor.client.send(method, path, token=visitor.first_user.token, values=values), 404, "Task not found")


def no_uuid(visitor: Visitor) -> None:
    """An id that is not a UUID: 422."""
    expect(visitor.client.send("GET", "/tasks/42", token=visitor.first_user.token), 422)


def bad_values(visitor: Visitor) -> None:
    """A task without a title, and a limit that is not a number: 422."""
    token = visitor.first_user.token
    expect(visitor.client.send("POST", "/tasks/", token=token, values={"description": "x"}), 422)
    expect(visitor.client.send("GET", "/tasks/?limit=x", token=token), 422)


def json_login(visitor: Visitor) -> None:
    """Signing in with JSON instead of the form: 422."""
    values = {"username": visitor.first_user.name, "password": PASSWORD}
    expect(visitor.client.send("POST", "/auth/login/", values=values), 422)


def no_redirect(visitor: Visitor) -> None:
    """A request with a body is not redirected because of a slash."""
    for path in ("/tasks", "/tasks/"):
        reply = visitor.client.send("POST", path, token=visitor.first_user.token, values={"title": ""})
        if 300 <= reply.status < 400:
            raise Differs(f"POST {path} is redirected ({reply.status})")


REFUSALS: Final = (
    no_token,
    garbage_token,
    scheme,
    wrong_password,
    taken,
    bad_registration,
    unknown_field,
    no_cookie,
    logout_without_cookie,
    no_task,
    no_uuid,
    bad_values,
    json_login,
    no_redirect,
)
