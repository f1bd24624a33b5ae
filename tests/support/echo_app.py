"""A small application on the transports and the executor, without a database. Run it by hand: `uvicorn
tests.support.echo_app:app`.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import strawberry
from starlette.types import ASGIApp, Receive, Scope, Send

from asgi.client import Identity, is_secure
from asgi.cors import CORS
from asgi.errors import ExpiredToken, InvalidToken
from asgi.origins import Origins
from asgi.request_context import RequestContext
from asgi.streaming_session import SessionConfig, StreamTiming
from domain.actor import Actor
from domain.errors import NotFound, RateLimited, Unauthenticated, Unavailable
from domain.user import Role
from graphql_api.auth.authenticator import bearer
from graphql_api.execution.documents import Documents
from graphql_api.execution.executor import Executor
from graphql_api.pace import Pace
from graphql_api.schema.base import Schema
from graphql_api.transports.http.endpoint import GraphQLHTTP
from graphql_api.transports.websocket.config import WebSocketConfig
from graphql_api.transports.websocket.endpoint import GraphQLSocket
from server.pages.endpoint_page import respond_of
from streaming.connections import Connections
from tests.support.waiting import HANG_SECONDS

NAMESPACE = UUID("5b1d6a51-3d0a-4a63-b3d4-5f2b4f6c9a00")


@dataclass
class Journal:
    """What happened behind the transport, for tests to look at."""

    events: list[str] = field(default_factory=list)

    async def until(self, event: str, *, seconds: float = HANG_SECONDS) -> None:
        """Return when *event* has been noted."""
        async with asyncio.timeout(seconds):
            while event not in self.events:
                await asyncio.sleep(0.005)


@dataclass
class EchoContext:
    """The least a context may be."""

    facts: RequestContext
    journal: Journal
    generation: int = 0
    pace: Pace = field(default_factory=Pace)

    @property
    def request_id(self) -> str:
        """Names the operation."""
        return self.facts.request_id

    def renewed(self) -> "EchoContext":
        """The context of the next event."""
        return EchoContext(self.facts, self.journal, self.generation + 1)


Info = strawberry.Info[EchoContext, None]


def _refuse() -> list[int]:
    raise Unauthenticated("Not authenticated")


@strawberry.type
class Item:
    """Refers to itself, so that documents can be as deep as they like."""

    name: str

    @strawberry.field
    def parent(self) -> "Item":
        """One level further."""
        return Item(name=self.name)

    @strawberry.field
    def children(self, first: int = 20) -> "list[Item]":
        """A page."""
        return [Item(name=f"{self.name}.{number}") for number in range(min(first, 3))]


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    def echo(self, text: str) -> str:
        """The text that came."""
        return text

    @strawberry.field
    def item(self) -> Item:
        """An item."""
        return Item(name="root")

    @strawberry.field
    def items(self, first: int = 20) -> list[Item]:
        """A page."""
        return [Item(name=str(number)) for number in range(min(first, 3))]

    @strawberry.field
    def nodes(self, ids: list[strawberry.ID]) -> list[Item]:
        """Items by their ids."""
        return [Item(name=each) for each in ids]

    @strawberry.field
    def me(self, info: Info) -> str | None:
        """The authenticated user."""
        facts = info.context.facts
        if facts.auth_error is not None:
            raise facts.auth_error
        if facts.identity is None:
            raise Unauthenticated("Not authenticated")
        return str(facts.identity.actor.user_id)

    @strawberry.field
    def strictly_me(self, info: Info) -> str:
        """The authenticated user; non-null, so that an error removes all data."""
        raise Unauthenticated("Not authenticated")

    @strawberry.field
    def facts(self, info: Info) -> list[str]:
        """The request context."""
        facts = info.context.facts
        return [facts.transport, facts.client.address, facts.request_id, str(is_secure(facts.scope, facts.trusted))]

    @strawberry.field
    async def slow(self, info: Info, seconds: float) -> str | None:
        """An answer after a while."""
        info.context.journal.events.append("slow query begun")
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            info.context.journal.events.append("slow query cancelled")
            raise
        return "done"

    @strawberry.field
    def bug(self) -> str | None:
        """An unexpected exception."""
        raise ZeroDivisionError("secret detail")

    @strawberry.field
    def missing(self) -> str | None:
        """A refusal that no resolver turned into data."""
        raise NotFound("There is no such task.")

    @strawberry.field
    def limited(self) -> str:
        """Too many tries."""
        raise RateLimited("Too many tries.", retry_after=7)

    @strawberry.field
    def unavailable(self) -> str:
        """A part is down."""
        raise Unavailable("The database is away.")

    @strawberry.field
    def huge(self) -> strawberry.scalars.JSON:
        """What JSON cannot hold."""
        return strawberry.scalars.JSON({"number": 10**30})


@strawberry.type
class Mutation:
    """What can be done."""

    @strawberry.mutation
    async def note(self, info: Info, text: str, seconds: float = 0.0) -> str | None:
        """Note something, perhaps slowly."""
        info.context.journal.events.append(f"{text} begun")
        await asyncio.sleep(seconds)
        info.context.journal.events.append(f"{text} done")
        return text

    @strawberry.mutation
    def cookie(self, info: Info) -> str | None:
        """Set a cookie."""
        info.context.facts.response_headers.append((b"set-cookie", b"a=1; HttpOnly"))
        return "set"


@strawberry.type
class Generation:
    """An event whose field reads its context."""

    @strawberry.field
    def number(self, info: Info) -> int:
        """How often the context was renewed."""
        return info.context.generation


@strawberry.type
class Subscription:
    """What can be listened to."""

    @strawberry.subscription
    async def count(self, info: Info, target: int = 3) -> AsyncIterator[int]:
        """Counts."""
        for number in range(target):
            yield number
            await asyncio.sleep(0)

    @strawberry.subscription
    async def quiet(self, info: Info) -> AsyncIterator[int]:
        """Delivers nothing."""
        info.context.journal.events.append("quiet opened")
        try:
            await asyncio.Event().wait()
            yield 0
        finally:
            info.context.journal.events.append("quiet closed")

    @strawberry.subscription
    async def endless(self, info: Info, size: int = 10) -> AsyncIterator[str]:
        """Never stops talking, *size* characters at a time."""
        journal = info.context.journal
        try:
            while True:
                journal.events.append("said")
                yield "x" * size
                await asyncio.sleep(0)
        finally:
            journal.events.append("endless closed")

    @strawberry.subscription
    async def failing(self) -> AsyncIterator[int]:
        """Delivers one event, then fails."""
        yield 1
        raise ZeroDivisionError("secret detail")

    @strawberry.subscription
    async def refused(self) -> AsyncIterator[int]:
        """Fails before the first event."""
        for number in _refuse():
            yield number

    @strawberry.subscription
    async def generations(self) -> AsyncIterator[Generation]:
        """The number of each event's context."""
        for _ in range(3):
            yield Generation()


schema = Schema(query=Query, mutation=Mutation, subscription=Subscription)


class Bouncer:
    """Authenticates tokens by their text: most are usernames, and some raise an error."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.calls = 0
        self.on_call: Any = None

    async def authenticate(self, authorization: str | None) -> Identity | None:
        """The user of the token."""
        self.calls += 1
        token = bearer(authorization)
        if token is None:
            return None
        if self.on_call is not None:
            self.on_call(self.calls)
        self._refuse(token)
        lifetime = timedelta(seconds=0.3 if token == "brief" else 600)
        actor = Actor(uuid5(NAMESPACE, token), Role.USER, uuid5(NAMESPACE, f"session of {token}"), 1)
        return Identity(actor, datetime.now(UTC) + lifetime)

    def _refuse(self, token: str) -> None:
        if token == "garbage" or "." in token:
            raise InvalidToken
        if token == "expired":
            raise ExpiredToken
        if token in self.revoked:
            raise Unauthenticated("Session has ended")
        if token == "unknowable":
            raise Unavailable("The database is away.")
        if token == "bug":
            raise ZeroDivisionError("secret detail")


@dataclass
class Echo:
    """The application, and what is behind it."""

    app: ASGIApp
    journal: Journal
    bouncer: Bouncer
    connections: Connections
    documents: Documents


def build(
    *, timing: StreamTiming | None = None, connections: Connections | None = None, timeout: float = 20.0, **http: Any
) -> Echo:
    """A fresh application."""
    journal, bouncer, origins = Journal(), Bouncer(), Origins(["https://app.example.org"])
    connections = connections or Connections()
    documents = Documents(schema)
    executor: Executor[EchoContext] = Executor(schema, documents, timeout=timeout, renew_context=EchoContext.renewed)

    def make_context(facts: RequestContext) -> EchoContext:
        return EchoContext(facts, journal)

    endpoint = GraphQLHTTP(
        executor, bouncer.authenticate, make_context, page=respond_of(only_trusted_documents=False), **http
    )
    session = SessionConfig(connections, bouncer.authenticate, timing or StreamTiming())
    config = WebSocketConfig(executor, make_context, session, cursor_of=lambda context: f"at {context.generation}")
    socket = GraphQLSocket(config, origins.allows)

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        await (socket if scope["type"] == "websocket" else endpoint)(scope, receive, send)

    return Echo(CORS(route, origins.allows), journal, bouncer, connections, documents)


app = build(timing=StreamTiming(first_message=9.5)).app
