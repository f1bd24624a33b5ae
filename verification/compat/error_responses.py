"""How the older API says no: statuses and texts that clients look at."""

from typing import Final
from uuid import uuid4

from verification.compat.result import Differs, expect, expect_that
from verification.compat.visitor import PASSWORD, Visit

_GUARDED: Final = (
    ("GET", "/users/about_me/"),
    ("GET", "/tasks/"),
    ("POST", "/tasks/"),
    ("POST", "/auth/sessions/"),
    ("POST", "/auth/logout_all/"),
)


def no_token(visit: Visit) -> None:
    """Without a token: 401 "Not authenticated", with WWW-Authenticate."""
    for method, path in _GUARDED:
        reply = visit.client.send(method, path)
        expect(reply, 401, "Not authenticated")
        expect_that(
            reply.headers.get("www-authenticate") == "Bearer", f"{method} {path} lacks WWW-Authenticate: Bearer"
        )


def garbage_token(visit: Visit) -> None:
    """With a token that is none: 401 "Invalid token"."""
    for method, path in _GUARDED:
        expect(visit.client.send(method, path, token="garbage"), 401, "Invalid token")  # noqa: S106 - that is none


def scheme(visit: Visit) -> None:
    """The scheme `Bearer` in any case."""
    for word in ("bearer", "BEARER"):
        headers = {"authorization": f"{word} {visit.anna.token}"}
        expect(visit.client.send("GET", "/users/about_me/", headers=headers), 200)


def wrong_password(visit: Visit) -> None:
    """A wrong password: 401."""
    person = visit.anna
    form = {"username": person.name, "password": "Wrong-horse-1"}
    expect(visit.client.send("POST", "/auth/login/", form=form), 401)


def taken(visit: Visit) -> None:
    """A name that is taken: 400 in words."""
    person = visit.anna
    values = {"username": person.name, "email": f"x{person.email}", "password": PASSWORD}
    reply = visit.client.send("POST", "/auth/register/", values=values)
    expect(reply, 400, "A user with this name already exists")


def bad_registration(visit: Visit) -> None:
    """A registration that breaks rules: 422 with each field and a message."""
    values = {"username": "ab", "email": "nowhere", "password": "short"}
    reply = visit.client.send("POST", "/auth/register/", values=values)
    expect(reply, 422)
    told = reply.json if isinstance(reply.json, dict) else {}
    expect_that(told.get("error") == "Validation error", f"error is {told.get('error')!r}")
    details = told.get("details")
    expect_that(
        isinstance(details, list) and all(set(each) == {"field", "message"} for each in details), "other details"
    )
    fields = {str(each["field"]).rpartition(".")[2] for each in details or ()}
    expect_that({"username", "email", "password"} <= fields, f"tells only of {', '.join(sorted(fields)) or 'nothing'}")


def unknown_field(visit: Visit) -> None:
    """A registration with a field that there is not: 422."""
    person = visit.newcomer()
    values = {"username": person.name, "email": person.email, "password": PASSWORD, "role": "ADMIN"}
    reply = visit.client.send("POST", "/auth/register/", values=values)
    if reply.status == 201:
        visit.people.append(person)
    expect(reply, 422)


def no_cookie(visit: Visit) -> None:
    """Refreshing without a cookie: 401 "Refresh token missing"; with one that is none: "Invalid refresh token"."""
    expect(visit.client.send("POST", "/auth/refresh/"), 401, "Refresh token missing")
    expect(visit.client.send("POST", "/auth/refresh/", cookie="garbage"), 401, "Invalid refresh token")


def logout_without_cookie(visit: Visit) -> None:
    """Logging out without a cookie: 404 "Token not found"."""
    expect(visit.client.send("POST", "/auth/logout/", token=visit.anna.token), 404, "Token not found")


def no_task(visit: Visit) -> None:
    """A task that there is not: 404 "Task not found"."""
    path = f"/tasks/{uuid4()}"
    for method, values in (("GET", None), ("PUT", {"title": "x"}), ("DELETE", None)):
        expect(visit.client.send(method, path, token=visit.anna.token, values=values), 404, "Task not found")


def no_uuid(visit: Visit) -> None:
    """An id that is no uuid: 422."""
    expect(visit.client.send("GET", "/tasks/42", token=visit.anna.token), 422)


def bad_values(visit: Visit) -> None:
    """A task without a title, and a limit that is no number: 422."""
    token = visit.anna.token
    expect(visit.client.send("POST", "/tasks/", token=token, values={"description": "x"}), 422)
    expect(visit.client.send("GET", "/tasks/?limit=x", token=token), 422)


def json_login(visit: Visit) -> None:
    """Signing in with JSON in the place of the form: 422."""
    values = {"username": visit.anna.name, "password": PASSWORD}
    expect(visit.client.send("POST", "/auth/login/", values=values), 422)


def no_redirect(visit: Visit) -> None:
    """A body is never sent elsewhere: no redirect for a slash."""
    for path in ("/tasks", "/tasks/"):
        reply = visit.client.send("POST", path, token=visit.anna.token, values={"title": ""})
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
