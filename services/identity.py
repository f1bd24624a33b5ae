"""Operations on identities: sign in through a provider, link, list and unlink accounts, and end sessions of a provider.

The caller has verified what the provider says.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from domain import policy
from domain.audit import AuditAction, AuditEntry, Performer, Subject
from domain.errors import AlreadyExists, Forbidden, Invalid, InvalidCredentials, NotFound, Unavailable
from domain.identity import MAX_IDENTITIES, USE_KEPT, ProviderUser, check_way_in_remains, usernames
from domain.policy import Action
from domain.user import check_email
from persistence.errors import Duplicate
from persistence.models import IdentityRow, UserRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.unit_of_work import UnitOfWork
from services.session import KeyRing, OpenSession, end_session, may_sign_in, open_session
from services.user import add_user, lock_user, new_user

MAX_TRIES: Final = 50
"""Usernames that are tried for a new user."""
USED: Final = "This sign-in was finished already. Start it again."
DISABLED: Final = "Your account on this server may not sign in. Ask an admin of this server."
NO_ACCOUNT: Final = (
    "There is no account on this server for you, and this server creates none at the first sign-in. Ask an admin of "
    "this server for an account, sign in to it, and link the provider there."
)
NO_EMAIL: Final = (
    "The sign-in provider has not sent your e-mail address, which an account needs. Ask the operator of this server to "
    "let the provider send it (the scope and the claim `email`)."
)
EMAIL_TAKEN: Final = (
    "An account on this server has your e-mail address already. Sign in to that account in another way, and link the "
    "provider there."
)
LINKED_TO_ANOTHER: Final = (
    "This account of the provider is linked to another user of this server. Unlink it there first."
)
NOT_SIGNED_IN: Final = "You have signed out in the meantime. Sign in, and link the provider again."
_ENDED: Final = "the provider has signed the user out"
_UNLINKED: Final = "the account at the provider was unlinked"
_ADDRESS: Final = "uq_users_email_lower"


async def find_or_create_user(
    uow: UnitOfWork, *, who: ProviderUser, creates_users: bool, links_by_email: bool = False
) -> UserRow:
    """The user to whom the account of the provider is linked; at the first sign-in a new one, if it *creates_users*.

    If it *links_by_email*, the account is linked to an existing user with the same address, provided that the provider
    has verified it, and that the user has shown it to this server. Otherwise a user who registers a foreign address
    first would get the sign-ins of its owner, or the other way round.

    Two first sign-ins at the same time create one user: the pair of issuer and subject is unique.

    Raises:
        Forbidden: there is no such user, or the user may not sign in, or no user can be created.
        AlreadyExists: another user has the e-mail address.
    """
    names = usernames(who.username, who.email)
    for _ in range(MAX_TRIES):
        async with uow:
            identity = await uow.identities.find_by_subject(who.issuer, who.subject)
            if identity is not None:
                return _who_may_sign_in(await uow.users.get(identity.user_id))
            user = await _owner_of_address(uow, who) if links_by_email else None
            if user is None and not creates_users:
                raise Forbidden(NO_ACCOUNT)
            user = user or await _new_user(uow, who, names)
            if user is not None and await _is_linked(uow, user, who):
                return user
    raise Unavailable("No username could be found for the new account; try again.")


async def sign_in(
    uow: UnitOfWork,
    *,
    who: ProviderUser,
    use: bytes,
    key_ring: KeyRing,
    ip_address: str,
    user_agent: str | None,
) -> OpenSession:
    """Start a session of the user to whom the account of the provider is linked. *use* permits this once.

    Raises:
        InvalidCredentials: *use* was used before, or the account was unlinked in the meantime.
        Forbidden: the user may not sign in.
    """
    async with uow:
        found = await uow.identities.find_by_subject(who.issuer, who.subject)
        if found is None:
            raise InvalidCredentials(USED)
        user, identity = await uow.lock(uow.users.lock_of(found.user_id), uow.identities.lock_of(found.id))
        if user is None or identity is None:
            raise InvalidCredentials(USED)
        _who_may_sign_in(user)
        uow.change(identity, provider=who.provider, account_name=who.account_name, last_used_at=uow.now)
        uow.single_uses.add(use, until=uow.now + USE_KEPT)
        opened = await open_session(
            uow, user, key_ring=key_ring, ip_address=ip_address, user_agent=user_agent, through=who
        )
        await _commit_once(uow)
    return opened


async def link_identity(uow: UnitOfWork, *, who: ProviderUser, use: bytes) -> None:
    """Link an account at a provider to the actor. One that is linked to the actor already stays so.

    Raises:
        Forbidden: the actor uses a token, or may not sign in.
        InvalidCredentials: the actor's session has ended, or *use* was used before.
        AlreadyExists: the account is linked to another user.
        Invalid: the actor has too many.
    """
    policy.require_user(uow.actor, Action.MANAGE_IDENTITIES, uow.actor.user_id)
    async with uow:
        user = _who_may_sign_in(await lock_user(uow, uow.actor.user_id))
        session = await uow.sessions.find(uow.actor.session_id) if uow.actor.session_id is not None else None
        if session is None or session.user_id != user.id:
            raise InvalidCredentials(NOT_SIGNED_IN)
        existing = await uow.identities.find_by_subject(who.issuer, who.subject)
        if existing is not None and existing.user_id != user.id:
            raise AlreadyExists(LINKED_TO_ANOTHER)
        uow.single_uses.add(use, until=uow.now + USE_KEPT)
        if existing is None:
            if len(await uow.identities.list_of_user(user.id, at_most=MAX_IDENTITIES)) >= MAX_IDENTITIES:
                raise Invalid(f"You have linked {MAX_IDENTITIES} accounts, the maximum; unlink one first.")
            _link(uow, user, who, None)
        await _commit_once(uow)


async def list_identities(uow: UnitOfWork) -> list[IdentityRow]:
    """The actor's accounts at providers, the oldest first."""
    policy.require_user(uow.actor, Action.MANAGE_IDENTITIES, uow.actor.user_id)
    async with uow:
        return await uow.identities.list_of_user(uow.actor.user_id, at_most=MAX_IDENTITIES)


async def unlink_identity(uow: UnitOfWork, *, identity_id: UUID, passwords: bool, issuers: Collection[str]) -> UUID:
    """Unlink one of the actor's accounts, and end the actor's other sessions through it; returns its id.

    *passwords* says whether users can sign in with a password, and *issuers* are those of the configured providers.

    Raises:
        NotFound: the actor has no such account.
        Forbidden: the actor uses a token, or could not sign in any more.
    """
    async with uow:
        user = await lock_user(uow, uow.actor.user_id)
        identity = await uow.identities.find(identity_id)
        if identity is None or identity.user_id != user.id:
            raise NotFound("Identity not found", path=("identityId",))
        policy.require_user(uow.actor, Action.MANAGE_IDENTITIES, identity.user_id, path=("identityId",))
        linked = await uow.identities.list_of_user(user.id, at_most=MAX_IDENTITIES)
        others = [each for each in linked if each.id != identity_id and each.issuer in issuers]
        check_way_in_remains(len(others), has_password=passwords and user.has_password)
        uow.identities.remove(identity)
        for session_id in await uow.sessions.through_provider(
            identity.provider, subject=identity.subject, session=None
        ):
            if session_id != uow.actor.session_id and await end_session(uow, session_id):
                uow.audit(_session_ended(session_id, user.username, _UNLINKED, identity.provider))
        uow.audit(_entry(AuditAction.IDENTITY_UNLINKED, user, identity.provider, identity.issuer, None))
        await uow.commit()
    return identity_id


async def end_provider_sessions(
    uow: UnitOfWork, *, provider: str, subject: str | None, session: str | None, use: bytes, until: datetime
) -> int:
    """End the sessions of a subject, or of one session of the provider, which has signed the user out.

    *use* permits this once; it is remembered *until* then. Returns the number of sessions.

    Raises:
        InvalidCredentials: *use* was used before.
    """
    ended = 0
    async with uow:
        for session_id in await uow.sessions.through_provider(provider, subject=subject, session=session):
            row = await uow.sessions.find(session_id)
            if row is not None and await end_session(uow, session_id):
                user = await uow.users.get(row.user_id)
                uow.audit(_session_ended(session_id, user.username, _ENDED, provider))
                ended += 1
        uow.single_uses.add(use, until=until)
        await _commit_once(uow)
    return ended


def _who_may_sign_in(user: UserRow) -> UserRow:
    if not may_sign_in(user):
        raise Forbidden(DISABLED)
    return user


async def _new_user(uow: UnitOfWork, who: ProviderUser, names: Iterator[str]) -> UserRow | None:
    """A new user, stored at the commit; None if another sign-in of the same subject has just created one."""
    email = _address(who)
    if await uow.users.id_by_email(email) is not None:
        if await uow.identities.find_by_subject(who.issuer, who.subject) is not None:
            return None
        raise AlreadyExists(EMAIL_TAKEN)
    user = new_user(uow, username=next(names), email=email)
    add_user(uow, user)
    return user


async def _is_linked(uow: UnitOfWork, user: UserRow, who: ProviderUser) -> bool:
    """Link the account and commit; False if the name is taken, or if another sign-in of the subject was faster."""
    _link(uow, user, who, Performer(user.id, user.username))
    try:
        await uow.commit()
    except Duplicate:
        return False
    return True


async def _owner_of_address(uow: UnitOfWork, who: ProviderUser) -> UserRow | None:
    """The user, locked, who has shown that the address is theirs; None unless the provider has verified it, too."""
    if who.email is None or not who.email_verified:
        return None
    user_id = await uow.users.id_by_email(who.email)
    if user_id is None:
        return None
    user = _who_may_sign_in(await lock_user(uow, user_id))
    is_same = user.email.lower() == who.email.lower()
    if user.email_verified_at is None or not is_same:
        return None
    if len(await uow.identities.list_of_user(user.id, at_most=MAX_IDENTITIES)) >= MAX_IDENTITIES:
        return None
    return user


def _address(who: ProviderUser) -> str:
    try:
        return check_email(who.email or "")
    except Invalid as error:
        raise Forbidden(NO_EMAIL) from error


def _link(uow: UnitOfWork, user: UserRow, who: ProviderUser, performer: Performer | None) -> None:
    uow.identities.add(
        new_row(
            IdentityRow,
            id=new_id(),
            user_id=user.id,
            provider=who.provider,
            issuer=who.issuer,
            subject=who.subject,
            account_name=who.account_name,
            created_at=uow.now,
        )
    )
    uow.audit(_entry(AuditAction.IDENTITY_LINKED, user, who.provider, who.issuer, performer))


async def _commit_once(uow: UnitOfWork) -> None:
    try:
        await uow.commit()
    except Duplicate as duplicate:
        if duplicate.constraint == uow.single_uses.CONSTRAINT:
            raise InvalidCredentials(USED) from duplicate
        raise AlreadyExists(LINKED_TO_ANOTHER) from duplicate


def _entry(action: AuditAction, user: UserRow, provider: str, issuer: str, performer: Performer | None) -> AuditEntry:
    return AuditEntry(action, Subject.user(user.id, user.username), {"provider": provider, "issuer": issuer}, performer)


def _session_ended(session_id: UUID, username: str, reason: str, provider: str) -> AuditEntry:
    details = {"reason": reason, "provider": provider}
    return AuditEntry(AuditAction.SESSION_REVOKED, Subject.session(session_id, username), details)
