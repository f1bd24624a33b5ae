"""`taskriver compat check`: the server fulfils the contract, and deviations are found."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from persistence.database import Database
from tests.cli.conftest import Run
from tests.support.api_server import settings_of
from tests.support.builders import Builders
from tests.support.executors import a_server
from tests.support.threads import served_by_thread
from tests.support.waiting import HANG_SECONDS
from verification.compat.check import CHECKS

Answer = tuple[int, dict[bytes, bytes], bytes]
Modify = Callable[[str, str, Answer], Answer]


class ModifiedServer:
    """An application whose responses are modified."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.modify: Modify | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.modify is None:
            await self._app(scope, receive, send)
            return
        start: list[Message] = []
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, keep)
        headers = {name: value for name, value in start[0]["headers"] if name != b"content-length"}
        answer = (start[0]["status"], headers, bytes(body))
        status, headers, expected = self.modify(scope["method"], scope["path"], answer)
        await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
        await send({"type": "http.response.body", "body": expected})


@pytest.fixture(scope="module")
def modified_server(database_url: str, new_redis: Callable[[], str]) -> Iterator[tuple[str, ModifiedServer]]:
    """A server whose responses can be modified, and its URL."""
    app = ModifiedServer(a_server(settings_of(database_url, new_redis()), rate_limit_timeout=HANG_SECONDS).asgi())
    with served_by_thread(app) as url:
        yield url, app


@pytest.fixture
def check(run: Run, modified_server: tuple[str, ModifiedServer]) -> Any:
    """Checks the server with modified responses: the exit code, and verdict and text by check."""

    def check(modify: Modify | None = None) -> tuple[int, dict[str, tuple[str, str]]]:
        url, app = modified_server
        app.modify = modify
        try:
            result = run("compat", "check", url, "--json")
        finally:
            app.modify = None
        found = json.loads(result.out)["findings"]
        assert len(found) == len(CHECKS)
        return result.code, {each["what"]: (each["verdict"], each["told"]) for each in found}

    return check


def test_the_own_server_matches(check: Any, run: Run, modified_server: tuple[str, ModifiedServer], ask: Any):
    """All checks match or are intended differences; only the users are left behind."""

    async def there(database: Database) -> tuple[int, int]:
        snapshot = await Builders(database).snapshot()
        return len(snapshot["tasks"]), len(snapshot["sessions"])

    before = ask(there)
    code, found = check()
    verdicts = [verdict for verdict, _ in found.values()]

    assert code == 0, found
    assert (verdicts.count("matches"), verdicts.count("on purpose")) == (26, 12), found
    assert ask(there) == before


def changed(where: str, change: Callable[[Answer], Answer]) -> Modify:
    """Modify the responses of paths that contain a text."""
    return lambda method, path, answer: change(answer) if where in f"{method} {path}" else answer


def without_owner(answer: Answer) -> Answer:
    """Tasks without a field."""
    status, headers, body = answer
    return status, headers, body.replace(b'"owner_uuid"', b'"owner"')


def no_http_only(answer: Answer) -> Answer:
    """The cookie without HttpOnly."""
    status, headers, body = answer
    return status, {name: value.replace(b" HttpOnly;", b"") for name, value in headers.items()}, body


def other_words(answer: Answer) -> Answer:
    """Another error message."""
    status, headers, body = answer
    return status, headers, body.replace(b"Task not found", b"Not Found")


def broken(answer: Answer) -> Answer:
    """All responses are errors."""
    return 500, {b"content-type": b"text/plain"}, b"Internal Server Error"


def redirected(method: str, path: str, answer: Answer) -> Answer:
    """Paths without a slash redirect, as in FastAPI."""
    return answer if path.endswith("/") else (307, {b"location": f"{path}/".encode()}, b"")


@pytest.mark.parametrize(
    ("modify", "begins", "expected"),
    [
        (
            changed("/tasks", without_owner),
            "POST /tasks:",
            "has uuid, title, description, completed, created_at, owner",
        ),
        (changed("/auth/login", no_http_only), "POST /auth/login:", "the cookie lacks HttpOnly"),
        (changed("GET /api/v1/tasks/", other_words), "A task that does not exist", "404 'Not Found' instead of"),
        (changed("GET /api/v1/users/about_me", broken), "GET /users/about_me", "500 instead of 200"),
        (changed("/auth/sessions", lambda answer: (200, {}, b"[7]")), "POST and GET /auth/sessions", "has no fields"),
        (redirected, "GET /users/about_me", "GET /users/about_me: 307 instead of 200"),
    ],
    ids=["field", "cookie", "words", "500", "shape", "redirect"],
)
def test_a_difference_is_found(check: Any, modify: Modify, begins: str, expected: str):
    """It is in its row, and the exit code is 1."""
    code, found = check(modify)
    (row,) = (finding for what, finding in found.items() if what.startswith(begins))

    assert code == 1
    assert row[0] == "differs"
    assert expected in row[1]


def test_the_behaviour_of_the_older_server_matches(check: Any):
    """A server without the intended differences matches."""
    older = {"/auth/login": (401, 404), "/tasks/": (404, 403)}

    def modify(method: str, path: str, answer: Answer) -> Answer:
        for where, (now, before) in older.items():
            if where in path and answer[0] == now:
                return before, answer[1], answer[2]
        return answer

    _, found = check(modify)

    assert found["Signing in as an unknown user: was 404"] == ("matches", "")
    assert found["A task of another user: was 403"] == ("matches", "")


def test_another_kind_of_server_differs(check: Any):
    """A server with one response for everything differs, and checks that need a sign-in are not tried."""
    code, found = check(lambda method, path, answer: (200, {b"content-type": b"application/json"}, b"{}"))

    assert code == 1
    assert {verdict for verdict, _ in found.values()} == {"differs", "not tried"}


def test_a_server_without_the_api_is_reported(run: Run, modified_server: tuple[str, ModifiedServer]):
    """One line says that it is not this API; exit code 1."""
    url, app = modified_server
    app.modify = lambda method, path, answer: (200, {b"content-type": b"text/html"}, b"<h1>Welcome</h1>")
    try:
        result = run("compat", "check", url)
    finally:
        app.modify = None

    assert (result.code, result.out) == (1, "")
    assert f"taskriver: {url} does not have the older REST API: " in result.err


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "http://127.0.0.1:1",
            "http://127.0.0.1:1: connection refused. Check the URL, and that the server is running.",
        ),
        (
            "ftp://example.org",
            "'ftp://example.org' is not the URL of a server: use a URL such as http://127.0.0.1:8000.",
        ),
    ],
)
def test_an_unreachable_server_is_reported(run: Run, url: str, expected: str):
    """One line; exit code 1."""
    result = run("compat", "check", url)

    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines()[-1] == f"taskriver: {expected}"
