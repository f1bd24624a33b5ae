"""From a token to who is asking: by the database, or by memory as long as the stream vouches for it."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from asgi.client import Identity
from asgi.errors import RevokedToken
from domain.actor import Actor
from domain.errors import Unavailable
from domain.events import AccessNews
from domain.user import Role
from graphql_api.auth.tokens import AccessTokens, Claims, bearer
from observability.request_records import record_user
from persistence.database import Database
from persistence.queries.reader import Shape
from persistence.queries.session import session
from streaming.stream import Stream
from streaming.visibility import concerns

ROOM: Final = 10_000
_RIGHTS: Final = Shape(("expires_at", "user.id", "user.role", "user.is_active", "user.access_version"))
_TRIES: Final = 3
"""An answer that is under way for longer than the lease may be older than a revocation, and is asked for again."""


@dataclass(frozen=True, slots=True)
class _Known:
    """An identity, and the instant from which on neither token nor session vouch for it."""

    identity: Identity
    until: datetime


class Authenticator:
    """Who is asking, for every request and every socket.

    What the database said is remembered, for at most *room* tokens, and believed while the stream's lease is fresh:
    a change of rights is then known here within a second, and forgets whom it concerns.
    """

    def __init__(self, database: Database, tokens: AccessTokens, stream: Stream, *, room: int = ROOM) -> None:
        self._database = database
        self._tokens = tokens
        self._lease = stream.lease
        self._room = room
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._tokens_of_user: dict[UUID, set[str]] = {}
        self._generation = 0
        stream.on_access(self._forget)
        stream.on_break(self._forget_all)

    async def authenticate(self, authorization: str | None) -> Identity | None:
        """Who sent this `Authorization` header; None without one.

        Raises:
            InvalidToken: it is not an access token of ours.
            ExpiredToken: its time is over.
            RevokedToken: its session is over, or its user was disabled.
            Unavailable: this has to be asked of the database, which does not answer.
        """
        token = bearer(authorization)
        if token is None:
            return None
        now = datetime.now(UTC)
        identity = self._remembered(token, now) or await self._found(token, self._tokens.read(token, now), now)
        record_user(identity.actor.user_id)
        return identity

    def _remembered(self, token: str, now: datetime) -> Identity | None:
        known = self._known.get(token)
        if known is None or not self._lease.fresh:
            return None
        if known.until <= now:
            self._drop(token)
            return None
        self._known.move_to_end(token)
        return known.identity

    async def _found(self, token: str, claims: Claims, now: datetime) -> Identity:
        # Not shared with others who ask for the same token meanwhile: whoever asks after a revocation was
        # acknowledged must not get the answer to a question that was put before it.
        for _ in range(_TRIES):
            generation, asked_at = self._generation, self._lease.now
            known = await self._ask(claims, now)
            if generation == self._generation:
                self._remember(token, known)
            if self._lease.covers(asked_at):
                return known.identity
        raise Unavailable("The database is too slow to say who you are; try again later.")

    async def _ask(self, claims: Claims, now: datetime) -> _Known:
        asked = session(claims.session_id)
        async with self._database.reading() as reading:
            rows = await reading.rows(_RIGHTS, asked.rows, asked.values)
        if not rows:
            raise RevokedToken
        expires_at, user_id, role, is_active, access_version = rows[0]
        if expires_at <= now or user_id != claims.user_id or not is_active:
            raise RevokedToken
        actor = Actor(claims.user_id, Role(role), claims.session_id, access_version)
        return _Known(Identity(actor, claims.expires_at), min(claims.expires_at, expires_at))

    def _remember(self, token: str, known: _Known) -> None:
        self._known[token] = known
        self._known.move_to_end(token)
        self._tokens_of_user.setdefault(known.identity.actor.user_id, set()).add(token)
        if len(self._known) > self._room:
            self._drop(next(iter(self._known)))

    def _drop(self, token: str) -> None:
        user_id = self._known.pop(token).identity.actor.user_id
        tokens = self._tokens_of_user[user_id]
        tokens.discard(token)
        if not tokens:
            del self._tokens_of_user[user_id]

    def _forget(self, event: AccessNews) -> None:
        if event.user_id is None:
            self._forget_all()
            return
        self._generation += 1
        for token in tuple(self._tokens_of_user.get(event.user_id, ())):
            if concerns(event, self._known[token].identity.actor):
                self._drop(token)

    def _forget_all(self) -> None:
        self._generation += 1
        self._known.clear()
        self._tokens_of_user.clear()
