"""Authenticates requests by the access tokens of sessions and by personal access tokens.

Identities are cached while the stream reports revocations.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from asgi.client import Identity
from asgi.errors import DamagedAccessToken, InvalidToken, RevokedAccessToken
from domain.access_token import is_intact, is_token, token_hash
from domain.actor import NO_ROLES, Actor, ProjectRoles, RoleInOneProject
from domain.errors import Unavailable
from domain.events import AccessNews, MembershipEvent
from domain.project import ProjectCreation
from domain.user import Role, UserDirectory
from graphql_api.auth.credentials import Credential, PersonalCredential, Rights, SessionCredential
from graphql_api.auth.token_uses import TokenUses
from graphql_api.auth.tokens import AccessTokens
from observability.request_records import record_user
from persistence.database import Database
from persistence.queries.access_token import token_by_hash
from persistence.queries.reader import Shape
from streaming.stream import Stream
from streaming.visibility import concerns

MAX_CACHED: Final = 10_000
_OWNER: Final = Shape(("user_id",))
_MAX_TRIES: Final = 3
"""If a query takes longer than the lease, its result may be older than a revocation. Then the query is repeated."""


@dataclass(frozen=True, slots=True)
class _CachedIdentity:
    """An identity, and the time when its token or its session expires."""

    identity: Identity
    until: datetime


class Authenticator:
    """Finds the identity of every request and every WebSocket.

    It caches the identities of at most *max_cached* tokens of both kinds. It uses the cache only while the lease of the
    stream is fresh: then this process learns of a change of rights within a second, and removes the users concerned.
    *directory* says whom users find, and *creation* who may create projects. *uses* notes the uses of personal tokens.
    """

    def __init__(
        self,
        database: Database,
        tokens: AccessTokens,
        stream: Stream,
        *,
        max_cached: int = MAX_CACHED,
        directory: UserDirectory = UserDirectory.EVERYONE,
        creation: ProjectCreation = ProjectCreation.EVERYONE,
        uses: TokenUses | None = None,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._lease = stream.lease
        self._memberships = stream.memberships
        self._max_cached = max_cached
        self._directory = directory
        self._creation = creation
        self._uses = uses or TokenUses()
        self._cache: OrderedDict[str, _CachedIdentity] = OrderedDict()
        self._tokens_of_user: dict[UUID, set[str]] = {}
        self._generation = 0
        stream.on_access(self._forget)
        stream.on_break(self._forget_all)

    async def authenticate(self, authorization: str | None) -> Identity | None:
        """The identity for an `Authorization` header; None without a token.

        Raises:
            InvalidToken: the token was not issued by this server.
            ExpiredToken: the token has expired.
            RevokedToken: the session has ended, or the user was disabled.
            DamagedAccessToken, ExpiredAccessToken, RevokedAccessToken: these for personal access tokens.
            Unavailable: the identity is not in the cache, and the database does not respond.
        """
        token = bearer(authorization)
        if token is None:
            return None
        now = datetime.now(UTC)
        identity = self._cached(token, now)
        if identity is None:
            identity = await self._load(token, await self._credential(token, now), now)
        record_user(identity.actor.user_id)
        return identity

    def sample_actors(self) -> list[Actor]:
        """Actors of users that do not exist, one of each role: their statements are those of other users."""
        now = datetime.now(UTC)
        return [self._actor(UUID(int=0), Rights(role, now, now), 0, NO_ROLES) for role in Role]

    def cached(self, authorization: str) -> Identity | None:
        """The identity for an `Authorization` header, if `authenticate` would find it in the cache."""
        try:
            token = bearer(authorization)
        except InvalidToken:
            return None
        return self._cached(token, datetime.now(UTC)) if token is not None else None

    def _cached(self, token: str, now: datetime) -> Identity | None:
        found = self._cache.get(token)
        if found is None or not self._lease.fresh:
            return None
        if found.until <= now:
            self._drop(token)
            return None
        self._cache.move_to_end(token)
        self._note_use(found.identity)
        return found.identity

    async def _credential(self, token: str, now: datetime) -> Credential:
        if not is_token(token):
            return SessionCredential(self._tokens.read(token, now))
        if not is_intact(token):
            raise DamagedAccessToken
        # The user must be known before the rights are read: `KnownRoles.begin_read` has to come first.
        query = token_by_hash(token_hash(token), with_roles=False)
        async with self._database.reading() as reading:
            rows = await reading.rows(_OWNER, query.rows, query.values)
        if not rows:
            raise RevokedAccessToken
        return PersonalCredential(token_hash(token), rows[0][0])

    async def _load(self, token: str, credential: Credential, now: datetime) -> Identity:
        # Concurrent requests with the same token do not share a query: a request that arrives after a revocation was
        # acknowledged must not get the result of a query that started before it.
        for _ in range(_MAX_TRIES):
            generation, started_at = self._generation, self._lease.now
            found = await self._query(credential, now)
            if generation == self._generation:
                self._store(token, found)
            if self._lease.covers(started_at) and self._memberships.of_user(credential.user_id).is_loaded:
                self._note_use(found.identity)
                return found.identity
        raise Unavailable("The database is too slow to check your access token; try again later.")

    async def _query(self, credential: Credential, now: datetime) -> _CachedIdentity:
        roles = self._memberships.of_user(credential.user_id)
        began, with_roles = roles.begin_read(), not roles.is_loaded
        query = credential.query(with_roles=with_roles)
        async with self._database.reading() as reading:
            rows = await reading.rows(credential.shape, query.rows, query.values)
        if not rows:
            raise credential.revoked()
        _, user_id, _, is_active, access_version, username, *_ = rows[0]
        rights = credential.rights(rows[0], now)
        if user_id != credential.user_id or not is_active:
            raise credential.revoked()
        if with_roles:
            roles.load(began, rows[0][-1])
        actor = self._actor(credential.user_id, rights, access_version, roles, username)
        return _CachedIdentity(Identity(actor, rights.identity_ends), rights.until)

    def _actor(
        self, user_id: UUID, rights: Rights, access_version: int, roles: ProjectRoles, name: str | None = None
    ) -> Actor:
        is_limited = rights.project_id is not None
        return Actor(
            user_id,
            rights.role,
            rights.session_id,
            access_version,
            RoleInOneProject(roles, rights.project_id) if rights.project_id is not None else roles,
            finds_everyone=not is_limited and not self._directory.is_limited_for(rights.role),
            creates_projects=not is_limited and self._creation.permits(rights.role),
            token_id=rights.token_id,
            scopes=rights.scopes,
            name=name,
            project_id=rights.project_id,
        )

    def _note_use(self, identity: Identity) -> None:
        token_id = identity.actor.token_id
        if token_id is not None:
            self._uses.note(token_id)

    def _store(self, token: str, found: _CachedIdentity) -> None:
        self._cache[token] = found
        self._cache.move_to_end(token)
        self._tokens_of_user.setdefault(found.identity.actor.user_id, set()).add(token)
        if len(self._cache) > self._max_cached:
            self._drop(next(iter(self._cache)))

    def _drop(self, token: str) -> None:
        user_id = self._cache.pop(token).identity.actor.user_id
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
            actor = self._cache[token].identity.actor
            stays = isinstance(event, MembershipEvent) and actor.project_id is None
            if not stays and concerns(event, actor):
                self._drop(token)

    def _forget_all(self) -> None:
        self._generation += 1
        self._cache.clear()
        self._tokens_of_user.clear()


def bearer(authorization: str | None) -> str | None:
    """The token in an `Authorization` header (RFC 6750, section 2.1). The scheme is not case-sensitive.

    The result is None if the header is missing or empty: many clients send an empty one when no user is signed in.

    Raises:
        InvalidToken: the scheme is not Bearer, or the token is missing.
    """
    if authorization is None or not authorization.strip():
        return None
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken
    return token.strip()
