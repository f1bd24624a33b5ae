"""Recovery codes: how an operator lets a user in who has no other way to sign in."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain import recovery as rules
from domain.actor import OPERATOR
from domain.audit import AuditAction, AuditEntry, Performer, Subject
from domain.errors import Forbidden, InvalidCredentials
from domain.mail import LinkPurpose, link_hash
from domain.user import UserKind
from persistence.models import UserRow
from persistence.models.base import new_id
from persistence.unit_of_work import UnitOfWork
from services.email_account import lock_user_of_token
from services.session import KeyRing, OpenSession, open_session
from services.user import lock_user


class CreatedRecovery(NamedTuple):
    """A new code; only its hash is stored."""

    user: UserRow
    code: str
    expires_at: datetime


async def create_recovery(uow: UnitOfWork, *, user_id: UUID) -> CreatedRecovery:
    """Create a code for a user, which replaces the user's earlier one.

    Raises:
        NotFound: there is no such user.
        Forbidden: the actor is not the operator, or the user may not sign in.
    """
    if uow.actor != OPERATOR:
        raise Forbidden("Only the operator may create a recovery code.")
    code, expires_at = rules.new_code(), uow.now + rules.LIFETIME
    async with uow:
        user = await lock_user(uow, user_id)
        _check(user)
        await uow.link_tokens.end_of_user(user.id, LinkPurpose.RECOVER)
        await uow.link_tokens.put(
            id=new_id(),
            purpose=LinkPurpose.RECOVER.value,
            user_id=user.id,
            email=user.email,
            token_hash=link_hash(LinkPurpose.RECOVER, code),
            expires_at=expires_at,
        )
        details = {"expiresAt": expires_at.isoformat()}
        uow.audit(AuditEntry(AuditAction.RECOVERY_CREATED, Subject.user(user.id, user.username), details))
        await uow.commit()
    return CreatedRecovery(user, code, expires_at)


async def use_recovery(
    uow: UnitOfWork, *, code: str, key_ring: KeyRing, ip_address: str, user_agent: str | None
) -> OpenSession:
    """Start a session with a code, once.

    Raises:
        InvalidCredentials: the code is unknown, was used or has expired, or the user may not sign in.
    """
    async with uow:
        try:
            user = await lock_user_of_token(uow, code.strip(), LinkPurpose.RECOVER)
        except InvalidCredentials as error:
            raise rules.bad_code() from error
        await uow.link_tokens.end_of_user(user.id, LinkPurpose.RECOVER)
        performer = Performer(user.id, user.username)
        uow.audit(AuditEntry(AuditAction.RECOVERY_USED, Subject.user(user.id, user.username), performer=performer))
        opened = await open_session(uow, user, key_ring=key_ring, ip_address=ip_address, user_agent=user_agent)
        await uow.commit()
    return opened


def _check(user: UserRow) -> None:
    if user.kind is not UserKind.HUMAN:
        raise Forbidden(
            f"{user.username} is a service account, which never signs in; `taskriver access-token create "
            f"{user.username}` creates a token."
        )
    if not user.is_active:
        raise Forbidden(f"{user.username} is disabled; `taskriver user enable {user.username}` enables the user.")
