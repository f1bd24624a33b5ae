"""The intended differences from the older API: one test for each row of the table in docs/rest-migration.md."""

import asyncio
from uuid import UUID, uuid4

import pytest

from domain.user import Role
from graphql_api.schema.ids import encode_id
from rest_api.api import MAX_BODY
from rest_api.endpoints import OPERATIONS
from tests.rest_api.support import PASSWORD, Rest, cookie_of, tokens_of
from tests.support.waiting import HANG_SECONDS

PART = b'--x\r\nContent-Disposition: form-data; name="a"'


async def test_failed_sign_ins_have_equal_responses(rest: Rest):
    """Unknown name, wrong password and disabled user: the same bytes with 401."""
    visitor = await rest.a_visitor()
    disabled = await rest.api.a_user(is_active=False)
    answers = [await rest.login(name, "Wrong-horse1") for name in (visitor.name, "nobody-here", disabled.username)]
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (401, b'{"detail":"Wrong username or password."}')
    }
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}


async def test_failed_sign_ins_have_equal_cost(rest: Rest, monkeypatch: pytest.MonkeyPatch):
    """Each costs one hash of the current cost, so that the time does not reveal a name."""
    visitor = await rest.a_visitor()
    disabled = await rest.api.a_user(is_active=False)
    checked: list[bytes] = []

    def check(password: bytes, hashed: bytes) -> bool:
        checked.append(hashed[: len(b"$2b$04$")])
        return False

    monkeypatch.setattr("bcrypt.checkpw", check)
    for name in (visitor.name, "nobody-here", disabled.username):
        assert (await rest.login(name, "Wrong-horse1")).status_code == 401
    assert checked == [b"$2b$04$"] * 3


async def test_too_many_attempts_are_429_with_a_time(rest: Rest):
    """The sixth failure is 429, and so is the right password then; from another address nothing is shut."""
    visitor = await rest.a_visitor()
    assert [(await rest.login(visitor.name, "Wrong-horse1")).status_code for _ in range(6)] == [401] * 5 + [429]
    shut = await rest.login(visitor.name)
    assert (shut.status_code, shut.json()) == (429, {"detail": "Too many login attempts. Try again later."})
    assert 0 < int(shut.headers["retry-after"]) <= 600
    rest.move()
    assert (await rest.login(visitor.name)).status_code == 200


async def test_both_apis_share_the_count_of_failures(rest: Rest):
    """A failure in one counts in the other."""
    visitor = await rest.a_visitor()
    mutation = "mutation ($input: LoginInput!) { login(input: $input) { userErrors { code } } }"
    guess = {"username": visitor.name, "password": "Wrong-horse1"}
    for _ in range(5):
        body = {"query": mutation, "variables": {"input": guess}}
        await rest.client.post("/graphql", json=body)
    assert (await rest.login(visitor.name)).status_code == 429


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", {"title": "x"}), ("PATCH", {}), ("DELETE", None)])
async def test_a_hidden_task_is_not_found(rest: Rest, method: str, body: object):
    """404 with the message for a missing task."""
    visitor = await rest.a_visitor()
    task = await rest.api.build.a_task()
    for identity in (task.id, UUID(int=1)):
        response = await rest.send(method, f"/tasks/{identity}", visitor, json=body)
        assert (response.status_code, response.json()) == (404, {"detail": "Task not found"})
    assert await rest.api.build.task(task.id) is not None


async def test_the_rights_of_moderators(rest: Rest):
    """They create and change own tasks, read and delete any task, and change no other user's."""
    moderator = await rest.api.a_user(Role.MODERATOR)
    own = (await rest.send("POST", "/tasks/", moderator, json={"title": "Own"})).json()
    assert (await rest.send("PUT", f"/tasks/{own['uuid']}", moderator, json={"title": "x"})).status_code == 200
    other = await rest.api.build.a_task()
    assert (await rest.send("GET", f"/tasks/{other.id}", moderator)).status_code == 200
    changed = await rest.send("PUT", f"/tasks/{other.id}", moderator, json={"completed": True})
    assert (changed.status_code, changed.json()) == (403, {"detail": "Insufficient permissions"})
    assert (await rest.send("DELETE", f"/tasks/{other.id}", moderator)).status_code == 204


async def test_the_parent_may_come_again_for_ten_seconds(rest: Rest):
    """Two tabs with one cookie get the same successor, and both go on."""
    visitor = await rest.a_visitor()
    answers = await asyncio.gather(
        *(rest.send("POST", "/auth/refresh/", cookie=visitor.cookie) for _ in range(2)),
    )
    first, second = (tokens_of(answer)[1] for answer in answers)
    assert first == second
    tokens_of(await rest.send("POST", "/auth/refresh/", cookie=first))


async def test_a_reused_older_token_ends_the_session(rest: Rest):
    """No token of the session is accepted any more."""
    visitor = await rest.a_visitor()
    cookie = visitor.cookie
    for _ in range(2):
        token, cookie = tokens_of(await rest.send("POST", "/auth/refresh/", cookie=cookie))
    assert (await rest.send("POST", "/auth/refresh/", cookie=visitor.cookie)).status_code == 401
    assert (await rest.send("POST", "/auth/refresh/", cookie=cookie)).status_code == 401
    await rest.refused(token)


async def test_a_sign_out_ends_the_sessions_of_cookie_and_token(rest: Rest):
    """With an access token of one session and the cookie of a newer one, both end; a third one continues."""
    visitor = await rest.a_visitor()
    newer, cookie = tokens_of(await rest.login(visitor.name))
    third, _ = tokens_of(await rest.login(visitor.name))
    assert (await rest.send("POST", "/auth/logout/", visitor, cookie=cookie)).status_code == 204
    await rest.refused(visitor.token)
    await rest.refused(newer)
    assert (await rest.send("GET", "/users/about_me/", third)).status_code == 200


async def test_a_new_role_counts_within_a_second(rest: Rest):
    """The same access token reads all tasks once its user is a moderator."""
    visitor, admin = await rest.a_visitor(), await rest.api.a_user(Role.ADMIN)
    task = await rest.api.build.a_task()
    assert (await rest.send("GET", f"/tasks/{task.id}", visitor)).status_code == 404
    mutation = "mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { userErrors { code } } }"
    promoted = {"userId": encode_id("User", UUID(visitor.uuid)), "role": "MODERATOR"}
    (await rest.api.ask(mutation, admin, input=promoted)).payload("setUserRole")
    async with asyncio.timeout(HANG_SECONDS):
        while (await rest.send("GET", f"/tasks/{task.id}", visitor)).status_code != 200:
            await asyncio.sleep(0.01)


async def test_passwords_count_in_full(rest: Rest):
    """Two passwords that differ behind their 72nd byte are two passwords, and 1,025 bytes are too many."""
    rest.move()
    long = "Correct-horse1" + "x" * 1_010
    values = {"username": "long-winded", "email": "long@example.org", "password": long}
    assert (await rest.send("POST", "/auth/register/", json=values)).status_code == 201
    assert (await rest.login("long-winded", long[:72] + "y" * (len(long) - 72))).status_code == 401
    assert (await rest.login("long-winded", long)).status_code == 200
    response = await rest.send("POST", "/auth/register/", json=values | {"password": long + "x"})
    assert [problem["field"] for problem in response.json()["details"]] == ["password"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": "x" * 201}, "title"),
        ({"title": " "}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "x", "description": "x" * 10_001}, "description"),
        ({"title": "x", "description": "\x00"}, "description"),
        ({"title": 1}, "title"),
        ({}, "title"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
    ],
)
async def test_values_beyond_their_limits_are_422(rest: Rest, values: object, field: str):
    """Too long, empty, no text, or no object: with the field, and never cut."""
    response = await rest.send("POST", "/tasks/", await rest.a_visitor(), json=values)
    assert response.status_code == 422
    assert [problem["field"] for problem in response.json()["details"]] == [field]


async def test_an_over_long_user_agent_is_cut(rest: Rest):
    """Where the text only describes, it is cut, and control characters are left out."""
    visitor = await rest.a_visitor()
    data = {"username": visitor.name, "password": PASSWORD}
    await rest.send("POST", "/auth/login/", data=data, headers={"user-agent": "x" * 5_000})
    listed = (await rest.send("GET", "/auth/sessions/", visitor)).json()
    assert {len(session["user_agent"]) for session in listed} >= {512}


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1", b"\xff", b'{"title": NaN}', b"[" * 100_000, b'{"a":' * 5_000, b'"\\ud800"', b'{"title": "\\ud800"}'],
)
async def test_a_body_that_is_no_json_is_422(rest: Rest, body: bytes):
    """In the form of other validation errors."""
    headers = {"content-type": "application/json"}
    response = await rest.send("POST", "/tasks/", await rest.a_visitor(), content=body, headers=headers)
    assert response.status_code == 422
    assert [problem["field"] for problem in response.json()["details"]] == ["body"]


async def test_json_needs_no_content_type(rest: Rest):
    """Another type is refused; a BOM and a +json type are accepted."""
    visitor = await rest.a_visitor()
    for content_type, status in (
        (None, 201),
        ("application/json", 201),
        ("application/merge-patch+json; charset=utf-8", 201),
        ("text/plain", 422),
        ("application/x-www-form-urlencoded", 422),
    ):
        headers = {"content-type": content_type} if content_type else {}
        content = b'\xef\xbb\xbf{"title": "x"}'
        response = await rest.send("POST", "/tasks/", visitor, content=content, headers=headers)
        assert response.status_code == status, content_type


async def test_bodies_have_a_limit(rest: Rest):
    """More than 256 kB are 413, declared or not; compressed ones are 415."""
    visitor = await rest.a_visitor()
    response = await rest.send("POST", "/tasks/", visitor, content=b" " * (MAX_BODY + 1))
    assert (response.status_code, response.json()) == (413, {"detail": "The body is larger than 262,144 bytes."})
    headers = {"content-encoding": "gzip"}
    response = await rest.send("POST", "/tasks/", visitor, content=b"{}", headers=headers)
    assert (response.status_code, response.headers["accept-encoding"]) == (415, "identity")
    headers = {"content-encoding": "Identity"}
    response = await rest.send("POST", "/tasks/", visitor, content=b'{"title": "some text"}', headers=headers)
    assert response.status_code == 201


async def test_a_query_string_has_a_limit(rest: Rest):
    """More parameters than any endpoint has are refused before they are read one by one."""
    visitor = await rest.a_visitor()
    response = await rest.send("GET", "/tasks/?" + "a=1&" * 200, visitor)
    assert response.status_code == 422
    assert response.json()["details"] == [{"field": "query", "message": "Input should have at most 100 parameters"}]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"garbage"),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("multipart/form-data; boundary=x; charset=idna", PART),
        ("multipart/form-data; boundary=x; charset=undefined", PART + b"\r\n\r\n\xff\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", PART + b'; filename="f"\r\n\r\nx\r\n--x--\r\n'),
        ("application/x-www-form-urlencoded", b"&".join(b"a=%d" % number for number in range(100))),
    ],
)
async def test_broken_forms_are_400_or_422(rest: Rest, content_type: str, body: bytes):
    """A malformed form is a client error."""
    rest.move()
    response = await rest.send("POST", "/auth/login/", content=body, headers={"content-type": content_type})
    assert response.status_code in (400, 422)


async def test_names_with_nul_are_refused(rest: Rest):
    """NUL in a name or password is 422."""
    for values in ({"username": "a\x00"}, {"username": "a", "password": "\x00"}):
        response = await rest.send("POST", "/auth/login/", data={"password": "x"} | values)
        assert response.status_code == 422


class TestForeignPages:
    async def test_a_sign_in_from_a_foreign_page_is_refused(self, rest: Rest):
        """Before the form is read."""
        visitor = await rest.a_visitor()
        data = {"username": visitor.name, "password": PASSWORD}
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
            {"origin": "https://evil.testserver", "sec-fetch-site": "same-site"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "some-day"},
        ):
            response = await rest.send("POST", "/auth/login/", data=data, headers=headers)
            assert response.status_code == 403
            assert "ALLOWED_ORIGINS" in response.json()["detail"]
            assert "set-cookie" not in response.headers

    async def test_every_change_from_a_foreign_page_is_refused(self, rest: Rest):
        """Before a token or cookie is read."""
        visitor = await rest.a_visitor()
        for operation in OPERATIONS:
            for method in set(operation.methods) - {"GET"}:
                path = operation.path.replace("{task_id}", str(uuid4()))
                headers = {"sec-fetch-site": "cross-site", "authorization": f"Bearer {visitor.token}"}
                response = await rest.send(method, path, cookie=visitor.cookie, headers=headers)
                assert response.status_code == 403, (method, path)

    async def test_own_pages_and_programs_are_accepted(self, rest: Rest):
        """The same origin, the browser's same-origin header, a listed origin, and none."""
        visitor = await rest.a_visitor()
        data = {"username": visitor.name, "password": PASSWORD}
        for headers in (
            {},
            {"origin": "http://testserver"},
            {"origin": "https://testserver", "sec-fetch-site": "same-origin"},
            {"origin": "http://localhost:5173"},
            {"origin": "http://localhost:5173", "sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-origin"},
            {"sec-fetch-site": "none"},
        ):
            response = await rest.send("POST", "/auth/login/", data=data, headers=headers)
            assert cookie_of(response)


class TestSeveralCookies:
    @pytest.mark.parametrize("path", ["/auth/refresh/", "/auth/logout/"])
    async def test_two_refresh_cookies_are_refused_and_cleared(self, rest: Rest, path: str):
        """Another site of the domain may have set one: neither is used, and both are cleared."""
        visitor, attacker = await rest.a_visitor(), await rest.a_visitor()
        for pair in ((attacker, visitor), (visitor, attacker)):
            cookie = "; refresh_token=".join(each.cookie for each in pair)
            headers = {"host": "api.example.org:8000"}
            response = await rest.send("POST", path, visitor, cookie=cookie, headers=headers)
            assert response.status_code == 400
            assert "several refresh_token cookies" in response.json()["detail"]
            cleared = {
                tuple(part for part in each.split("; ") if part.startswith(("refresh", "Path", "Domain")))
                for each in response.headers.get_list("set-cookie")
            }
            assert ("refresh_token=", "Path=/") in cleared
            assert ("refresh_token=", "Path=/", "Domain=example.org") in cleared
            assert ("refresh_token=", f"Path=/api/v1{path}", "Domain=api.example.org") in cleared
        for each in (visitor, attacker):
            assert cookie_of(await rest.send("POST", "/auth/refresh/", cookie=each.cookie))

    async def test_two_equal_refresh_cookies_are_accepted(self, rest: Rest):
        """They are not ambiguous."""
        visitor = await rest.a_visitor()
        twice = f"{visitor.cookie}; refresh_token={visitor.cookie}"
        assert (await rest.send("POST", "/auth/refresh/", cookie=twice)).status_code == 200


class TestPathsAndMethods:
    async def test_other_paths_are_404_in_json(self, rest: Rest):
        """Unknown paths below the prefix list the endpoints; nothing redirects."""
        for path in ("/nowhere", "/tasks//", "/auth", "/tasks/x/y", "/"):
            response = await rest.send("POST", path)
            assert (response.status_code, set(response.json())) == (404, {"detail"})
            assert response.json()["detail"].startswith("Not Found: the endpoints below /api/v1 are /auth/register/, ")

    async def test_other_methods_are_405_with_the_allowed_ones(self, rest: Rest):
        """As OPTIONS lists them."""
        for method, path, allow in (
            ("PUT", "/tasks/", "GET, HEAD, OPTIONS, POST"),
            ("POST", "/tasks/x", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
            ("GET", "/auth/login", "OPTIONS, POST"),
            ("TRACE", "/auth/sessions", "GET, HEAD, OPTIONS, POST"),
        ):
            response = await rest.send(method, path)
            assert response.status_code == 405
            assert response.json() == {"detail": f"Method Not Allowed: this path supports {allow}."}
            assert response.headers["allow"] == allow
            options = await rest.send("OPTIONS", path)
            assert (options.status_code, options.headers["allow"]) == (204, allow)

    async def test_head_is_get_without_a_body(self, rest: Rest):
        """The same headers, the length among them."""
        visitor = await rest.a_visitor()
        for path in ("/users/about_me/", "/tasks/", "/auth/sessions"):
            got = await rest.send("GET", path, visitor)
            head = await rest.send("HEAD", path, visitor)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-length"] == got.headers["content-length"]


class TestFailures:
    async def test_an_outage_is_503_with_retry_after(self, rest: Rest, monkeypatch: pytest.MonkeyPatch):
        """For every operation that needs the database."""
        visitor = await rest.a_visitor()

        async def down(*_: object) -> None:
            raise ConnectionError

        monkeypatch.setattr("persistence.queries.reader.ReadConnection.rows", down)
        response = await rest.send("GET", "/tasks/", visitor)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json() == {"detail": "The database is temporarily unavailable; try again in a moment."}

    async def test_a_bug_is_masked_and_logged(
        self, rest: Rest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        """The answer names the request, and the log has the rest."""
        visitor = await rest.a_visitor()

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("secret")

        monkeypatch.setattr("persistence.queries.reader.ReadConnection.rows", broken)
        response = await rest.send("GET", "/tasks/", visitor, headers={"x-request-id": "abc"})
        assert response.status_code == 500
        assert response.json() == {"detail": "Something went wrong on our side. Please report request id abc."}
        assert "secret" in caplog.text
        assert "request abc" in caplog.text
