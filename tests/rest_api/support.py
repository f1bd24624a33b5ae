"""A client of the older API, as tests use it."""

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from persistence.models import UserRow
from tests.support.api import Api
from tests.support.waiting import HANG_SECONDS

PREFIX = "/api/v1"
PASSWORD = "Correct-horse1"
TASK_FIELDS = ["uuid", "title", "description", "completed", "created_at", "owner_uuid"]
"""The fields of a task in the older API, in its order; more may follow."""

_names, _addresses = count(1), count()


@dataclass(frozen=True)
class Visitor:
    """A user who registered and signed in over REST."""

    name: str
    uuid: str
    token: str
    cookie: str


@dataclass(frozen=True)
class Rest:
    """The REST API of a server; `api` is its GraphQL API."""

    api: Api
    client: httpx.AsyncClient
    transport: httpx.ASGITransport

    def move(self) -> None:
        """Send from another address from now on: limits per address are not what most tests are about."""
        number = next(_addresses)
        self.transport.client = (f"198.18.{number // 250}.{number % 250 + 1}", 1234)

    async def send(
        self,
        method: str,
        path: str,
        by: UserRow | Visitor | str | None = None,
        /,
        *,
        cookie: str | None = None,
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send a request below the prefix, with a user's token, a token or none, and with a refresh cookie."""
        sent = httpx.Headers(headers)
        if by is not None:
            sent["authorization"] = f"Bearer {await self.token(by)}"
        if cookie is not None:
            sent["cookie"] = f"refresh_token={cookie}"
        self.client.cookies.clear()
        return await self.client.request(method, PREFIX + path, headers=sent, **options)

    async def token(self, by: UserRow | Visitor | str) -> str:
        """The access token of a user."""
        if isinstance(by, Visitor):
            return by.token
        return by if isinstance(by, str) else await self.api.token(by)

    async def a_visitor(self) -> Visitor:
        """A new signed-in user with a separate address."""
        self.move()
        name = f"visitor{next(_names)}"
        values = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        registered = await self.send("POST", "/auth/register/", json=values)
        assert registered.status_code == 201, registered.text
        token, cookie = tokens_of(await self.login(name))
        return Visitor(name, registered.json()["uuid"], token, cookie)

    async def refused(self, token: str) -> None:
        """The token is refused within a second."""
        async with asyncio.timeout(HANG_SECONDS):
            while (response := await self.send("GET", "/users/about_me/", token)).status_code == 200:
                await asyncio.sleep(0.01)
        assert (response.status_code, response.json()) == (401, {"detail": "Invalid token"})

    async def login(self, name: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        """The answer to a sign-in."""
        return await self.send("POST", "/auth/login/", data={"username": name, "password": password} | fields)


def tokens_of(response: httpx.Response) -> tuple[str, str]:
    """The access token and the cookie's refresh token of an answer that has them."""
    assert response.status_code == 200, response.text
    return response.json()["access_token"], cookie_of(response)


def cookie_of(response: httpx.Response) -> str:
    """The refresh token that an answer has the browser keep."""
    return str(response.headers["set-cookie"].split(";")[0].partition("=")[2])
