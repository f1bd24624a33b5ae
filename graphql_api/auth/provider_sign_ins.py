"""Signing in through OpenID Connect providers, with rate limits, for the pages and the APIs.

The caller passes what the browser has sent, and receives where to send it next and which cookies to set.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from asgi.client import Client, throttle_key
from domain.actor import Actor
from domain.audit import AuditAction
from domain.errors import BadRequest, InvalidCredentials, NotFound, Refusal
from domain.identity import GroupRules, ProviderUser, groups_in, is_local_path
from domain.text import is_storable
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from openid.errors import ProviderUnavailable, SignInFailed
from openid.flow import Flow, FlowSealer
from openid.id_token import MAX_TOKEN
from openid.provider import Claims, Provider
from persistence.database import Database
from persistence.models import UserRow
from persistence.unit_of_work import UnitOfWork
from services import identity as identity_service
from services import session as session_service
from services.failed_sign_in import FailedSignIns
from services.provider_groups import apply_grants, provider_actor

START: Final = "/auth/oidc/{}/start"
CALLBACK: Final = "/auth/oidc/{}/callback"
LOGOUT: Final = "/auth/oidc/{}/backchannel-logout"
UNKNOWN_PROVIDER: Final = "This server has no sign-in provider with this name."
NOT_LOCAL: Final = "return_to must be a path of this server, such as /board."
NOT_SIGNED_IN: Final = "Sign in first, and then link the provider."
OTHER_BROWSER: Final = (
    "This sign-in was not started in this browser, was finished already, or has taken longer than ten minutes. Start "
    "it again, and permit cookies for this server."
)
TOO_MANY: Final = "Too many sign-ins through providers from this address. Try again later."
TOO_MANY_OF_ACCOUNT: Final = "Too many sign-ins of this account from this address. Stay signed in, or try again later."

_CLAIMS: Final = frozenset({"email", "preferred_username"})


@dataclass(frozen=True, slots=True)
class ProviderSignInConfig:
    """What the settings say, and the limits.

    *group_rules* are by the name of the provider; *groups_claim* names the claim with the groups. *default_path* is
    where a browser goes that did not say where.
    """

    creates_users: bool
    links_by_email: bool
    groups_claim: str
    group_rules: Mapping[str, GroupRules]
    default_path: str
    per_address: RateLimit
    per_account: RateLimit
    logouts_per_address: RateLimit


@dataclass(frozen=True, slots=True)
class Started:
    """Where the browser goes, and the text that it keeps until it comes back."""

    url: str
    kept: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Where the browser goes, and the refresh token of the new session; None if an account was linked."""

    return_to: str
    refresh_token: str | None


class ProviderSignIns:
    """Signs users in through the *providers*, links accounts, and ends sessions that a provider has ended."""

    def __init__(
        self,
        database: Database,
        providers: Sequence[Provider],
        config: ProviderSignInConfig,
        *,
        rate_limiter: RateLimiter,
        key_ring: Mapping[str, bytes],
        failed_sign_ins: FailedSignIns,
    ) -> None:
        self.providers = {each.config.name: each for each in providers}
        self._database = database
        self._config = config
        self._rate_limiter = rate_limiter
        self._key_ring = key_ring
        self._sealer = FlowSealer(key_ring)
        self._failed_sign_ins = failed_sign_ins

    @property
    def issuers(self) -> frozenset[str]:
        """The issuers of all providers."""
        return frozenset(each.config.issuer for each in self.providers.values())

    async def start(
        self, client: Client, name: str, *, return_to: str | None, refresh_token: str | None = None, links: bool = False
    ) -> Started:
        """Begin a sign-in. With *links*, the account is linked to the user of the session of *refresh_token*.

        Raises:
            NotFound: there is no such provider.
            BadRequest: *return_to* leads to another server.
            InvalidCredentials: *refresh_token* is not the current token of a session.
            RateLimited: there were too many from this address.
            SignInFailed: the provider cannot be reached.
        """
        provider = self._provider(name)
        path = return_to if return_to is not None else self._config.default_path
        if not is_local_path(path):
            raise BadRequest(NOT_LOCAL)
        await self._take(client)
        linking = await self._session_of(refresh_token) if links else None
        flow = Flow.begin(name, path, now=_now(), linking=linking)
        return Started(await provider.authorization_url(flow), self._sealer.seal(flow))

    def is_known(self, name: str, *, state: str | None, kept: str | None) -> bool:
        """Whether this browser has started the sign-in to which a callback belongs."""
        return self._flow(name, state, kept) is not None

    async def finish(
        self, client: Client, name: str, parameters: Mapping[str, str], *, kept: str | None, request_id: str
    ) -> Finished:
        """End a sign-in, with the *parameters* of the callback and the text that the browser has *kept*.

        Raises:
            NotFound: there is no such provider.
            RateLimited: there were too many from this address, or of this account.
            SignInFailed: the browser has not started it, the provider refuses it, or an answer is not valid.
            Refusal: the user may not sign in, see `services.identity`.
        """
        provider = self._provider(name)
        await self._take(client)
        try:
            return await self._finish(client, provider, parameters, kept, request_id)
        except SignInFailed as error:
            if not isinstance(error, ProviderUnavailable):
                self._count_failure(client)
            raise
        except Refusal:
            self._count_failure(client)
            raise

    async def log_out(self, client: Client, name: str, token: str, *, request_id: str) -> int:
        """End the sessions that a logout token names; returns their number.

        Raises:
            NotFound: there is no such provider.
            RateLimited: there were too many from this address.
            SignInFailed: the token is not valid.
            InvalidCredentials: the token was used before.
        """
        provider = self._provider(name)
        limit = self._config.logouts_per_address
        await self._rate_limiter.take(limit, throttle_key(client.address), message=TOO_MANY)
        found = await provider.logged_out(token[: MAX_TOKEN + 1])
        return await identity_service.end_provider_sessions(
            self._unit_of_work(provider_actor(name), client, request_id),
            provider=name,
            subject=found.subject,
            session=found.session,
            use=sha256(f"logout:{provider.config.issuer}\n{found.jti}".encode()).digest(),
            until=datetime.fromtimestamp(found.expires_at, UTC),
        )

    async def logout_url(self, name: str | None) -> str | None:
        """Where a browser can sign out of a provider, too; None: nowhere."""
        provider = self.providers.get(name) if name is not None else None
        return await provider.logout_url() if provider is not None else None

    async def _finish(
        self, client: Client, provider: Provider, parameters: Mapping[str, str], kept: str | None, request_id: str
    ) -> Finished:
        name = provider.config.name
        flow = self._flow(name, parameters.get("state"), kept)
        if flow is None:
            raise SignInFailed(OTHER_BROWSER, detail="the callback does not belong to a sign-in of this browser")
        rules = self._config.group_rules.get(name)
        wanted = _CLAIMS | {self._config.groups_claim} if rules is not None else _CLAIMS
        claims = await provider.finish(flow, parameters, wanted=wanted)
        who = _user_of(claims, name)
        new_unit_of_work = partial(self._unit_of_work, client=client, request_id=request_id)
        if flow.linking is not None:
            actor = await self._actor(flow.linking)
            await identity_service.link_identity(new_unit_of_work(actor), who=who, use=flow.use)
            return Finished(flow.return_to, None)
        grants = rules.grants(groups_in(claims.values, self._config.groups_claim)) if rules is not None else None
        user = await identity_service.find_or_create_user(
            new_unit_of_work(None),
            who=who,
            creates_users=self._config.creates_users,
            links_by_email=self._config.links_by_email,
        )
        await self._take_of_account(user, client)
        if grants is not None:
            # Before the session: it never has rights that the groups do not give.
            await apply_grants(partial(new_unit_of_work, provider_actor(name)), user=user, provider=name, grants=grants)
        opened = await identity_service.sign_in(
            new_unit_of_work(None),
            who=who,
            use=flow.use,
            key_ring=self._key_ring,
            ip_address=client.address,
            user_agent=client.user_agent,
        )
        return Finished(flow.return_to, opened.refresh_token)

    def _provider(self, name: str) -> Provider:
        provider = self.providers.get(name)
        if provider is None:
            raise NotFound(UNKNOWN_PROVIDER)
        return provider

    def _flow(self, name: str, state: str | None, kept: str | None) -> Flow | None:
        """The flow that this browser has started with this provider and this state, or None."""
        flow = self._sealer.open(kept, now=_now()) if kept is not None else None
        if flow is None or state is None or not state.isascii() or flow.provider != name:
            return None
        return flow if hmac.compare_digest(flow.state, state) else None

    async def _session_of(self, refresh_token: str | None) -> UUID:
        async with self._database.unit_of_work(None) as uow:
            session = await session_service.current_session(uow, refresh_token=refresh_token)
        if session is None:
            raise InvalidCredentials(NOT_SIGNED_IN)
        return session.id

    async def _actor(self, session_id: UUID) -> Actor:
        async with self._database.unit_of_work(None) as uow:
            session = await uow.sessions.find(session_id)
            user = await uow.users.find(session.user_id) if session is not None else None
        if session is None or user is None:
            raise InvalidCredentials(identity_service.NOT_SIGNED_IN)
        return Actor(user.id, user.role, session.id, user.access_version, name=user.username)

    async def _take(self, client: Client) -> None:
        await self._rate_limiter.take(self._config.per_address, throttle_key(client.address), message=TOO_MANY)

    async def _take_of_account(self, user: UserRow, client: Client) -> None:
        key = f"{user.username.lower()}\n{throttle_key(client.address)}"
        await self._rate_limiter.take(self._config.per_account, key, message=TOO_MANY_OF_ACCOUNT)

    def _count_failure(self, client: Client) -> None:
        self._failed_sign_ins.add(AuditAction.SIGN_IN_FAILED, None, throttle_key(client.address))

    def _unit_of_work(self, actor: Actor | None, client: Client, request_id: str) -> UnitOfWork:
        return self._database.unit_of_work(actor, request_id=request_id, address=lambda: client.address)


def _user_of(claims: Claims, provider: str) -> ProviderUser:
    values = claims.values
    return ProviderUser(
        provider=provider,
        issuer=claims.issuer,
        subject=claims.subject,
        email=_text(values, "email"),
        # Some providers send the text "true".
        email_verified=values.get("email_verified") in (True, "true"),
        username=_text(values, "preferred_username") or _text(values, "name"),
        session=claims.session,
    )


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value[:1_000] if isinstance(value, str) and value and is_storable(value) else None


def _now() -> float:
    return datetime.now(UTC).timestamp()
