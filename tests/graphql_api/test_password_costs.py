"""Operations that hash passwords are limited by their cost, at every entry point, and fairly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from threading import Event
from typing import Any
from urllib.parse import urlencode

import bcrypt
import httpx
import orjson
import pytest

from graphql_api.auth.hash_queue import QueueLimits
from server.app import Server
from tests.rest_api.documented import HOOKS
from tests.support.api import URL, Api
from tests.support.api_server import settings_of
from tests.support.builders import Builders
from tests.support.executors import a_server
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import connected

PASSWORD = "Correct-horse1"
REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { userErrors { code } } }"
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code } } }"
CHANGE = "mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }"
REFRESH = "mutation ($input: RefreshTokenInput!) { refreshToken(input: $input) { refreshToken userErrors { code } } }"
TINY = {
    "refreshes_per_session_and_day": 2,
    "sign_ins_per_account": 3,
    "password_changes_per_account": 2,
    "password_hashes_per_address": 12,
}


class Client:
    """A client with its own address."""

    def __init__(self, api: Api, rest: httpx.AsyncClient) -> None:
        self.api = api
        self.rest = rest

    async def register(self, name: str) -> list[str]:
        """The codes of errors."""
        values = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        return (await self.api.ask(REGISTER, input=values)).codes

    async def login(self, name: str, password: str = PASSWORD) -> Any:
        """The answer."""
        return await self.api.ask(LOGIN, input={"username": name, "password": password})


@asynccontextmanager
async def a_client(server: Server, address: str) -> AsyncIterator[Client]:
    transport = httpx.ASGITransport(app=server.asgi(), client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url=URL, event_hooks=HOOKS) as client:
        yield Client(Api(server, Builders(server.database), client), client)


@pytest.fixture
async def server(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Server]:
    """One with small limits."""
    server = a_server(settings_of(new_database(), new_redis(), **TINY), rate_limit_timeout=10)
    await server.start()
    yield server
    await server.stop()


class TestLimits:
    async def test_successful_sign_ins_are_limited(self, server: Server):
        """The limit counts GraphQL and REST together, and the error explains it."""
        async with a_client(server, "198.51.100.1") as client, a_client(server, "198.51.100.2") as elsewhere:
            assert await client.register("ada") == []
            for _ in range(2):
                assert (await client.login("ada")).payload("login")["accessToken"]
            form = {"username": "ADA", "password": PASSWORD}
            assert (await client.rest.post("/api/v1/auth/login/", data=form)).status_code == 200

            refused = await client.login("ada")
            assert refused.codes == ["RATE_LIMITED"]
            assert "Stay signed in with the refresh token" in refused.body["errors"][0]["message"]
            assert 0 < int(refused.http.headers["retry-after"]) <= 600
            rest = await client.rest.post("/api/v1/auth/login/", data=form)
            assert (rest.status_code, "refresh token" in rest.json()["detail"]) == (429, True)
            assert (await elsewhere.login("ada")).payload("login")["accessToken"]

    async def test_password_changes_are_limited(self, server: Server):
        """An account changes its password so often."""
        async with a_client(server, "198.51.100.3") as client:
            await client.register("bob")
            token = (await client.login("bob")).payload("login")["accessToken"]
            for number in range(2):
                values = {"currentPassword": f"Correct-horse{number + 1}", "newPassword": f"Correct-horse{number + 2}"}
                (await client.api.ask(CHANGE, token, input=values)).payload("changePassword")
            values = {"currentPassword": "Correct-horse3", "newPassword": "Correct-horse4"}
            refused = await client.api.ask(CHANGE, token, input=values)
            assert refused.codes == ["RATE_LIMITED"]
            assert "password changes" in refused.body["errors"][0]["message"]

    async def test_a_session_is_refreshed_so_often_a_day(self, server: Server):
        """Each token that was used is remembered, so their number is limited."""
        async with a_client(server, "198.51.100.6") as client:
            await client.register("cat")
            values = {"username": "cat", "password": PASSWORD, "returnRefreshToken": True}
            query = "mutation ($input: LoginInput!) { login(input: $input) { refreshToken userErrors { code } } }"
            token = (await client.api.ask(query, input=values)).payload("login")["refreshToken"]
            for _ in range(2):
                answer = await client.api.ask(REFRESH, input={"refreshToken": token})
                token = answer.payload("refreshToken")["refreshToken"]
            assert (await client.api.ask(REFRESH, input={"refreshToken": token})).codes == ["RATE_LIMITED"]

    async def test_hashes_of_an_address_are_limited(self, server: Server):
        """Registrations and sign-ins of one address share a limit, whatever their result."""
        async with a_client(server, "198.51.100.4") as client, a_client(server, "198.51.100.5") as elsewhere:
            for number in range(6):
                assert await client.register(f"eve{number}") == []
                await client.login(f"eve{number}", "Wrong-horse1" if number % 2 else PASSWORD)
            assert await client.register("mallory") == ["RATE_LIMITED"]
            assert (await client.login("eve0")).codes == ["RATE_LIMITED"]
            assert await elsewhere.register("mallory") == []


class Gate:
    """Stands in the place of bcrypt: no hash is computed until it is opened."""

    def __init__(self) -> None:
        self.opened = Event()

    def checkpw(self, *_: bytes) -> bool:
        """A hash that matches nothing."""
        assert self.opened.wait(timeout=60)
        return False


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(bcrypt, "checkpw", gate.checkpw)
    return gate


class Hanging:
    """A sign-in whose client disconnects on request."""

    def __init__(self, path: str, content_type: str, body: bytes) -> None:
        self._scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "scheme": "http",
            "http_version": "1.1",
            "server": ("testserver", 80),
            "client": ("198.51.100.9", 1),
            "headers": [(b"host", b"testserver"), (b"content-type", content_type.encode())],
        }
        self._body = body
        self._gone = asyncio.Event()
        self._is_read = False

    async def receive(self) -> MutableMapping[str, Any]:
        """The body, and then, some day, the disconnect."""
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """The response is discarded."""

    def run(self, server: Server) -> Awaitable[None]:
        """Send it."""
        return server.asgi()(self._scope, self.receive, self.send)

    def hang_up(self) -> None:
        """Disconnect."""
        self._gone.set()


def graphql(name: str) -> Hanging:
    """A sign-in over GraphQL."""
    body = orjson.dumps({"query": LOGIN, "variables": {"input": {"username": name, "password": PASSWORD}}})
    return Hanging("/graphql", "application/json", body)


def rest(name: str) -> Hanging:
    """A sign-in over REST."""
    body = urlencode({"username": name, "password": PASSWORD}).encode()
    return Hanging("/api/v1/auth/login/", "application/x-www-form-urlencoded", body)


async def waiting(server: Server, number: int) -> None:
    """Wait until so many wait for a hash."""
    while server.passwords.waiting != number:
        await asyncio.sleep(0.001)


class TestDisconnecting:
    @pytest.mark.parametrize("request_of", [graphql, rest])
    async def test_a_disconnected_client_leaves_the_queue(
        self, server: Server, gate: Gate, request_of: Callable[[str], Hanging], monkeypatch: pytest.MonkeyPatch
    ):
        """Its hash is not computed."""
        # The longest wait must not end what the disconnect has to end.
        monkeypatch.setattr(server.passwords._queue, "_limits", QueueLimits(seconds=10 * HANG_SECONDS))
        requests = [request_of(f"user{number}") for number in range(5)]
        tasks = [asyncio.ensure_future(each.run(server)) for each in requests]
        try:
            await waiting(server, 3)
            for each in requests:  # it is unknown which of them wait
                each.hang_up()
            await waiting(server, 0)
        finally:
            gate.opened.set()
            await asyncio.gather(*tasks)

    async def test_a_socket_that_closes_leaves_the_queue(self, server: Server, gate: Gate):
        """A mutation of a closed socket that waits for a hash ends; a running one completes."""
        async with serving(server.asgi()) as url:
            async with connected(url) as socket:
                await socket.init()
                for number in range(4):
                    values = {"username": f"user{number}", "password": PASSWORD}
                    await socket.subscribe(str(number), LOGIN, input=values)
                await waiting(server, 2)
            await waiting(server, 0)
            gate.opened.set()
