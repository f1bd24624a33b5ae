"""Operations on sessions: sign in, refresh, sign out, list and revoke."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain import policy
from domain.audit import AuditAction, AuditEntry, Performer, Subject
from domain.errors import InvalidCredentials, NotFound
from domain.events import AccessChange, AccessEvent
from domain.identity import ProviderUser
from domain.policy import Action
from domain.session import MAX_SESSIONS_LISTED, REPLAY_GRACE, child_token, expires_at, new_refresh_token, token_hash
from domain.user import UserKind
from persistence.models import SessionRow, UsedTokenRow, UserRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.unit_of_work import UnitOfWork
from services.user import ReportFailure, VerifyPassword, ignore_failure, lock_user

WRONG: Final = "Wrong username or password."
INVALID: Final = "Invalid refresh token"
USED: Final = "Refresh token has been already used"

KeyRing = Mapping[str, bytes]
"""Key id → secret; the first one is current."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session with its current refresh token; only a hash of the token is stored."""

    user: UserRow
    session: SessionRow
    refresh_token: str


async def sign_in(
    uow: UnitOfWork,
    *,
    username: str,
    password: str,
    verify_password: VerifyPassword,
    key_ring: KeyRing,
    ip_address: str,
    user_agent: str | None,
    report_failure: ReportFailure = ignore_failure,
) -> OpenSession:
    """Start a session on a device.

    *report_failure* gets the user whose password was wrong, or None for an unknown name.

    The work, and so the response time, is the same for an unknown user, a disabled user, one without a password, and a
    wrong password.

    Raises:
        InvalidCredentials: the user is unknown or disabled or has no password, or the password is wrong; the message is
            always the same.
    """
    async with uow:
        user = await uow.users.find_by_name(username)
        known = user.password_hash if user is not None and may_sign_in(user) and user.has_password else None
    verified = await verify_password(password, known)
    if not verified.matches or user is None:
        report_failure(user)
        raise InvalidCredentials(WRONG)
    async with uow:
        user = await lock_user(uow, user.id)
        if not may_sign_in(user) or not user.has_password or user.password_hash != known:
            report_failure(user)
            raise InvalidCredentials(WRONG)
        if verified.replacement is not None:
            uow.change(user, password_hash=verified.replacement)
        opened = await open_session(uow, user, key_ring=key_ring, ip_address=ip_address, user_agent=user_agent)
        await uow.commit()
    return opened


def may_sign_in(user: UserRow) -> bool:
    """Whether the user may have sessions, however the user proves who it is. A service account has tokens only."""
    return user.is_active and user.kind is UserKind.HUMAN


async def open_session(
    uow: UnitOfWork,
    user: UserRow,
    *,
    key_ring: KeyRing,
    ip_address: str,
    user_agent: str | None,
    through: ProviderUser | None = None,
) -> OpenSession:
    """Start a session of a locked user on a device, at the commit. Every way to sign in ends here.

    A user has at most a hundred sessions; the oldest end. Otherwise there could be sessions that are not listed, which
    no one could end. *through* is the provider through which the user signs in.

    Raises:
        InvalidCredentials: the user may have no sessions.
    """
    if not may_sign_in(user):
        raise InvalidCredentials(WRONG)
    token = new_refresh_token()
    session = new_row(
        SessionRow,
        id=new_id(),
        user_id=user.id,
        token_hash=token_hash(token),
        key_id=next(iter(key_ring)),
        ip_address=ip_address,
        user_agent=user_agent,
        created_at=uow.now,
        expires_at=expires_at(uow.now, uow.now),
        provider=through.provider if through is not None else None,
        provider_subject=through.subject if through is not None else None,
        provider_session=through.session if through is not None else None,
    )
    await _make_room(uow, user)
    uow.sessions.add(session)
    uow.audit(_signed_in(user, session))
    return OpenSession(user, session, token)


async def find_session_of(uow: UnitOfWork, *, refresh_token: str) -> UUID | None:
    """The session to which a refresh token belongs, or None."""
    async with uow:
        session = await uow.sessions.lock_by_token(token_hash(refresh_token))
        return session.id if session is not None else None


async def current_session(uow: UnitOfWork, *, refresh_token: str | None) -> SessionRow | None:
    """The session whose current refresh token this is, or None. A token that was used before is not accepted.

    Call it in a transaction. It changes nothing.
    """
    hashed = token_hash(refresh_token) if refresh_token is not None else None
    session = await uow.sessions.lock_by_token(hashed) if hashed is not None else None
    if session is None or session.token_hash != hashed or session.expires_at <= uow.now:
        return None
    return session


async def refresh_session(uow: UnitOfWork, *, refresh_token: str, key_ring: KeyRing) -> OpenSession:
    """Exchange a refresh token for its successor.

    The direct parent of the current token may be used again within the grace time, and gets the same successor: two
    browser tabs may refresh at the same time, or a response may be lost. Any other used token counts as stolen, and
    ends the session.

    Raises:
        InvalidCredentials: if the token is unknown, its session has ended, or it was used before.
    """
    hashed = token_hash(refresh_token)
    async with uow:
        session = await uow.sessions.lock_by_token(hashed)
        if session is None or session.expires_at <= uow.now:
            raise InvalidCredentials(INVALID)
        if session.token_hash == hashed:
            successor = _rotate(uow, session, refresh_token, key_ring)
        else:
            successor = await _repeat(uow, session, refresh_token, key_ring)
        user = await uow.users.get(session.user_id)
        if not may_sign_in(user):
            raise InvalidCredentials(INVALID)
        await uow.commit()
    return OpenSession(user, session, successor)


async def sign_out(uow: UnitOfWork, *, refresh_token: str | None = None) -> str | None:
    """End the actor's session, and the session of *refresh_token*; a repeated call is harmless.

    Returns the provider through which the user had signed in, if it was one.

    The two differ if a browser has signed in again in the meantime, because it stores only the newer cookie.

    Raises:
        NotFound: if there is a refresh token that belongs to none of the actor's sessions; then no session ends.
    """
    async with uow:
        current = await uow.sessions.find(uow.actor.session_id) if uow.actor.session_id is not None else None
        ending = {uow.actor.session_id}
        if refresh_token is not None:
            ending.add(await _own_session(uow, refresh_token))
        for session_id in ending:
            if session_id is not None and await end_session(uow, session_id):
                uow.audit(AuditEntry(AuditAction.SIGNED_OUT, Subject.session(session_id, uow.actor.name)))
        await uow.commit()
    return current.provider if current is not None else None


async def sign_out_everywhere(uow: UnitOfWork) -> None:
    """End all sessions of the actor, including the current one."""
    async with uow:
        await lock_user(uow, uow.actor.user_id)
        await uow.sessions.end_of_user(uow.actor.user_id)
        uow.record(_event(uow, AccessChange.SESSIONS_REVOKED, uow.actor.user_id, None))
        uow.audit(AuditEntry(AuditAction.SIGNED_OUT_EVERYWHERE, Subject.user(uow.actor.user_id, uow.actor.name)))
        await uow.commit()


async def revoke_session(uow: UnitOfWork, *, session_id: UUID) -> UUID:
    """End one of the actor's sessions; returns its id.

    Raises:
        NotFound: if the actor has no such session.
    """
    async with uow:
        session = await uow.sessions.find(session_id)
        if session is None or not policy.may_user(uow.actor, Action.REVOKE_SESSION, session.user_id):
            raise NotFound("Session not found", path=("sessionId",))
        if await end_session(uow, session_id):
            uow.audit(AuditEntry(AuditAction.SESSION_REVOKED, Subject.session(session_id, uow.actor.name)))
        await uow.commit()
    return session_id


async def list_sessions(uow: UnitOfWork) -> list[SessionRow]:
    """The actor's active sessions, the newest first, at most a hundred."""
    policy.require_user(uow.actor, Action.LIST_SESSIONS, uow.actor.user_id)
    async with uow:
        return await uow.sessions.list_of_user(uow.actor.user_id, now=uow.now, at_most=MAX_SESSIONS_LISTED)


def _rotate(uow: UnitOfWork, session: SessionRow, token: str, key_ring: KeyRing) -> str:
    key_id, key = next(iter(key_ring.items()))
    successor = child_token(token, key)
    uow.sessions.add_used(
        new_row(UsedTokenRow, token_hash=session.token_hash, session_id=session.id, used_at=uow.stamp)
    )
    uow.change(
        session,
        token_hash=token_hash(successor),
        key_id=key_id,
        last_used_at=uow.now,
        expires_at=expires_at(uow.now, session.created_at),
    )
    return successor


async def _repeat(uow: UnitOfWork, session: SessionRow, token: str, key_ring: KeyRing) -> str:
    key = key_ring.get(session.key_id)
    successor = child_token(token, key) if key is not None else None
    used = await uow.sessions.find_used(token_hash(token))
    in_time = used is not None and await uow.server_time() - used.used_at <= REPLAY_GRACE
    if successor is not None and in_time and token_hash(successor) == session.token_hash:
        return successor
    user = await uow.users.find(session.user_id)
    await end_session(uow, session.id)
    uow.audit(_reused(session, user))
    await uow.commit()
    raise InvalidCredentials(USED)


async def _own_session(uow: UnitOfWork, refresh_token: str) -> UUID:
    session = await uow.sessions.lock_by_token(token_hash(refresh_token))
    if session is None or session.user_id != uow.actor.user_id:
        raise NotFound("Token not found")
    return session.id


async def _make_room(uow: UnitOfWork, user: UserRow) -> None:
    active = await uow.sessions.list_of_user(user.id, now=uow.now, at_most=2 * MAX_SESSIONS_LISTED)
    for session in active[MAX_SESSIONS_LISTED - 1 :]:
        if await end_session(uow, session.id):
            uow.audit(_made_room(user, session))


async def end_session(uow: UnitOfWork, session_id: UUID) -> bool:
    """End a session at the commit; False if it had already ended."""
    user_id = await uow.sessions.end(session_id)
    if user_id is not None:
        uow.record(_event(uow, AccessChange.SESSION_REVOKED, user_id, session_id))
    return user_id is not None


def _signed_in(user: UserRow, session: SessionRow) -> AuditEntry:
    return AuditEntry(
        AuditAction.SIGNED_IN,
        Subject.session(session.id, user.username),
        {"userAgent": session.user_agent} | ({"provider": session.provider} if session.provider is not None else {}),
        Performer(user.id, user.username),
    )


def _made_room(user: UserRow, session: SessionRow) -> AuditEntry:
    return AuditEntry(
        AuditAction.SESSION_REVOKED,
        Subject.session(session.id, user.username),
        {"reason": "the user has signed in on too many devices"},
        Performer(user.id, user.username),
    )


def _reused(session: SessionRow, user: UserRow | None) -> AuditEntry:
    """A used token was used again: by the user or by a thief, which is not known, so it has no performer."""
    return AuditEntry(
        AuditAction.TOKEN_REUSED, Subject.session(session.id, user.username if user is not None else None)
    )


def _event(uow: UnitOfWork, change: AccessChange, user_id: UUID, session_id: UUID | None) -> AccessEvent:
    return AccessEvent(
        user_id=user_id,
        change=change,
        session_id=session_id,
        spared_session_id=None,
        actor_id=user_id,
        at=uow.now,
        request_id=uow.request_id,
    )
