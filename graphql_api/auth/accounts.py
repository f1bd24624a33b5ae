"""Registration, signing in, token refresh and password changes, with rate limits, for all transports.

The caller passes the input of the client and receives a `SignedIn`. The caller decides how to return the tokens (in a
cookie or in the payload).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from asgi.client import Client, throttle_key
from domain.actor import Actor
from domain.audit import AuditAction
from domain.errors import InvalidCredentials
from domain.identity import PasswordsDisabled
from domain.registration import Registration, check_invited_registration
from domain.user_deletion import Retention
from graphql_api.auth.email_links import EmailLinks
from graphql_api.auth.failed_attempts import Attempt, AttemptCount, FailedAttempts
from graphql_api.auth.password_limits import Budget, PasswordLimits
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from graphql_api.auth.tokens import AccessTokens
from persistence.database import Database
from persistence.models import UserRow
from persistence.unit_of_work import UnitOfWork
from services import invitation as invitation_service
from services import session as session_service
from services import sign_in_code as sign_in_code_service
from services import user as user_service
from services.email_account import ask_for_verification
from services.failed_sign_in import FailedSignIns
from services.session import OpenSession
from services.user import ReportFailure
from services.user_deletion import Deletion, delete_user

TOO_MANY_LOGINS: Final = "Too many login attempts. Try again later."
TOO_MANY_SIGN_INS: Final = (
    "Too many sign-ins of this account from this address. Stay signed in with the refresh token instead of signing in "
    "again, or try again later."
)
TOO_MANY_CHANGES: Final = "Too many password changes of this account. Try again later."
TOO_MANY_HASHES: Final = "Too many sign-ins, registrations and password changes from this address. Try again later."
TOO_MANY_REGISTRATIONS: Final = "Too many registrations from this address. Try again later."
TOO_MANY_REFRESHES: Final = "Too many token refreshes in this session. Try again later."


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """The rate limits for accounts.

    The limits on failures protect against guessing passwords. The limits on sign-ins, password changes and hashes
    protect the processor: each of these computes a password hash, whether it succeeds or not.
    """

    failures_per_account: RateLimit
    failures_per_address: RateLimit
    sign_ins_per_account: RateLimit
    password_changes_per_account: RateLimit
    hashes_per_address: RateLimit
    registrations: RateLimit
    refreshes: RateLimit
    refreshes_in_a_day: RateLimit


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was started or refreshed: its user and its tokens."""

    user: UserRow
    access_token: str
    expires_at: datetime
    refresh_token: str


class Accounts:
    """Registers users, signs them in, refreshes their tokens, and changes their passwords."""

    def __init__(
        self,
        database: Database,
        *,
        password_limits: PasswordLimits,
        tokens: AccessTokens,
        rate_limiter: RateLimiter,
        limits: AccountLimits,
        key_ring: Mapping[str, bytes],
        failed_sign_ins: FailedSignIns,
        email_links: EmailLinks,
        registration: Registration = Registration.OPEN,
        retention: Retention,
        passwords: bool = True,
    ) -> None:
        """*registration* says who may register, and *retention* how long data of deleted users are kept.

        With *passwords* off, only refreshing tokens is possible. New users get a mail if the *email_links* send mail.
        """
        self._database = database
        self._password_limits = password_limits
        self._tokens = tokens
        self._rate_limiter = rate_limiter
        self._failed_attempts = FailedAttempts(rate_limiter)
        self._limits = limits
        self._key_ring = key_ring
        self._failed_sign_ins = failed_sign_ins
        self._email_links = email_links
        self.registration: Final = registration
        self._retention = retention
        self._passwords = passwords

    async def register(
        self,
        client: Client,
        *,
        username: str,
        email: str,
        password: str,
        request_id: str | None,
        invitation: str | None = None,
    ) -> UserRow:
        """Create a user with the role USER, or with that of an *invitation*; see `services.user.register` and
        `services.invitation.register_invited`.

        Raises:
            PasswordsDisabled: the server has switched passwords off.
            RateLimited: there were too many registrations or password hashes from this address.
            Unavailable: too many callers wait for a password hash.
        """
        self._require_passwords()
        address = throttle_key(client.address)
        await self._rate_limiter.take(self._limits.registrations, address, message=TOO_MANY_REGISTRATIONS)
        hasher = self._password_limits.hasher(client, username.lower(), self._hashes(address))
        await hasher.check()
        if invitation is not None:
            check_invited_registration(self.registration)
            return await invitation_service.register_invited(
                self._unit_of_work(None, client, request_id),
                token=invitation,
                username=username,
                email=email,
                password=password,
                hash_password=hasher.hash,
            )
        user = await user_service.register(
            self._unit_of_work(None, client, request_id),
            username=username,
            email=email,
            password=password,
            hash_password=hasher.hash,
            registration=self.registration,
            verify=ask_for_verification if self._email_links.sends_mail else None,
        )
        if self._email_links.sends_mail:
            await self._email_links.count_mail(user.email)
        return user

    async def sign_in(self, client: Client, *, username: str, password: str, request_id: str | None) -> SignedIn:
        """Start a session; see `services.session.sign_in`.

        Failures are limited per address, and per pair of account and address: so an attacker at another address cannot
        lock a user out. The number of all sign-ins is limited too, because each computes a hash.

        Raises:
            PasswordsDisabled: the server has switched passwords off.
            RateLimited: there were too many failures or sign-ins.
            Unavailable: too many callers wait for a password hash.
        """
        self._require_passwords()
        account, address = username.lower(), throttle_key(client.address)
        sign_ins = Budget(self._limits.sign_ins_per_account, f"{account}\n{address}", TOO_MANY_SIGN_INS)
        verifier = self._password_limits.verifier(
            client, account, self._failures(account, address), sign_ins, self._hashes(address)
        )
        await verifier.check()
        opened = await session_service.sign_in(
            self._unit_of_work(None, client, request_id),
            username=username,
            password=password,
            verify_password=verifier.verify,
            key_ring=self._key_ring,
            ip_address=client.address,
            user_agent=client.user_agent,
            report_failure=self._reporter(AuditAction.SIGN_IN_FAILED, address),
        )
        return self._signed_in(opened)

    async def refresh(self, client: Client, *, refresh_token: str, request_id: str | None) -> SignedIn:
        """Refresh a session; see `services.session.refresh_session`.

        Raises:
            RateLimited: the session was refreshed too often.
        """
        unit_of_work = self._unit_of_work(None, client, request_id)
        session_id = await session_service.find_session_of(unit_of_work, refresh_token=refresh_token)
        if session_id is None:
            raise InvalidCredentials(session_service.INVALID)
        for limit in (self._limits.refreshes, self._limits.refreshes_in_a_day):
            await self._rate_limiter.take(limit, str(session_id), message=TOO_MANY_REFRESHES)
        opened = await session_service.refresh_session(
            self._unit_of_work(None, client, request_id),
            refresh_token=refresh_token,
            key_ring=self._key_ring,
        )
        return self._signed_in(opened)

    async def exchange_code(
        self, client: Client, *, code: str, verifier: str, port: int, request_id: str | None
    ) -> SignedIn:
        """Start a session with a sign-in code; see `services.sign_in_code.exchange_sign_in_code`."""
        opened = await sign_in_code_service.exchange_sign_in_code(
            self._unit_of_work(None, client, request_id),
            code=code,
            verifier=verifier,
            port=port,
            key_ring=self._key_ring,
            ip_address=client.address,
            user_agent=client.user_agent,
        )
        return self._signed_in(opened)

    async def change_password(
        self, actor: Actor, client: Client, *, current_password: str, new_password: str, request_id: str | None
    ) -> UserRow:
        """Change the password of the actor; see `services.user.change_password`.

        Raises:
            PasswordsDisabled: the server has switched passwords off.
            RateLimited: the current password was wrong too often, or there were too many changes.
            Unavailable: too many callers wait for a password hash.
        """
        self._require_passwords()
        account, address = str(actor.user_id), throttle_key(client.address)
        changes = Budget(self._limits.password_changes_per_account, account, TOO_MANY_CHANGES)
        verifier = self._password_limits.verifier(
            client, account, self._failures(account, address), changes, self._hashes(address)
        )
        await verifier.check()
        return await user_service.change_password(
            self._unit_of_work(actor, client, request_id),
            current_password=current_password,
            new_password=new_password,
            hash_password=self._password_limits.hasher(client, account, self._hashes(address)).hash,
            verify_password=verifier.verify,
            report_failure=self._reporter(AuditAction.PASSWORD_CHANGE_FAILED, address),
        )

    async def delete_user(
        self,
        uow: UnitOfWork,
        client: Client,
        *,
        user_id: UUID,
        tasks_to: UUID | None,
        deletes_tasks: bool,
        current_password: str | None,
    ) -> Deletion:
        """Delete a user; see `services.user_deletion.delete_user`.

        Raises:
            RateLimited: the actor's own password was wrong too often.
            Unavailable: too many callers wait for a password hash.
        """
        account, address = str(uow.actor.user_id), throttle_key(client.address)
        verifier = self._password_limits.verifier(
            client,
            account,
            self._failures(account, address),
            Budget(self._limits.password_changes_per_account, account, TOO_MANY_CHANGES),
            self._hashes(address),
        )
        if user_id == uow.actor.user_id and current_password is not None:
            await verifier.check()
        return await delete_user(
            uow,
            user_id=user_id,
            retention=self._retention,
            tasks_to=tasks_to,
            deletes_tasks=deletes_tasks,
            current_password=current_password,
            verify_password=verifier.verify,
            report_failure=self._reporter(AuditAction.PASSWORD_CHANGE_FAILED, address),
        )

    def _require_passwords(self) -> None:
        if not self._passwords:
            raise PasswordsDisabled

    def _unit_of_work(self, actor: Actor | None, client: Client, request_id: str | None) -> UnitOfWork:
        return self._database.unit_of_work(actor, request_id=request_id, address=lambda: client.address)

    def _reporter(self, action: AuditAction, address: str) -> ReportFailure:
        return lambda user: self._failed_sign_ins.add(action, user, address)

    def _failures(self, account: str, address: str) -> Attempt:
        counts = (
            AttemptCount(self._limits.failures_per_address, address),
            AttemptCount(self._limits.failures_per_account, f"{account}\n{address}", is_cleared=True),
        )
        return self._failed_attempts.attempt(counts, message=TOO_MANY_LOGINS)

    def _hashes(self, address: str) -> Budget:
        return Budget(self._limits.hashes_per_address, address, TOO_MANY_HASHES)

    def _signed_in(self, opened: OpenSession) -> SignedIn:
        issued = self._tokens.issue(opened.user.id, opened.session.id, datetime.now(UTC))
        return SignedIn(opened.user, issued.token, issued.expires_at, opened.refresh_token)
