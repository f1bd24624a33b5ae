"""What a resolver knows of the operation that it works for."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from asgi.errors import MissingToken
from asgi.request_context import RequestContext
from domain.actor import Actor
from domain.idempotency import IdempotencyKey
from graphql_api.auth.accounts import Accounts
from graphql_api.auth.cookies import (
    AmbiguousCookie,
    clear_refresh_cookie,
    drop_refresh_cookies,
    refresh_cookie,
    set_refresh_cookie,
)
from graphql_api.loaders import Loaders
from persistence.database import Database
from persistence.queries.reader import ReadConnection
from persistence.unit_of_work import UnitOfWork
from streaming.stream import Stream
from streaming.subscription import Subscriber

AT_ONCE: Final = 4
"""How many of the pool's connections one operation works with, however many fields it has that need one."""


def _gate() -> asyncio.Semaphore:
    return asyncio.Semaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Backend:
    """What lives as long as the process does.

    `telling` is the gate that all events of all subscriptions share: a crowd of listeners that is told of one change
    leaves connections to those who ask. With *shared* off, every listener reads for itself whatever it is told.
    """

    database: Database
    accounts: Accounts
    stream: Stream
    cookie_secure: bool
    shared: bool = True
    telling: asyncio.Semaphore = field(default_factory=_gate)


class Context:
    """One operation, or one event of a subscription."""

    def __init__(self, backend: Backend, facts: RequestContext, *, gate: asyncio.Semaphore | None = None) -> None:
        self.backend = backend
        self.facts = facts
        self._own_gate = gate
        self._subscriber: Subscriber | None = None

    @property
    def request_id(self) -> str:
        """Names the operation in answers, events and logs."""
        return self.facts.request_id

    @property
    def _gate(self) -> asyncio.Semaphore:
        if self._own_gate is None:
            self._own_gate = _gate()
        return self._own_gate

    @property
    def actor(self) -> Actor:
        """Who is asking.

        Raises:
            Unauthenticated: nobody is signed in.
        """
        if self.facts.identity is None:
            raise self.facts.auth_error or MissingToken()
        return self.facts.identity.actor

    @cached_property
    def loaders(self) -> Loaders:
        """Loaders of this operation alone."""
        identity = self.facts.identity
        return Loaders(self.unit_of_work, identity.actor if identity is not None else None)

    def unit_of_work(self, *, idempotency: IdempotencyKey | None = None) -> UnitOfWork:
        """A unit of work in the asker's name, for one service call; under a key it changes things once."""
        actor = self.facts.identity.actor if self.facts.identity is not None else None
        return self.backend.database.unit_of_work(
            actor, request_id=self.request_id, gate=self._gate, idempotency=idempotency
        )

    def reading(self) -> AbstractAsyncContextManager[ReadConnection]:
        """A connection for reads that need no unit of work.

        Raises:
            Unavailable: the database cannot answer now.
        """
        return self.backend.database.reading()

    def renewed(self) -> "Context":
        """The same, for the next event: with loaders that have not seen anything yet."""
        return Context(self.backend, self.facts, gate=self.backend.telling)

    def follow(self, subscriber: Subscriber) -> None:
        """Remember which place in the stream belongs to this operation."""
        self._subscriber = subscriber

    @property
    def cursor(self) -> str | None:
        """Where this operation stands in the stream; None unless it listens to it."""
        return self._subscriber.cursor if self._subscriber is not None else None

    @property
    def reached(self) -> str | None:
        """As `cursor`, once what was told last has arrived."""
        return self._subscriber.reached if self._subscriber is not None else None

    @property
    def last_event_id(self) -> str | None:
        """The cursor that a client of an event stream comes back with; a socket's are in its operations."""
        if self.facts.transport != "http":
            return None
        found = next((value for name, value in self.facts.headers if name == b"last-event-id"), b"")
        return found.decode("latin-1") or None

    @property
    def refresh_cookie(self) -> str | None:
        """The refresh token that the browser sent along, if any.

        Raises:
            AmbiguousCookie: it sent several; the answer has it forget them.
        """
        try:
            return refresh_cookie(self.facts.headers)
        except AmbiguousCookie:
            drop_refresh_cookies(self.facts, secure=self.backend.cookie_secure)
            raise

    def keep_refresh_cookie(self, token: str) -> None:
        """Have the browser keep a refresh token; without effect on a socket, which has no answer to carry it."""
        self._set_cookie(set_refresh_cookie(token, secure=self.backend.cookie_secure))

    def drop_refresh_cookie(self) -> None:
        """Have the browser forget its refresh token."""
        self._set_cookie(clear_refresh_cookie(secure=self.backend.cookie_secure))

    def _set_cookie(self, cookie: str) -> None:
        self.facts.response_headers.append((b"set-cookie", cookie.encode("latin-1")))


@dataclass(frozen=True, slots=True)
class FieldContext:
    """What a resolver gets, whichever executor calls it: the operation, the field's key in the response, extensions."""

    context: Context
    key: str
    input_extensions: Mapping[str, Any]
