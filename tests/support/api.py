"""A client of the API, as tests use it: over the ASGI application itself, or over the network."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from domain.user import Role
from persistence.models import UserRow
from server.app import Server
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

URL = "http://testserver"


@dataclass
class Answer:
    """A GraphQL response, and the HTTP one around it."""

    http: httpx.Response

    @property
    def body(self) -> dict[str, Any]:
        """The decoded body."""
        decoded: dict[str, Any] = self.http.json()
        return decoded

    @property
    def data(self) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        assert "errors" not in self.body, self.body
        found: dict[str, Any] = self.body["data"]
        return found

    @property
    def codes(self) -> list[str]:
        """The codes of the errors."""
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]

    def payload(self, name: str) -> dict[str, Any]:
        """The payload of a mutation that was not refused."""
        found: dict[str, Any] = self.data[name]
        assert found["userErrors"] == [], found
        return found

    def refusal(self, name: str) -> dict[str, Any]:
        """The one refusal of a mutation that was refused."""
        [refusal] = self.data[name]["userErrors"]
        return dict(refusal)


@dataclass
class Api:
    """Sends requests as any user, and gives access to the parts of the server."""

    server: Server
    build: Builders
    client: httpx.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, query: str, by: UserRow | str | None = None, /, *, headers: dict[str, str] | None = None, **variables: Any
    ) -> Answer:
        """Send an operation as a user, with a token, or anonymously."""
        sent = {"content-type": "application/json"} | (headers or {})
        if by is not None:
            sent["authorization"] = f"Bearer {by if isinstance(by, str) else await self.token(by)}"
        response = await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=sent)
        return Answer(response)

    async def token(self, user: UserRow) -> str:
        """An access token of a session of this user; the same one each time."""
        key = str(user.id)
        if key not in self.tokens:
            session = await self.build.a_session(user)
            self.tokens[key] = self.server.tokens.issue(user.id, session.id, datetime.now(UTC)).token
        return self.tokens[key]

    async def a_user(self, role: Role = Role.USER, **values: Any) -> UserRow:
        """A user."""
        return await self.build.a_user(role, **values)

    async def numbered(self) -> None:
        """Wait until every event that is committed has its position."""
        async with asyncio.timeout(HANG_SECONDS):
            while await self._is_pending():
                await asyncio.sleep(0.01)

    async def _is_pending(self) -> bool:
        async with self.build.as_(None) as uow:
            return (await uow.events.head()).pending
