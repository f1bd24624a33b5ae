"""A browser, as far as signing in needs it: cookies, and redirects that a test follows one by one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.support.api import URL, Api
from tests.support.waiting import HANG_SECONDS


@dataclass
class Browser:
    """Sends requests to the API and to providers."""

    api: httpx.AsyncClient
    net: httpx.AsyncClient

    async def start(self, provider: str = "one", query: str = "") -> httpx.Response:
        """The answer to a click on the provider's button."""
        return await self.api.get(f"/auth/oidc/{provider}/start{query}")

    async def at_provider(self, started: httpx.Response) -> str:
        """Sign in at the provider; returns the address of the callback."""
        assert started.status_code == 303, started.text
        answer = await self.net.get(started.headers["location"])
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def callback(self, provider: str = "one", query: str = "") -> str:
        """Click and sign in; returns the address of the callback."""
        return await self.at_provider(await self.start(provider, query))

    async def follow(self, url: str) -> httpx.Response:
        """The answer to a callback."""
        return await self.api.get(url.removeprefix(URL))

    async def sign_in(self, provider: str = "one", query: str = "") -> httpx.Response:
        """The answer to the callback of a whole sign-in."""
        return await self.follow(await self.callback(provider, query))

    @property
    def refresh_token(self) -> str | None:
        """The refresh token in the cookie."""
        return self.api.cookies.get("refresh_token")

    async def me(self, fields: str = "username") -> dict[str, Any]:
        """The user who is signed in, as a page finds out."""
        query = f"mutation {{ refreshToken(input: {{}}) {{ accessToken userErrors {{ code }} user {{ {fields} }} }} }}"
        answer = await self.api.post("/graphql", json={"query": query})
        payload = answer.json()["data"]["refreshToken"]
        assert payload["userErrors"] == [], payload
        user: dict[str, Any] = payload["user"]
        return {"token": payload["accessToken"], **user}


@asynccontextmanager
async def a_browser(api: Api) -> AsyncIterator[Browser]:
    """A browser without cookies."""
    transport = httpx.ASGITransport(app=api.server.asgi())
    async with (
        httpx.AsyncClient(transport=transport, base_url=URL) as client,
        httpx.AsyncClient(timeout=HANG_SECONDS) as net,
    ):
        yield Browser(client, net)


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
