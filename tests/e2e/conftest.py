"""Servers as they are deployed, several of them on one database."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.api import Answer
from tests.support.processes import Served
from tests.support.waiting import HANG_SECONDS

PASSWORD = "Correct-horse1"
REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { userErrors { message } } }"
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
  accessToken userErrors { code message } } }"""

Serve = Callable[..., Served]
_numbers = count(1)


@dataclass
class World:
    """A client of servers that have only their database in common."""

    client: httpx.AsyncClient

    async def ask(self, server: Served, query: str, token: str | None = None, /, **variables: Any) -> Answer:
        """Send an operation to one of the servers."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": variables}
        return Answer(await self.client.post(f"{server.url}/graphql", json=body, headers=headers))

    async def a_user(self, server: Served) -> str:
        """The name of a newly registered user."""
        name = f"someone{next(_numbers)}"
        wanted = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        (await self.ask(server, REGISTER, input=wanted)).payload("register")
        return name

    async def signed_in(self, server: Served, name: str) -> str:
        """An access token of a new session."""
        answer = await self.ask(server, LOGIN, input={"username": name, "password": PASSWORD})
        return str(answer.payload("login")["accessToken"])


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    """The client."""
    async with httpx.AsyncClient(timeout=HANG_SECONDS) as client:
        yield World(client)


@pytest.fixture(scope="module")
def serve(
    new_database: Callable[[], str], new_redis: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serve]:
    """Starts servers, all of a module on one database."""
    started: list[Served] = []
    database_url, redis_url, folder = new_database(), new_redis(), tmp_path_factory.mktemp("served")

    def start(**settings: object) -> Served:
        common = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "BCRYPT_ROUNDS": 4, "DATABASE_POOL_SIZE": 4}
        started.append(Served(folder=folder, **(common | settings)))
        return started[-1]

    yield start
    for server in started:
        server.clean_up()
