"""Forgotten passwords, and the verification of addresses: what users do with links that were mailed to them."""

from typing import Final
from uuid import UUID

from domain.audit import AuditAction, AuditEntry, Performer, Subject
from domain.errors import Invalid
from domain.events import AccessChange, AccessEvent
from domain.mail import LINK_LIFETIME, LinkPurpose, MailKind, bad_link, link_hash
from domain.user import check_email, check_password
from persistence.models import LinkTokenRow, UserRow
from persistence.unit_of_work import UnitOfWork
from services.mail import enqueue, may_reset_password
from services.user import HashPassword, lock_user

_VERIFIED: Final = "Your e-mail address is confirmed already."


async def request_password_reset(uow: UnitOfWork, *, email: str) -> None:
    """Let a link for a new password be mailed to the user with this address, if there is one.

    It adds a mail in each case and reads nothing, so its work does not depend on whether there is such a user. Who
    gets a mail is decided when it is sent.

    Raises:
        Invalid: it is no e-mail address.
    """
    recipient = check_email(email)
    async with uow:
        enqueue(uow, MailKind.PASSWORD_RESET, recipient, LINK_LIFETIME)
        await uow.commit()


async def reset_password(uow: UnitOfWork, *, token: str, new_password: str, hash_password: HashPassword) -> None:
    """Set a new password with the token of a link, which ends all sessions and all such links of the user.

    The address counts as verified. Personal access tokens stay valid, as with `change_password`.

    Raises:
        Invalid: the password breaks a rule.
        InvalidCredentials: the token is unknown, was used or has expired, or the user may not use it any more.
    """
    new_password = check_password(new_password, field="newPassword")
    async with uow:
        await _find(uow, token, LinkPurpose.RESET)  # before the hash, which is costly
    password_hash = await hash_password(new_password)
    async with uow:
        user = await lock_user_of_token(uow, token, LinkPurpose.RESET)
        if not may_reset_password(user):
            raise bad_link()
        uow.change(
            user,
            password_hash=password_hash,
            email_verified_at=user.email_verified_at or uow.now,
            updated_at=uow.time_after(user.updated_at),
        )
        await uow.link_tokens.end_of_user(user.id, LinkPurpose.RESET)
        await uow.sessions.end_of_user(user.id)
        uow.record(_password_changed(uow, user.id))
        uow.audit(_by_the_user(AuditAction.PASSWORD_RESET, user))
        await uow.commit()


async def request_email_verification(uow: UnitOfWork) -> None:
    """Let a link be mailed to the actor's address, which verifies it.

    Raises:
        Invalid: it is verified already.
    """
    async with uow:
        user = await lock_user(uow, uow.actor.user_id)
        if user.email_verified_at is not None:
            raise Invalid(_VERIFIED)
        ask_for_verification(uow, user)
        await uow.commit()


def ask_for_verification(uow: UnitOfWork, user: UserRow) -> None:
    """Add the mail with the link that verifies the address of a user."""
    enqueue(uow, MailKind.EMAIL_VERIFICATION, user.email, LINK_LIFETIME, {"userId": str(user.id)})


async def verify_email(uow: UnitOfWork, *, token: str) -> None:
    """Verify an address with the token of a link. No one has to be signed in: mail is read on other devices, too.

    Raises:
        InvalidCredentials: the token is unknown, was used or has expired.
    """
    async with uow:
        user = await lock_user_of_token(uow, token, LinkPurpose.VERIFY)
        if user.email_verified_at is None:
            uow.change(user, email_verified_at=uow.now, updated_at=uow.time_after(user.updated_at))
            uow.audit(_by_the_user(AuditAction.EMAIL_VERIFIED, user))
        await uow.link_tokens.end_of_user(user.id, LinkPurpose.VERIFY)
        await uow.commit()


async def _find(uow: UnitOfWork, token: str, purpose: LinkPurpose) -> LinkTokenRow:
    """The row of a valid token, not locked."""
    hashed = link_hash(purpose, token)
    row = await uow.link_tokens.find_by_hash(hashed, purpose) if hashed is not None else None
    if row is None or row.expires_at <= await uow.server_time():
        raise bad_link()
    return row


async def lock_user_of_token(uow: UnitOfWork, token: str, purpose: LinkPurpose) -> UserRow:
    """The active user of a valid token, who still has its address; the user and the token are locked.

    If a token is used twice at the same time, the second use waits here, and finds no token then.

    Raises:
        InvalidCredentials: there is no such token, or no such user any more.
    """
    found = await _find(uow, token, purpose)
    user: UserRow | None
    user, row = await uow.lock(uow.users.lock_of(found.user_id), uow.link_tokens.lock_of(found.id))
    if user is None or row is None or not user.is_active or user.email != found.email:
        raise bad_link()
    return user


def _password_changed(uow: UnitOfWork, user_id: UUID) -> AccessEvent:
    return AccessEvent(
        user_id=user_id,
        change=AccessChange.PASSWORD_CHANGED,
        session_id=None,
        spared_session_id=None,
        actor_id=user_id,
        at=uow.now,
        request_id=uow.request_id,
    )


def _by_the_user(action: AuditAction, user: UserRow) -> AuditEntry:
    performer = Performer(user.id, user.username)
    return AuditEntry(action, Subject.user(user.id, user.username), performer=performer)
