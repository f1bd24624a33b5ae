"""The context of an operation, for resolvers."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from typing import Any, Final

from asgi.errors import MissingToken
from asgi.idempotency import idempotency_key_of
from asgi.request_context import RequestContext
from domain.access_token import MAX_LIFETIME
from domain.actor import OPERATOR, Actor
from domain.idempotency import IdempotencyKey
from domain.project import ProjectCreation
from graphql_api.auth.accounts import Accounts
from graphql_api.auth.cookies import (
    AmbiguousCookie,
    clear_refresh_cookie,
    drop_refresh_cookies,
    refresh_cookie,
    set_refresh_cookie,
)
from graphql_api.auth.email_links import EmailLinks
from graphql_api.auth.provider_sign_ins import ProviderSignIns
from graphql_api.auth.write_limits import WriteLimits
from graphql_api.loaders import Loaders, Readers, RowReader, users_by_id
from graphql_api.pace import Pace
from persistence.database import Database
from persistence.models import CommentRow, LabelRow, UserRow, VisibleProjectRow
from persistence.models.rows import replaced
from persistence.queries.comment import COMMENTS
from persistence.queries.label import LABELS
from persistence.queries.project import projects
from persistence.queries.reader import ReadConnection
from persistence.unit_of_work import UnitOfWork
from streaming.stream import Stream
from streaming.subscription import Subscriber

MAX_CONNECTIONS: Final = 4
"""The number of pooled connections that one operation uses at the same time."""


def _gate() -> asyncio.Semaphore:
    return asyncio.Semaphore(MAX_CONNECTIONS)


@dataclass(frozen=True)
class Backend:
    """The objects with the lifetime of the process.

    All events of all subscriptions share `delivery_gate`, so that a change with many subscribers leaves connections
    for requests. With *shared* off, each subscriber reads the task of an event itself. `project_creation` says who may
    create projects, and `max_token_lifetime` how long a personal access token lasts at most. `sign_ins` are those
    through providers, and `passwords` says whether users may sign in with passwords. `write_limits` are per
    user and per token.
    """

    database: Database
    accounts: Accounts
    email_links: EmailLinks
    stream: Stream
    cookie_secure: bool
    shared: bool = True
    project_creation: ProjectCreation = ProjectCreation.EVERYONE
    max_token_lifetime: timedelta = MAX_LIFETIME
    sign_ins: ProviderSignIns | None = None
    passwords: bool = True
    write_limits: WriteLimits | None = None
    delivery_gate: asyncio.Semaphore = field(default_factory=_gate)

    @cached_property
    def delivery_readers(self) -> Readers:
        """Read what events and their tasks refer to."""
        return {
            UserRow: RowReader(self._delivery_unit_of_work, UserRow, users_by_id, OPERATOR),
            CommentRow: RowReader(self._delivery_unit_of_work, CommentRow, COMMENTS.by_ids, OPERATOR),
            LabelRow: RowReader(self._delivery_unit_of_work, LabelRow, LABELS.by_ids, OPERATOR),
            VisibleProjectRow: RowReader(
                self._delivery_unit_of_work, VisibleProjectRow, projects, OPERATOR, _as_seen_with
            ),
        }

    def _delivery_unit_of_work(self) -> UnitOfWork:
        return self.database.delivery_unit_of_work(OPERATOR)


def _as_seen_with(referrer: Any, project: VisibleProjectRow) -> VisibleProjectRow:
    """The project as the user sees it who sees the row that refers to it like this.

    The role is the one that the user has at the position of the item. The project may be newer than the item, so it has
    no position.
    """
    return replaced(project, viewer_role=referrer.viewer_role, head_epoch="")


class Context:
    """One operation, or one event of a subscription."""

    def __init__(
        self,
        backend: Backend,
        request: RequestContext,
        *,
        gate: asyncio.Semaphore | None = None,
        readers: Readers | None = None,
    ) -> None:
        """*gate* limits the connections, and *readers* read rows, if these are shared with other operations."""
        self.backend = backend
        self.request = request
        self._own_gate = gate
        self._readers = readers
        self._subscriber: Subscriber | None = None

    @property
    def request_id(self) -> str:
        """The id of the request in responses, events and logs."""
        return self.request.request_id

    @property
    def _gate(self) -> asyncio.Semaphore:
        if self._own_gate is None:
            self._own_gate = _gate()
        return self._own_gate

    @property
    def actor(self) -> Actor:
        """The authenticated sender of the request.

        Raises:
            Unauthenticated: the request has no valid token.
        """
        if self.request.identity is None:
            raise self.request.auth_error or MissingToken()
        return self.request.identity.actor

    @cached_property
    def loaders(self) -> Loaders:
        """The loaders of this operation."""
        identity = self.request.identity
        actor = identity.actor if identity is not None else None
        # Not the method of this object: with a cycle, each executed event would keep its socket in memory.
        unit_of_work = partial(
            self.backend.database.unit_of_work, actor, request_id=self.request_id, gate=self._gate, idempotency=None
        )
        return Loaders(unit_of_work, actor, self.pace, self._readers)

    @cached_property
    def pace(self) -> Pace:
        """How much of this operation is executed in one iteration of the event loop."""
        return Pace()

    def unit_of_work(self, *, idempotency: IdempotencyKey | None = None) -> UnitOfWork:
        """A unit of work of the actor, for one service call. With a key the change is made once."""
        actor = self.request.identity.actor if self.request.identity is not None else None
        return self.backend.database.unit_of_work(
            actor,
            request_id=self.request_id,
            address=self.request.client_address,
            gate=self._gate,
            idempotency=idempotency,
        )

    def reading(self) -> AbstractAsyncContextManager[ReadConnection]:
        """A connection for reads that need no unit of work.

        Raises:
            Unavailable: the database cannot answer now.
        """
        return self.backend.database.reading()

    def renewed(self) -> "Context":
        """A context for the next event, with empty loaders."""
        readers = self.backend.delivery_readers if self.backend.shared else None
        return Context(self.backend, self.request, gate=self.backend.delivery_gate, readers=readers)

    def follow(self, subscriber: Subscriber) -> None:
        """Remember the subscriber of this operation."""
        self._subscriber = subscriber

    @property
    def cursor(self) -> str | None:
        """The stream cursor of this operation; None unless it is a subscription to the stream."""
        return self._subscriber.cursor if self._subscriber is not None else None

    @property
    def reached(self) -> str | None:
        """As `cursor`, but after the last delivery has arrived."""
        return self._subscriber.reached if self._subscriber is not None else None

    @property
    def last_event_id(self) -> str | None:
        """The cursor with which an SSE client reconnects; over WebSocket, operations contain their cursors."""
        if self.request.transport != "http":
            return None
        found = next((value for name, value in self.request.headers if name == b"last-event-id"), b"")
        return found.decode("latin-1") or None

    @property
    def refresh_cookie(self) -> str | None:
        """The refresh token in the request's cookie, if any.

        Raises:
            AmbiguousCookie: there are several; the response deletes them.
        """
        try:
            return refresh_cookie(self.request.headers)
        except AmbiguousCookie:
            drop_refresh_cookies(self.request, secure=self.backend.cookie_secure)
            raise

    def set_refresh_cookie(self, token: str) -> None:
        """Store a refresh token in the browser's cookie; no effect over WebSocket, which has no response headers."""
        self._set_cookie(set_refresh_cookie(token, secure=self.backend.cookie_secure))

    def drop_refresh_cookie(self) -> None:
        """Delete the refresh token in the browser."""
        self._set_cookie(clear_refresh_cookie(secure=self.backend.cookie_secure))

    def _set_cookie(self, cookie: str) -> None:
        self.request.response_headers.append((b"set-cookie", cookie.encode("latin-1")))


@dataclass(frozen=True, slots=True)
class FieldContext:
    """What a resolver receives in both executors: the context, its key in the response, and extensions of inputs."""

    context: Context
    key: str
    input_extensions: Mapping[str, Any]

    def idempotent_unit_of_work(self, part: str | None = None) -> UnitOfWork:
        """A unit of work for a change that is made once for the request's idempotency key, if the client has sent one.

        The key of the field in the response distinguishes the changes of one request. *part* distinguishes those of
        one field.

        Raises:
            BadRequest: the idempotency key is malformed.
        """
        request = self.context.request
        # Headers belong to a whole socket, so an operation on a socket has its key in its extensions.
        headers = request.headers if request.transport == "http" else ()
        key = idempotency_key_of(headers, self.input_extensions)
        place = self.key if part is None else f"{self.key}/{part}"
        named = IdempotencyKey(key, place=place) if key is not None else None
        return self.context.unit_of_work(idempotency=named)
