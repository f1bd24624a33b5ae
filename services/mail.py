"""The outbox of mails: added in the transaction of an action, and sent by the processes beside the requests.

Each mail is sent at least once, however many processes run and whenever one of them dies. It can be sent twice, if a
process dies after the server of the recipient has accepted it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain import mail_texts
from domain.mail import LEASE, MAX_ERROR, LinkPurpose, MailKind, link, link_hash, link_token, wait_after
from domain.mail_texts import MailText
from domain.user import UserKind
from persistence.models import InvitationRow, MailRow, ProjectRow, UserRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.repositories.mail import WaitingMails
from persistence.row_locks import LockMode
from persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Makes the links in mails: *key* is the current secret of the server, and *public_url* its address."""

    key: bytes
    public_url: str | None

    def token(self, purpose: LinkPurpose, row_id: UUID) -> str:
        """The token of a row, the same at each call."""
        return link_token(purpose, row_id, self.key)

    def hash(self, purpose: LinkPurpose, row_id: UUID) -> bytes:
        """The hash of this token."""
        hashed = link_hash(purpose, self.token(purpose, row_id))
        assert hashed is not None
        return hashed

    def link(self, purpose: LinkPurpose, row_id: UUID) -> str:
        """The address with this token."""
        return link(purpose, self.token(purpose, row_id), self.public_url)


class MadeMail(NamedTuple):
    """What is sent, and to which address."""

    recipient: str
    text: MailText


def enqueue(
    uow: UnitOfWork, kind: MailKind, recipient: str, lifetime: timedelta, details: Mapping[str, Any] | None = None
) -> None:
    """Add a mail to the transaction. It is tried until *lifetime* has passed; *details* must not have secrets."""
    row = new_row(
        MailRow,
        id=new_id(),
        kind=kind,
        recipient=recipient,
        details=dict(details or {}),
        created_at=uow.now,
        expires_at=uow.now + lifetime,
        next_attempt_at=uow.now,
        attempts=0,
    )
    uow.mails.add(row)


async def claim_mail(uow: UnitOfWork) -> MailRow | None:
    """The next mail that is due, for this process until the end of its lease; None if there is none.

    The claim is committed at once, so that a mail that cannot be made or sent does not hold up the others.
    """
    async with uow:
        return await uow.mails.claim(LEASE)


async def make_mail(uow: UnitOfWork, row: MailRow, links: LinkMaker) -> MadeMail | None:
    """The recipient and the text of a claimed mail, with its link valid from now on.

    None if there is nothing to send, and then it is removed: there is no such user, or no such invitation any more.
    """
    async with uow:
        made = await _MAKERS[row.kind](uow, row, links)
        if made is None:
            await uow.mails.drop(row.id)
        await uow.commit()
    return made


async def note_sent(uow: UnitOfWork, mail: MailRow) -> None:
    """The mail server has accepted it."""
    async with uow:
        await uow.mails.note_sent(mail.id)


async def give_up(uow: UnitOfWork, mail: MailRow, error: str) -> None:
    """The mail server refuses it for good."""
    async with uow:
        await uow.mails.give_up(mail.id, error[:MAX_ERROR])


async def try_later(uow: UnitOfWork, mail: MailRow, error: str) -> timedelta:
    """The attempt has failed; returns the time until the next one."""
    wait = wait_after(mail.attempts)
    async with uow:
        await uow.mails.try_later(mail, wait, error[:MAX_ERROR])
    return wait


async def waiting_mails(uow: UnitOfWork) -> WaitingMails:
    """The mails that wait for an attempt."""
    async with uow:
        return await uow.mails.waiting()


async def failed_mails(uow: UnitOfWork, *, within: timedelta) -> int:
    """The number of mails that were given up lately."""
    async with uow:
        return await uow.mails.failed_since(await uow.server_time() - within)


def may_reset_password(user: UserRow) -> bool:
    """Whether a user gets a link for a new password: not a disabled one, and nobody who signs in without a password."""
    return user.is_active and user.has_password and user.kind is UserKind.HUMAN


async def _password_reset(uow: UnitOfWork, row: MailRow, links: LinkMaker) -> MadeMail | None:
    """To the address of the account as it is stored, never to the text that was sent: two texts can be equal for the
    database, and lead to different mailboxes.
    """
    user = await uow.users.find_by_email(row.recipient)
    if user is None or not may_reset_password(user):
        return None
    await _put_token(uow, row, links, LinkPurpose.RESET, user)
    text = mail_texts.password_reset(user.username, links.link(LinkPurpose.RESET, row.id))
    return MadeMail(user.email, text)


async def _email_verification(uow: UnitOfWork, row: MailRow, links: LinkMaker) -> MadeMail | None:
    user = await uow.users.find(UUID(row.details["userId"]))
    if user is None or not user.is_active or user.email != row.recipient or user.email_verified_at is not None:
        return None
    await _put_token(uow, row, links, LinkPurpose.VERIFY, user)
    text = mail_texts.email_verification(user.username, links.link(LinkPurpose.VERIFY, row.id))
    return MadeMail(user.email, text)


async def _invitation(uow: UnitOfWork, row: MailRow, links: LinkMaker) -> MadeMail | None:
    invitation_id = UUID(row.details["invitationId"])
    if not await uow.invitations.set_hash(invitation_id, links.hash(LinkPurpose.INVITE, invitation_id)):
        return None
    invitation: InvitationRow = await uow.invitations.get(invitation_id)
    inviter = await uow.users.find(invitation.inviter_id) if invitation.inviter_id is not None else None
    project: ProjectRow | None = None
    if invitation.project_id is not None:
        [project] = await uow.lock(uow.projects.lock_of(invitation.project_id, LockMode.NONE))
    text = mail_texts.invitation(
        inviter.username if inviter is not None else None,
        project.name if project is not None else None,
        invitation.expires_at - invitation.created_at,
        links.link(LinkPurpose.INVITE, invitation_id),
    )
    return MadeMail(invitation.email, text)


_Maker = Callable[[UnitOfWork, MailRow, LinkMaker], Awaitable[MadeMail | None]]
_MAKERS: Final[Mapping[MailKind, _Maker]] = {
    MailKind.PASSWORD_RESET: _password_reset,
    MailKind.EMAIL_VERIFICATION: _email_verification,
    MailKind.INVITATION: _invitation,
}


async def _put_token(uow: UnitOfWork, row: MailRow, links: LinkMaker, purpose: LinkPurpose, user: UserRow) -> None:
    await uow.link_tokens.put(
        id=row.id,
        purpose=purpose.value,
        user_id=user.id,
        email=user.email,
        token_hash=links.hash(purpose, row.id),
        expires_at=row.expires_at,
    )
