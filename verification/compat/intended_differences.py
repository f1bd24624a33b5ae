"""Where Taskriver is another way than the older API, on purpose: each answer is the one or the other, or differs."""

import time
from typing import Final

from verification.compat.http import Reply
from verification.compat.result import Differs, NotTried, OnPurpose, either, expect
from verification.compat.visitor import PASSWORD, Visit

GUESSES: Final = 8
WITHIN_SECONDS: Final = 1.5


def unknown_user(visit: Visit) -> None:
    """Signing in as nobody: was 404."""
    form = {"username": f"{visit.newcomer().name}x", "password": PASSWORD}
    reply = visit.client.send("POST", "/auth/login/", form=form)
    either(reply, before=404, now=401, why="the same as a wrong password")


def foreign_task(visit: Visit) -> None:
    """Somebody else's task: was 403."""
    task = visit.a_task(visit.otto)
    reply = visit.client.send("GET", f"/tasks/{task['uuid']}", token=visit.anna.token)
    either(reply, before=403, now=404, why="whether it exists is nobody's business")


def refresh_token_as_bearer(visit: Visit) -> None:
    """A refresh token in the place of an access token: was accepted."""
    reply = visit.client.send("GET", "/users/about_me/", token=visit.anna.cookie)
    either(reply, before=200, now=401, why="it is good for one refresh")


def used_refresh_token(visit: Visit) -> None:
    """A refresh token that was used a moment ago: was 401."""
    person = visit.anna
    cookie = person.cookie
    first = visit.client.send("POST", "/auth/refresh/", cookie=cookie)
    expect(first, 200)
    person.cookie = first.cookie or ""
    again = visit.client.send("POST", "/auth/refresh/", cookie=cookie)
    if again.status == 200 and again.cookie != first.cookie:
        raise Differs("200 with yet another token")
    either(again, before=401, now=200, why="two tabs get the same successor, for ten seconds")


def token_after_logout(visit: Visit) -> None:
    """An access token after logging out: was good until it expired."""
    person = visit.otto
    expect(visit.login(person), 200)
    expect(visit.client.send("POST", "/auth/logout/", token=person.token, cookie=person.cookie), 204)
    deadline = time.monotonic() + WITHIN_SECONDS
    while (reply := visit.client.send("GET", "/users/about_me/", token=person.token)).status == 200:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    person.token = ""
    either(reply, before=200, now=401, why="signed out is signed out, within a second")


def long_password(visit: Visit) -> None:
    """A password that is right in its first 72 bytes: was accepted."""
    person, password = visit.newcomer(), f"{PASSWORD}{'x' * 70}"
    expect(visit.register(person, password), 201)
    reply = visit.login(person, f"{password[:72]}Another-end-1")
    if reply.status == 401:
        expect(visit.login(person, password), 200)
    either(reply, before=200, now=401, why="it counts in full")


def echo(visit: Visit) -> None:
    """What a 422 says of the body: was all of it, passwords included."""
    reply = visit.client.send("POST", "/auth/register/", values={"username": "x", "password": "Tell-nobody-1"})
    expect(reply, 422)
    if b"Tell-nobody-1" not in reply.body:
        raise OnPurpose("null instead of the body: it may hold a password")


def long_title(visit: Visit) -> None:
    """A title of ten thousand characters: could be 500."""
    reply = _created(visit, {"title": "x" * 10_000})
    either(reply, before=500, now=422, why="said before anything is stored")


def negative_skip(visit: Visit) -> None:
    """A negative skip: could be 500."""
    reply = visit.client.send("GET", "/tasks/?skip=-1", token=visit.anna.token)
    either(reply, before=500, now=422, why="told with its name")


def foreign_page(visit: Visit) -> None:
    """The login form sent by another site's page: was accepted."""
    reply = visit.login(visit.anna, origin="https://evil.example")
    either(reply, before=200, now=403, why="unless ALLOWED_ORIGINS names the page")


def sent_again(visit: Visit) -> None:
    """A task that is sent again under one Idempotency-Key: was a second task."""
    person = visit.anna
    key = {"idempotency-key": f"compat-{visit.a_task(person)['uuid']}"}
    uuids = set()
    for _ in range(2):
        reply = visit.client.send("POST", "/tasks/", token=person.token, values={"title": "Once"}, headers=key)
        expect(reply, 201)
        visit.made(person, reply)
        uuids.add(reply.json["uuid"])
    if len(uuids) == 1:
        raise OnPurpose("the same task instead of a second one: a key counts once")


def too_many_guesses(visit: Visit) -> None:
    """Too many wrong passwords: was 403."""
    person = visit.people[-1] if visit.people else visit.anna
    for _ in range(GUESSES):
        form = {"username": person.name, "password": "Wrong-horse-1"}
        reply = visit.client.send("POST", "/auth/login/", form=form)
        if reply.status != 401:
            if reply.status == 429 and not reply.headers.get("retry-after", "").isdigit():
                raise Differs("429 without Retry-After")
            return either(reply, before=403, now=429, why="with Retry-After")
    raise NotTried(f"{GUESSES} guesses were not too many")


def _created(visit: Visit, values: dict[str, str]) -> Reply:
    reply = visit.client.send("POST", "/tasks/", token=visit.anna.token, values=values)
    visit.made(visit.anna, reply)
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
    too_many_guesses,  # the last: its user is shut out for a while
)
