"""What an attacker with an account would try next: learn of others, use up what all share, outlive a revocation."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import delete, update

from domain.user import Role
from graphql_api.context import MAX_CONNECTIONS
from graphql_api.schema.ids import encode_id
from persistence.models import SessionRow, UserRow
from persistence.statement_counts import Statements
from server.app import Server
from tests.graphql_api.hostile_input import operations
from tests.graphql_api.test_sql_counts import OF_THE_STREAM
from tests.rest_api.documented import HOOKS
from tests.streaming.support import until
from tests.support.api import URL, Answer, Api
from tests.support.api_server import an_api, settings_of
from tests.support.builders import Builders
from tests.support.executors import a_server
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import connected

PASSWORD = "Taskriver-1"
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
  accessToken refreshToken userErrors { message code } } }"""
REFRESH = """mutation ($input: RefreshTokenInput!) { refreshToken(input: $input) {
  accessToken refreshToken userErrors { code } } }"""
SECRET = "cAnArIeNvOgEl"
ABOUT_A_TASK = [each for each in operations("mutation") if "id" in each.variables.get("input", {})]

_hosts = count(1)


async def a_sign_in(api: Api, user: UserRow, **more: Any) -> Answer:
    """Sign in from an address that was not used before."""
    return await _from_afar(api, LOGIN, {"username": user.username, "password": PASSWORD} | more)


async def _from_afar(api: Api, query: str, given: dict[str, Any], **headers: str) -> Answer:
    transport = httpx.ASGITransport(api.server.asgi(), client=(f"172.16.0.{next(_hosts)}", 1))
    async with httpx.AsyncClient(transport=transport, base_url=URL, event_hooks=HOOKS) as client:
        body = {"query": query, "variables": {"input": given}}
        return Answer(await client.post("/graphql", json=body, headers=headers))


async def _with_password(api: Api, **values: Any) -> UserRow:
    return await api.a_user(password_hash=await api.server.passwords.hash(PASSWORD), **values)


class TestOthersTasks:
    @pytest.mark.parametrize("operation", ABOUT_A_TASK, ids=str)
    async def test_a_foreign_task_and_a_missing_one_look_the_same(self, api: Api, operation: Any):
        """The response does not reveal whether a hidden task exists."""
        outsider, foreign = await api.a_user(), await api.build.a_task(version=7)
        answers = []
        for identity in (foreign.id, uuid4()):
            given = operation.variables["input"] | {"id": encode_id("Task", identity), "expectedVersion": 3}
            given |= {"assigneeId": None} if "assigneeId" in given else {}
            answers.append((await api.ask(operation.text, outsider, input=given)).body)
        assert answers[0] == answers[1]

    @pytest.mark.parametrize(
        "wanted",
        [
            {"search": SECRET},
            {"search": SECRET[:3]},
            {"ownerId": ""},
            {"assigneeId": ""},
            {"dueAfter": "1970-01-01T00:00:00Z"},
        ],
        ids=lambda wanted: next(iter(wanted)),
    )
    async def test_no_filter_is_an_oracle(self, api: Api, wanted: dict[str, Any]):
        """Filters and counts know only what one may see."""
        outsider, owner, helper = await api.a_user(), await api.a_user(), await api.a_user()
        await api.build.a_task(owner, title=SECRET, assignee_id=helper.id)
        people = {"ownerId": encode_id("User", owner.id), "assigneeId": encode_id("User", helper.id)}
        query = "query ($filter: TaskFilter) { tasks(filter: $filter) { totalCount nodes { id } } }"

        answer = await api.ask(query, outsider, filter={key: people.get(key, value) for key, value in wanted.items()})

        assert answer.data["tasks"] == {"totalCount": 0, "nodes": []}

    async def test_a_former_assignee_sees_nothing(self, api: Api):
        """Neither the task nor its earlier and later events."""
        owner, helper = await api.a_user(), await api.a_user()
        task = await api.build.a_task(owner, assignee_id=helper.id)
        identity = encode_id("Task", task.id)
        query = "query ($id: ID!) { task(id: $id) { history { edges { cursor } } } node(id: $id) { id } }"
        assert (await api.ask(query, helper, id=identity)).data["node"] is not None

        taken = "mutation ($input: AssignTaskInput!) { assignTask(input: $input) { userErrors { code } } }"
        (await api.ask(taken, owner, input={"id": identity, "assigneeId": None})).payload("assignTask")

        assert (await api.ask(query, helper, id=identity)).data == {"task": None, "node": None}


class TestTokens:
    async def test_each_token_has_one_purpose(self, api: Api):
        """A refresh token does not authenticate, and an access token cannot be refreshed."""
        login = (await a_sign_in(api, await _with_password(api), returnRefreshToken=True)).payload("login")
        assert (await api.ask("{ me { id } }", login["refreshToken"])).codes == ["UNAUTHENTICATED"]
        refused = await _from_afar(api, REFRESH, {"refreshToken": login["accessToken"]})
        assert refused.refusal("refreshToken")["code"] == "INVALID_CREDENTIALS"

    async def test_no_script_gets_to_see_the_cookies_successor(self, api: Api):
        """A page that was taken over can use the cookie while it is open, and cannot carry it away."""
        login = await a_sign_in(api, await _with_password(api))
        cookie = login.http.headers["set-cookie"].partition(";")[0]
        for trick in ({}, {"refreshToken": None}):
            answer = await _from_afar(api, REFRESH, trick, cookie=cookie)
            assert answer.payload("refreshToken")["refreshToken"] is None
            cookie = answer.http.headers["set-cookie"].partition(";")[0]
        answer = await _from_afar(api, REFRESH, {"refreshToken": ""}, cookie=cookie)
        assert answer.refusal("refreshToken")["code"] == "INVALID_CREDENTIALS"

    async def test_a_socket_does_not_use_the_cookie_up(self, api: Api):
        """The successor could not get back into the cookie, so that the session would end with it."""
        login = await a_sign_in(api, await _with_password(api))
        cookie = login.http.headers["set-cookie"].partition(";")[0]
        async with (
            serving(api.server.asgi()) as url,
            connected(url, additional_headers={"cookie": cookie}) as socket,
        ):
            await socket.init()
            await socket.subscribe("1", REFRESH, input={})
            [error] = (await socket.receive())["payload"]["data"]["refreshToken"]["userErrors"]
        assert error["code"] == "INVALID_CREDENTIALS"
        assert (await _from_afar(api, REFRESH, {}, cookie=cookie)).payload("refreshToken")["accessToken"]

    async def test_every_session_can_be_seen_and_ended(self, api: Api):
        """Beyond a hundred sessions the oldest end, for a thief's that is not listed could not be ended."""
        user = await _with_password(api)
        for _ in range(101):
            await api.build.a_session(user)
        access = (await a_sign_in(api, user, returnRefreshToken=True)).payload("login")["accessToken"]

        sessions = (await api.ask("{ sessions { isCurrent } }", access)).data["sessions"]

        assert [each["isCurrent"] for each in sessions] == [True] + 99 * [False]
        async with api.build.as_(None) as uow:
            assert len(await uow.sessions.list_of_user(user.id, now=uow.now, at_most=200)) == 100


class TestGuessing:
    async def test_no_disguise_buys_more_guesses(self, api: Api):
        """Another spelling of the name, or a forged way through proxies, is counted as the same guesser."""
        user = await _with_password(api)
        transport = httpx.ASGITransport(api.server.asgi(), client=(f"172.16.0.{next(_hosts)}", 1))
        codes = []
        async with httpx.AsyncClient(transport=transport, base_url=URL, event_hooks=HOOKS) as client:
            for number, spell in enumerate((str.lower, str.upper, str.title, str.swapcase, str.lower, str.upper)):
                body = {"query": LOGIN, "variables": {"input": {"username": spell(user.username), "password": "x"}}}
                headers = {
                    "x-forwarded-for": f"9.9.9.{number}",
                    "x-real-ip": f"9.9.9.{number}",
                    "forwarded": "for=9.9.9.9",
                }
                codes += Answer(await client.post("/graphql", json=body, headers=headers)).codes
        assert codes == ["RATE_LIMITED"]

    async def test_nothing_secret_is_logged(self, api: Api, caplog: pytest.LogCaptureFixture):
        """Passwords, tokens and addresses are in no line of the log, at any level."""
        caplog.set_level(logging.DEBUG)
        register = "mutation ($input: RegisterInput!) { register(input: $input) { userErrors { code } } }"
        for password in (SECRET, f"{SECRET}-1", [SECRET], f"{SECRET}\x00"):
            await _from_afar(api, LOGIN, {"username": SECRET, "password": password})
            given = {"username": f"c{next(_hosts)}", "email": f"{SECRET}@example.org", "password": password}
            await _from_afar(api, register, given)
            await _from_afar(api, REFRESH, {"refreshToken": password})
        await _from_afar(api, "{ me { id } }", {}, authorization=f"Bearer {SECRET}", cookie=f"refresh_token={SECRET}")
        await _from_afar(api, f'{{ task(id: "{SECRET}") {{ id }} }}', {}, **{"x-request-id": f"{SECRET} x"})
        assert SECRET.lower() not in caplog.text.lower()


@contextmanager
def watched(api: Api) -> Iterator[dict[str, int]]:
    """Counts the statements sent in here, and how many connections are out at most at a time."""
    pool, run = api.server.database._pool, Statements.run
    seen = {"statements": 0, "most": 0}

    async def note_and_run(self: Statements, statement: str, *how: Any) -> Any:
        seen["statements"] += statement not in OF_THE_STREAM
        result = await run(self, statement, *how)
        seen["most"] = max(seen["most"], pool.acquired)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statements, "run", note_and_run)
        yield seen


class TestSharing:
    @pytest.fixture
    async def api(self, new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
        """An API for this class, because its connections are counted."""
        async with an_api(new_database(), new_redis()) as api:
            yield api

    async def test_one_operation_does_not_take_every_connection(self, api: Api):
        """Other operations get connections while one operation has many fields."""
        owner = await api.a_user()
        for _ in range(20):
            await api.build.a_task(owner)
        histories = " ".join(f"h{number}: history(first: 1) {{ nodes {{ at }} }}" for number in range(10))
        with watched(api) as seen:
            answer = await api.ask(f"{{ tasks(first: 20) {{ nodes {{ {histories} }} }} }}", owner)
        assert len(answer.data["tasks"]["nodes"]) == 20
        assert 1 <= seen["most"] <= MAX_CONNECTIONS

    async def test_sessions_are_read_once_however_often_they_are_asked_for(self, api: Api):
        """A thousand session ids in ten fields cost at most a statement for each field, and one for the token."""
        user = await api.a_user()
        ids = [encode_id("Session", (await api.build.a_session(user)).id)] * 100
        many = " ".join(f"n{number}: nodes(ids: $ids) {{ id }}" for number in range(10))
        await api.token(user)
        with watched(api) as seen:
            answer = await api.ask(f"query ($ids: [ID!]!) {{ {many} }}", user, ids=ids)
        assert answer.data["n9"] == [{"id": each} for each in ids]
        assert seen["statements"] <= 10 + 1

    async def test_repeated_values_count_once(self, api: Api):
        """Thousands of equal statuses in a filter are few for the database; too many are refused."""
        owner = await api.a_user()
        await api.build.a_task(owner)
        query = "query ($filter: TaskFilter) { tasks(filter: $filter) { totalCount } }"
        for wanted in ({"status": ["TODO"] * 4_900}, {"priority": ["MEDIUM", "LOW"] * 2_400}):
            assert (await api.ask(query, owner, filter=wanted)).data["tasks"] == {"totalCount": 1}
        assert (await api.ask(query, owner, filter={"status": ["TODO"] * 30_000})).codes == ["TOO_EXPENSIVE"]

    async def test_an_answer_does_not_dwarf_its_request(self, api: Api):
        """What is refused is quoted shortly, though graphql-core would quote all of it many times."""
        nested = "{a: " * 95 + "1" + "}" * 95
        query = "query (" + " ".join(f"$a{number}: TaskFilter = {nested}" for number in range(5)) + ") { __typename }"
        answer = await api.ask(query)
        assert len(answer.http.content) < 8 * len(query)
        assert max(len(error["message"]) for error in answer.body["errors"]) < 1_100


@pytest.fixture
async def cut_off(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[tuple[str, Server]]:
    """A server that does not receive changes of rights, as if it could not read the log."""
    server = a_server(settings_of(new_database(), new_redis()))
    async with serving(server.asgi()) as url:
        yield url, server
    await server.stop()


async def _a_user(server: Server) -> tuple[UserRow, str]:
    api = Api(server, Builders(server.database), httpx.AsyncClient(timeout=HANG_SECONDS))
    user = await api.a_user(Role.ADMIN)
    return user, await api.token(user)


class TestRevocation:
    @pytest.mark.parametrize("text", ["{ me { id } }", "mutation { logout { __typename } }"])
    @pytest.mark.parametrize("how", ["signed out", "demoted", "disabled"])
    async def test_an_open_socket_is_asked_anew(self, cut_off: tuple[str, Server], text: str, how: str):
        """A process that cannot vouch for what it knows asks before every operation, on sockets as on requests."""
        url, server = cut_off
        user, token = await _a_user(server)
        async with connected(url) as socket:
            await socket.init({"authorization": f"Bearer {token}"})
            await socket.subscribe("1", "{ me { id } }")
            assert (await socket.receive())["payload"]["data"]["me"]
            await _revoke(server, user, how)
            await socket.subscribe("2", text)
            code, _ = await socket.closed()
        assert code == 4403


async def _revoke(server: Server, user: UserRow, how: str) -> None:
    statement = {
        "signed out": delete(SessionRow).where(SessionRow.user_id == user.id),
        "demoted": update(UserRow).where(UserRow.id == user.id).values(role=Role.USER, access_version=2),
        "disabled": update(UserRow).where(UserRow.id == user.id).values(is_active=False, access_version=2),
    }[how]
    async with server.database.engine.begin() as connection:
        await connection.execute(statement)


class TestManySubscribers:
    @pytest.fixture
    async def api(self, new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
        """An API for this class, because its connections are counted."""
        async with an_api(new_database(), new_redis()) as api:
            yield api

    async def test_many_subscribers_leave_connections_to_requests(self, api: Api):
        """One change is delivered to hundreds of subscriptions while another request is served."""
        owner, other = await api.a_user(), await api.a_user()
        task = await api.build.a_task(owner)
        move = "mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { userErrors { code } } }"
        document = (
            "subscription { taskChanged { task { title history(first: 1) { nodes { at } } owner { username } } } }"
        )
        async with serving(api.server.asgi()) as url, connected(url) as socket:
            await socket.init({"authorization": f"Bearer {await api.token(owner)}"})
            for number in range(100):
                await socket.subscribe(str(number), document)
            await socket.send(type="ping")
            assert (await socket.receive())["type"] == "pong"
            await until(lambda: api.server.stream.subscribers >= 100)
            with watched(api) as seen:
                await api.ask(move, owner, input={"id": encode_id("Task", task.id), "title": SECRET})
                messages = [json.dumps(await socket.receive()) for _ in range(100)]
                await api.ask("{ me { id } }", other)
        assert all(SECRET in each and "errors" not in each for each in messages)
        assert seen["most"] <= MAX_CONNECTIONS + 2
