"""Invitations, forgotten passwords and the verification of addresses, with rate limits, for all transports."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from asgi.client import Client, throttle_key
from domain.actor import Actor
from domain.identity import PasswordsDisabled
from domain.mail import MAX_TOKEN, require_mail
from domain.project import ProjectRole
from domain.user import Role, check_email
from graphql_api.auth.password_limits import Budget, PasswordLimits
from graphql_api.auth.rate_limits import RateLimit, RateLimiter
from persistence.database import Database
from persistence.models import MembershipRow
from persistence.unit_of_work import UnitOfWork
from services import email_account as account_service
from services import invitation as invitation_service
from services import user as user_service
from services.invitation import CreatedInvitation
from services.mail import LinkMaker

TOO_MANY_HASHES = "Too many sign-ins, registrations and password changes from this address. Try again later."
TOO_MANY_REQUESTS = "Too many requests for e-mail from this address. Try again later."
TOO_MANY_MAILS = "Too many e-mails were requested for this address. Use one that has arrived, or try again later."


@dataclass(frozen=True, slots=True)
class MailLimits:
    """The rate limits of mails. Those per recipient protect people from mails that others request."""

    requests_per_address: RateLimit
    mails_per_recipient: RateLimit
    mails_per_recipient_and_day: RateLimit


class EmailLinks:
    """What users do with links that are mailed. *hashes_per_address* is the limit of password hashes."""

    def __init__(
        self,
        database: Database,
        *,
        rate_limiter: RateLimiter,
        limits: MailLimits,
        password_limits: PasswordLimits,
        hashes_per_address: RateLimit,
        links: LinkMaker,
        sends_mail: bool,
        invitation_lifetime: timedelta,
        passwords: bool = True,
    ) -> None:
        self._database = database
        self._rate_limiter = rate_limiter
        self._limits = limits
        self._password_limits = password_limits
        self._hashes = hashes_per_address
        self._links = links
        self.sends_mail = sends_mail
        self._invitation_lifetime = invitation_lifetime
        self._passwords = passwords

    async def request_password_reset(self, client: Client, *, email: str, request_id: str | None) -> None:
        """Let a link for a new password be mailed; see `services.email_account.request_password_reset`.

        Whether there is such an account changes neither the result nor the work.

        Raises:
            Forbidden: the server sends no mail.
            RateLimited: there were too many requests from this address, or mails to this recipient.
        """
        self._require_passwords()
        require_mail(self.sends_mail)
        recipient = check_email(email)
        await self._take_request(client)
        await self._take_mail(recipient)
        await account_service.request_password_reset(self._unit_of_work(None, client, request_id), email=recipient)

    async def reset_password(self, client: Client, *, token: str, new_password: str, request_id: str | None) -> None:
        """Set a new password with a token; see `services.email_account.reset_password`.

        Raises:
            RateLimited: there were too many password hashes from this address.
            Unavailable: too many callers wait for a password hash.
        """
        self._require_passwords()
        budget = Budget(self._hashes, throttle_key(client.address), TOO_MANY_HASHES)
        hasher = self._password_limits.hasher(client, token[:MAX_TOKEN], budget)
        await hasher.check()
        await account_service.reset_password(
            self._unit_of_work(None, client, request_id),
            token=token,
            new_password=new_password,
            hash_password=hasher.hash,
        )

    async def request_email_verification(self, actor: Actor, client: Client, *, request_id: str | None) -> None:
        """Let a link be mailed to the actor's address; see `services.email_account.request_email_verification`.

        Raises:
            Forbidden: the server sends no mail.
            RateLimited: there were too many requests from this address, or mails to this recipient.
        """
        require_mail(self.sends_mail)
        await self._take_request(client)
        user = await user_service.get_user(self._unit_of_work(actor, client, request_id), user_id=actor.user_id)
        await self._take_mail(user.email)
        await account_service.request_email_verification(self._unit_of_work(actor, client, request_id))

    async def verify_email(self, client: Client, *, token: str, request_id: str | None) -> None:
        """Verify an address with a token; see `services.email_account.verify_email`."""
        await account_service.verify_email(self._unit_of_work(None, client, request_id), token=token)

    async def invite(
        self,
        actor: Actor,
        client: Client,
        *,
        email: str,
        role: Role,
        project_id: UUID | None,
        project_role: ProjectRole | None,
        request_id: str | None,
    ) -> CreatedInvitation:
        """Invite a person; see `services.invitation.create_invitation`.

        Raises:
            RateLimited: there were too many mails to this recipient.
        """
        if self.sends_mail:
            await self._take_mail(check_email(email))
        return await invitation_service.create_invitation(
            self._unit_of_work(actor, client, request_id),
            email=email,
            role=role,
            project_id=project_id,
            project_role=project_role,
            lifetime=self._invitation_lifetime,
            links=self._links,
            sends_mail=self.sends_mail,
        )

    async def accept(self, actor: Actor, client: Client, *, token: str, request_id: str | None) -> MembershipRow:
        """Join the project of an invitation; see `services.invitation.accept_invitation`."""
        return await invitation_service.accept_invitation(self._unit_of_work(actor, client, request_id), token=token)

    async def count_mail(self, recipient: str) -> None:
        """Count a mail to this address that no limit refuses."""
        for limit in (self._limits.mails_per_recipient, self._limits.mails_per_recipient_and_day):
            await self._rate_limiter.count(limit, _folded(recipient))

    def _require_passwords(self) -> None:
        if not self._passwords:
            raise PasswordsDisabled

    async def _take_request(self, client: Client) -> None:
        address = throttle_key(client.address)
        await self._rate_limiter.take(self._limits.requests_per_address, address, message=TOO_MANY_REQUESTS)

    async def _take_mail(self, recipient: str) -> None:
        for limit in (self._limits.mails_per_recipient, self._limits.mails_per_recipient_and_day):
            await self._rate_limiter.take(limit, _folded(recipient), message=TOO_MANY_MAILS)

    def _unit_of_work(self, actor: Actor | None, client: Client, request_id: str | None) -> UnitOfWork:
        return self._database.unit_of_work(actor, request_id=request_id, address=lambda: client.address)


def _folded(recipient: str) -> str:
    return recipient.lower()
