"""The data of an operation, for serving it and for the OpenAPI document."""

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
from graphql_api.auth.access_rules import AccessRule
from persistence.queries.reader import ReadConnection
from persistence.unit_of_work import UnitOfWork
from rest_api.backend import RestBackend

ParamsT = TypeVar("ParamsT", bound=BaseModel)
BodyT = TypeVar("BodyT", bound=BaseModel | None)


class NoParams(BaseModel):
    """No parameters in the path or the query string."""


@dataclass(frozen=True, slots=True)
class Call(Generic[ParamsT, BodyT]):
    """One request, after authentication and parsing."""

    backend: RestBackend
    request: RequestContext
    params: ParamsT
    body: BodyT

    @property
    def actor(self) -> Actor:
        """The signed-in actor.

        Raises:
            Unauthenticated: the request has no valid access token.
        """
        if self.request.identity is None:
            raise MissingToken
        return self.request.identity.actor

    def reading(self) -> AbstractAsyncContextManager[ReadConnection]:
        """A connection for a query.

        Raises:
            Unavailable: the database is temporarily unavailable.
        """
        return self.backend.database.reading()

    def unit_of_work(self) -> UnitOfWork:
        """A unit of work of the actor, for one service call."""
        return self.backend.database.unit_of_work(
            self.actor, request_id=self.request.request_id, address=self.request.client_address
        )

    def idempotent_unit_of_work(self) -> UnitOfWork:
        """A unit of work for a change that is made only once per `Idempotency-Key`, if the request has one.

        Raises:
            BadRequest: the key is malformed.
        """
        key = idempotency_key_of(self.request.headers)
        return self.backend.database.unit_of_work(
            self.actor,
            request_id=self.request.request_id,
            address=self.request.client_address,
            idempotency=IdempotencyKey(key) if key is not None else None,
        )


SAFE_METHODS: Final = frozenset({"GET", "HEAD"})

Handler = Callable[[Call[Any, Any]], Awaitable[HTTPResponse]]


class Security(Enum):
    """The credentials that an operation needs."""

    PUBLIC = "public"
    BEARER = "bearer"
    """An access token."""
    COOKIE = "cookie"
    """The cookie with the refresh token."""
    BEARER_AND_COOKIE = "bearer and cookie"

    @property
    def needs_bearer(self) -> bool:
        """Whether an access token is required."""
        return self in (Security.BEARER, Security.BEARER_AND_COOKIE)

    @property
    def reads_cookie(self) -> bool:
        """Whether the operation reads the cookie with the refresh token."""
        return self in (Security.COOKIE, Security.BEARER_AND_COOKIE)


@dataclass(frozen=True, slots=True)
class SuccessResponse:
    """The response of success. *headers* are the names of its headers; *many* means an array of *model*."""

    status: int
    text: str
    model: type[BaseModel] | None = None
    many: bool = False
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An error response that clients should expect: when it occurs, and its message."""

    status: int
    when: str
    detail: str
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that breaks a rule, as the example for status 422."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class RestOperation:
    """One operation. The first of *methods* is the documented one; the older server accepted the others, too.

    *access* says who may use it, and which scope a personal access token needs. *params* come from the path if its
    template names them, else from the query string. *refused* has the errors of this
    operation only; the module `refusals` has those that follow from the other properties.
    """

    name: str
    methods: tuple[str, ...]
    path: str
    tag: str
    summary: str
    handler: Handler
    reply: SuccessResponse
    access: AccessRule
    security: Security = Security.BEARER
    params: type[BaseModel] = NoParams
    body: type[BaseModel] | None = None
    is_form: bool = False
    hashes_password: bool = False
    headers: tuple[str, ...] = ()
    refused: tuple[ErrorResponse, ...] = ()
    problem: Problem | None = None
    text: str = ""
