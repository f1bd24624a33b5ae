"""What the door and its description both have to know of an endpoint: plain data."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel

from asgi.errors import MissingToken
from asgi.idempotency import idempotency_key_of
from asgi.request_context import RequestContext
from asgi.response import HTTPResponse
from domain.actor import Actor
from domain.idempotency import IdempotencyKey
from persistence.queries.reader import ReadConnection
from persistence.unit_of_work import UnitOfWork
from rest_api.backend import Backend

ParamsT = TypeVar("ParamsT", bound=BaseModel)
BodyT = TypeVar("BodyT", bound=BaseModel | None)


class NoParams(BaseModel):
    """Nothing in the path, nothing in the query string."""


@dataclass(frozen=True, slots=True)
class Call(Generic[ParamsT, BodyT]):
    """One request whose sender is known and whose parts have been read."""

    backend: Backend
    facts: RequestContext
    params: ParamsT
    body: BodyT

    @property
    def actor(self) -> Actor:
        """Who is asking.

        Raises:
            Unauthenticated: nobody is signed in.
        """
        if self.facts.identity is None:
            raise MissingToken
        return self.facts.identity.actor

    def reading(self) -> AbstractAsyncContextManager[ReadConnection]:
        """A connection for the one read.

        Raises:
            Unavailable: the database cannot answer now.
        """
        return self.backend.database.reading()

    def unit_of_work(self) -> UnitOfWork:
        """A unit of work in the asker's name, for the one service call."""
        return self.backend.database.unit_of_work(self.actor, request_id=self.facts.request_id)

    def once(self) -> UnitOfWork:
        """The same for a change that the request's `Idempotency-Key`, if it has one, has made once.

        Raises:
            BadRequest: the key is malformed.
        """
        key = idempotency_key_of(self.facts.headers)
        return self.backend.database.unit_of_work(
            self.actor,
            request_id=self.facts.request_id,
            idempotency=IdempotencyKey(key) if key is not None else None,
        )


SAFE_METHODS: Final = frozenset({"GET", "HEAD"})

Handler = Callable[[Call[Any, Any]], Awaitable[HTTPResponse]]


class Security(Enum):
    """What a client must show to be heard."""

    PUBLIC = "public"
    BEARER = "bearer"
    """An access token."""
    COOKIE = "cookie"
    """The refresh token's cookie."""
    BEARER_AND_COOKIE = "bearer and cookie"

    @property
    def needs_bearer(self) -> bool:
        """Whether an access token is asked for."""
        return self in (Security.BEARER, Security.BEARER_AND_COOKIE)

    @property
    def reads_cookie(self) -> bool:
        """Whether the refresh token's cookie is looked at."""
        return self in (Security.COOKIE, Security.BEARER_AND_COOKIE)


@dataclass(frozen=True, slots=True)
class Reply:
    """What success looks like; *headers* are told by name, *many* is an array of *model*."""

    status: int
    text: str
    model: type[BaseModel] | None = None
    many: bool = False
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal that clients should expect: when it comes and what it says."""

    status: int
    when: str
    detail: str
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that breaks a rule, as an example of the 422 that tells it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint. Of *methods* the first is the documented one, the others were what the older server listened to.

    *params* are read from the path where its template names them, else from the query string. *refused* are the
    refusals of this endpoint alone; `refusals` has those that follow from the rest.
    """

    name: str
    methods: tuple[str, ...]
    path: str
    tag: str
    summary: str
    handler: Handler
    reply: Reply
    door: Security = Security.BEARER
    params: type[BaseModel] = NoParams
    body: type[BaseModel] | None = None
    is_form: bool = False
    hashes_password: bool = False
    headers: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()
    problem: Problem | None = None
    text: str = ""
