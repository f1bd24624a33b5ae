"""Registering, signing in, staying signed in: one way for every door, with its limits on tries.

A door hands over what its client sent and gets a `SignedIn`; how tokens travel (cookie, payload) is the door's.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from domain.actor import Actor
from domain.errors import InvalidCredentials
from graphql_api.auth.addresses import throttle_key
from graphql_api.auth.identity import Client
from graphql_api.auth.passwords import Passwords
from graphql_api.auth.throttle import Limit, Throttle
from graphql_api.auth.tokens import AccessTokens
from persistence.engine import Database
from persistence.models import UserRow
from services import session as session_service
from services import user as user_service
from services.session import OpenSession

TOO_MANY_LOGINS: Final = "Too many login attempts. Try again later."
TOO_MANY_REGISTRATIONS: Final = "Too many registrations from this address. Try again later."
TOO_MANY_REFRESHES: Final = "Too many token refreshes in this session. Try again later."


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """How often what may be tried."""

    failures_per_account: Limit
    failures_per_address: Limit
    registrations: Limit
    refreshes: Limit


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was begun or continued: its tokens, and whose it is."""

    user: UserRow
    access_token: str
    expires_at: datetime
    refresh_token: str


class Accounts:
    """Everything that a person does to get in, and to change their password."""

    def __init__(
        self,
        database: Database,
        *,
        passwords: Passwords,
        tokens: AccessTokens,
        throttle: Throttle,
        limits: AccountLimits,
        key_ring: Mapping[str, bytes],
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._throttle = throttle
        self._limits = limits
        self._key_ring = key_ring

    async def register(
        self, client: Client, *, username: str, email: str, password: str, request_id: str | None
    ) -> UserRow:
        """Create a user of role USER; see `services.user.register`.

        Raises:
            RateLimited: too many registrations from this address.
        """
        await self._throttle.take(
            self._limits.registrations, throttle_key(client.address), message=TOO_MANY_REGISTRATIONS
        )
        return await user_service.register(
            self._database.unit_of_work(None, request_id=request_id),
            username=username,
            email=email,
            password=password,
            hash_password=self._passwords.hash,
        )

    async def sign_in(self, client: Client, *, username: str, password: str, request_id: str | None) -> SignedIn:
        """Begin a session; see `services.session.sign_in`.

        Only failures count against the limits, per account and address, so that nobody can lock somebody else out.

        Raises:
            RateLimited: too many failures.
        """
        async with self._guarded(client, username.lower()):
            opened = await session_service.sign_in(
                self._database.unit_of_work(None, request_id=request_id),
                username=username,
                password=password,
                verify_password=self._passwords.verify,
                key_ring=self._key_ring,
                ip_address=client.address,
                user_agent=client.user_agent,
            )
        return self._signed_in(opened)

    async def refresh(self, *, refresh_token: str, request_id: str | None) -> SignedIn:
        """Continue a session; see `services.session.refresh_session`.

        Raises:
            RateLimited: too many refreshes of this session.
        """
        unit_of_work = self._database.unit_of_work(None, request_id=request_id)
        session_id = await session_service.find_session_of(unit_of_work, refresh_token=refresh_token)
        if session_id is None:
            raise InvalidCredentials(session_service.INVALID)
        await self._throttle.take(self._limits.refreshes, str(session_id), message=TOO_MANY_REFRESHES)
        opened = await session_service.refresh_session(
            self._database.unit_of_work(None, request_id=request_id),
            refresh_token=refresh_token,
            key_ring=self._key_ring,
        )
        return self._signed_in(opened)

    async def change_password(
        self, actor: Actor, client: Client, *, current_password: str, new_password: str, request_id: str | None
    ) -> UserRow:
        """Change the actor's own password; see `services.user.change_password`.

        Raises:
            RateLimited: the current password was wrong too often.
        """
        async with self._guarded(client, str(actor.user_id)):
            return await user_service.change_password(
                self._database.unit_of_work(actor, request_id=request_id),
                current_password=current_password,
                new_password=new_password,
                hash_password=self._passwords.hash,
                verify_password=self._passwords.verify,
            )

    @asynccontextmanager
    async def _guarded(self, client: Client, account: str) -> AsyncIterator[None]:
        """Count one try in advance, so that parallel guesses cannot all look first; undo it unless it was wrong."""
        address = throttle_key(client.address)
        key = f"{account}\n{address}"
        await self._throttle.take(self._limits.failures_per_address, address, message=TOO_MANY_LOGINS)
        try:
            await self._throttle.take(self._limits.failures_per_account, key, message=TOO_MANY_LOGINS)
        except BaseException:
            await self._throttle.give_back(self._limits.failures_per_address, address)
            raise
        try:
            yield
        except InvalidCredentials:
            raise
        except BaseException:
            await self._throttle.give_back(self._limits.failures_per_account, key)
            await self._throttle.give_back(self._limits.failures_per_address, address)
            raise
        await self._throttle.clear(self._limits.failures_per_account, key)
        await self._throttle.give_back(self._limits.failures_per_address, address)

    def _signed_in(self, opened: OpenSession) -> SignedIn:
        issued = self._tokens.issue(opened.user.id, opened.session.id, datetime.now(UTC))
        return SignedIn(opened.user, issued.token, issued.expires_at, opened.refresh_token)
