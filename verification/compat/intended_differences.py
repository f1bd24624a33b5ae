"""The checks of intended differences: the server must behave like the older API or like Taskriver."""

import time
from typing import Final

from verification.compat.http import CompatResponse
from verification.compat.result import Differs, NotTried, OnPurpose, either, expect
from verification.compat.visitor import PASSWORD, Visitor

GUESSES: Final = 8
WITHIN_SECONDS: Final = 1.5


def unknown_user(visitor: Visitor) -> None:
    """Signing in as an unknown user: was 404."""
    form = {"username": f"{visitor.new_user().name}x", "password": PASSWORD}
    reply = visitor.client.send("POST", "/auth/login/", form=form)
    either(reply, before=404, now=401, why="the same as a wrong password")


def foreign_task(visitor: Visitor) -> None:
    """A task of another user: was 403."""
    task = visitor.a_task(visitor.second_user)
    reply = visitor.client.send("GET", f"/tasks/{task['uuid']}", token=visitor.first_user.token)
    either(reply, before=403, now=404, why="it does not reveal whether the task exists")


def refresh_token_as_bearer(visitor: Visitor) -> None:
    """A refresh token instead of an access token: was accepted."""
    reply = visitor.client.send("GET", "/users/about_me/", token=visitor.first_user.cookie)
    either(reply, before=200, now=401, why="a refresh token is valid only for a refresh")


def used_refresh_token(visitor: Visitor) -> None:
    """A refresh token that was just used: was 401."""
    person = visitor.first_user
    cookie = person.cookie
    first = visitor.client.send("POST", "/auth/refresh/", cookie=cookie)
    expect(first, 200)
    person.cookie = first.cookie or ""
    again = visitor.client.send("POST", "/auth/refresh/", cookie=cookie)
    if again.status == 200 and again.cookie != first.cookie:
        raise Differs("200 with a different token")
    either(again, before=401, now=200, why="for ten seconds, two browser tabs get the same successor")


def token_after_logout(visitor: Visitor) -> None:
    """An access token after logging out: was valid until it expired."""
    person = visitor.second_user
    expect(visitor.login(person), 200)
    expect(visitor.client.send("POST", "/auth/logout/", token=person.token, cookie=person.cookie), 204)
    deadline = time.monotonic() + WITHIN_SECONDS
    while (reply := visitor.client.send("GET", "/users/about_me/", token=person.token)).status == 200:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    person.token = ""
    either(reply, before=200, now=401, why="a sign-out takes effect within a second")


def long_password(visitor: Visitor) -> None:
    """A password of which only the first 72 bytes are right: was accepted."""
    person, password = visitor.new_user(), f"{PASSWORD}{'x' * 70}"
    expect(visitor.register(person, password), 201)
    reply = visitor.login(person, f"{password[:72]}Another-end-1")
    if reply.status == 401:
        expect(visitor.login(person, password), 200)
    either(reply, before=200, now=401, why="all bytes of the password count")


def echo(visitor: Visitor) -> None:
    """The body in a 422: was complete, including passwords."""
    reply = visitor.client.send("POST", "/auth/register/", values={"username": "x", "password": "Tell-nobody-1"})
    expect(reply, 422)
    if b"Tell-nobody-1" not in reply.body:
        raise OnPurpose("null instead of the body: it may contain a password")


def long_title(visitor: Visitor) -> None:
    """A title of ten thousand characters: could be 500."""
    reply = _created(visitor, {"title": "x" * 10_000})
    either(reply, before=500, now=422, why="the length is checked before anything is stored")


def negative_skip(visitor: Visitor) -> None:
    """A negative skip: could be 500."""
    reply = visitor.client.send("GET", "/tasks/?skip=-1", token=visitor.first_user.token)
    either(reply, before=500, now=422, why="the error names the parameter")


def foreign_page(visitor: Visitor) -> None:
    """The login form from a page of another site: was accepted."""
    reply = visitor.login(visitor.first_user, origin="https://evil.example")
    either(reply, before=200, now=403, why="unless ALLOWED_ORIGINS names the page")


def sent_again(visitor: Visitor) -> None:
    """A task that is sent again with the same Idempotency-Key: was a second task."""
    person = visitor.first_user
    key = {"idempotency-key": f"compat-{visitor.a_task(person)['uuid']}"}
    uuids = set()
    for _ in range(2):
        reply = visitor.client.send("POST", "/tasks/", token=person.token, values={"title": "Once"}, headers=key)
        expect(reply, 201)
        visitor.track(person, reply)
        uuids.add(reply.json["uuid"])
    if len(uuids) == 1:
        raise OnPurpose("the same task instead of a second one: a request with a key is executed once")


def too_many_guesses(visitor: Visitor) -> None:
    """Too many wrong passwords: was 403."""
    person = visitor.people[-1] if visitor.people else visitor.first_user
    for _ in range(GUESSES):
        form = {"username": person.name, "password": "Wrong-horse-1"}
        reply = visitor.client.send("POST", "/auth/login/", form=form)
        if reply.status != 401:
            if reply.status == 429 and not reply.headers.get("retry-after", "").isdigit():
                raise Differs("429 without Retry-After")
            return either(reply, before=403, now=429, why="with Retry-After")
    raise NotTried(f"{GUESSES} attempts were not refused")


def _created(visitor: Visitor, values: dict[str, str]) -> CompatResponse:
    reply = visitor.client.send("POST", "/tasks/", token=visitor.first_user.token, values=values)
    visitor.track(visitor.first_user, reply)
    return reply


PURPOSES: Final = (
    unknown_user,
    foreign_task,
    refresh_token_as_bearer,
    used_refresh_token,
    token_after_logout,
    long_password,
    echo,
    long_title,
    negative_skip,
    foreign_page,
    sent_again,
    too_many_guesses,  # last, because its user is locked out for a while
)
