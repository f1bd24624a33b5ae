"""Operations on personal access tokens: create, list and revoke.

Only a session may do this, and never a token: a token that others know cannot make another one that outlives it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain import access_token as rules
from domain import policy
from domain.access_token import MAX_TOKENS, Scope
from domain.audit import AuditAction, AuditEntry, Detail, Subject
from domain.errors import Invalid, NotFound
from domain.events import AccessChange, AccessEvent
from domain.policy import Action
from persistence.models import AccessTokenRow, UserRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.row_locks import LockMode
from persistence.unit_of_work import UnitOfWork
from services.service_account import managed_account
from services.user import lock_user

_DISABLED: Final = "The user is disabled."


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """A new token; *secret* is returned this once, and only its hash is stored."""

    row: AccessTokenRow
    secret: str


async def create_access_token(
    uow: UnitOfWork,
    *,
    user_id: UUID,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None,
    max_lifetime: timedelta,
    project_id: UUID | None = None,
) -> CreatedToken:
    """Create a token that acts as this user. A repeated call creates another one.

    The user is the actor, or a service account that the actor manages; the token of one that belongs to a project is
    for that project. With *project_id* the token reaches this project only, and nothing personal. It ends when the user
    leaves the project.

    Raises:
        Forbidden: the actor uses a token.
        NotFound: the user is no such service account, or the user is a member of no such project.
        Invalid: a value breaks a rule, or the user has too many tokens or is disabled.
    """
    policy.require_user(uow.actor, Action.CREATE_TOKEN, uow.actor.user_id)
    name, secret = rules.check_name(name), rules.new_token()
    expires_at = rules.check_expiry(expires_at, uow.now, max_lifetime)
    async with uow:
        await _check_managed(uow, user_id)
        project_id = await _project_of(uow, user_id, project_id)
        user = await _lock(uow, user_id, project_id)
        if not user.is_active:
            raise Invalid(_DISABLED)
        checked = rules.check_scopes(scopes, user.role, in_project=project_id is not None)
        row = new_row(
            AccessTokenRow,
            id=new_id(),
            user_id=user_id,
            name=name,
            token_hash=rules.token_hash(secret),
            scopes=[scope.value for scope in checked],
            created_at=uow.now,
            expires_at=expires_at,
            project_id=project_id,
        )
        rules.check_count(await uow.access_tokens.count(user_id))
        uow.access_tokens.add(row)
        uow.audit(_created(row, user))
        await uow.commit()
    return CreatedToken(row, secret)


async def list_access_tokens(uow: UnitOfWork, *, user_id: UUID) -> list[AccessTokenRow]:
    """A user's tokens, the newest first. Expired ones are among them until they are removed.

    Raises:
        Forbidden: the actor uses a token.
        NotFound: the user is another one, and no service account that the actor manages.
    """
    policy.require_user(uow.actor, Action.LIST_TOKENS, uow.actor.user_id)
    async with uow:
        await _check_managed(uow, user_id)
        return await uow.access_tokens.list_of_user(user_id, at_most=MAX_TOKENS)


async def revoke_access_token(uow: UnitOfWork, *, token_id: UUID) -> UUID:
    """End a token of the actor, or of a service account that the actor manages, within a second; returns its id.

    It ends on open sockets, too.

    Raises:
        Forbidden: the actor uses a token.
        NotFound: there is no such token.
    """
    policy.require_user(uow.actor, Action.REVOKE_TOKEN, uow.actor.user_id)
    async with uow:
        user_id, name = await _owner_of(uow, token_id)
        if not await uow.access_tokens.end(token_id, user_id=user_id):
            raise NotFound("Access token not found", path=("accessTokenId",))
        uow.record(
            AccessEvent(
                user_id=user_id,
                change=AccessChange.TOKEN_REVOKED,
                session_id=None,
                spared_session_id=None,
                actor_id=uow.actor.user_id,
                at=uow.now,
                request_id=uow.request_id,
                token_id=token_id,
            )
        )
        uow.audit(AuditEntry(AuditAction.ACCESS_TOKEN_REVOKED, Subject.access_token(token_id, name)))
        await uow.commit()
    return token_id


async def note_use(uow: UnitOfWork, *, token_ids: Sequence[UUID]) -> None:
    """Store that tokens were used now. Tokens that were revoked in the meantime are left out."""
    async with uow:
        await uow.access_tokens.note_use(token_ids, uow.now)
        await uow.commit()


async def _check_managed(uow: UnitOfWork, user_id: UUID) -> None:
    if user_id != uow.actor.user_id:
        await managed_account(uow, user_id)


async def _owner_of(uow: UnitOfWork, token_id: UUID) -> tuple[UUID, str | None]:
    """The user of a token and the user's name, if the actor may revoke it."""
    actor, row = uow.actor, await uow.access_tokens.find(token_id)
    try:
        if row is not None:
            return (actor.user_id, actor.name) if row.user_id == actor.user_id else await _account(uow, row.user_id)
    except NotFound:
        pass
    raise NotFound("Access token not found", path=("accessTokenId",))


async def _account(uow: UnitOfWork, user_id: UUID) -> tuple[UUID, str | None]:
    account = await managed_account(uow, user_id)
    return account.id, account.username


async def _project_of(uow: UnitOfWork, user_id: UUID, project_id: UUID | None) -> UUID | None:
    """The project of a new token: for a service account of a project, that one."""
    user = await uow.users.find(user_id)
    own = user.project_id if user is not None else None
    if own is not None and project_id not in (None, own):
        raise Invalid("The tokens of this service account are for its own project.", path=("projectId",))
    return own or project_id


async def _lock(uow: UnitOfWork, user_id: UUID, project_id: UUID | None) -> UserRow:
    """The user, locked, who must stay a member of the project until the commit."""
    if project_id is None:
        return await lock_user(uow, user_id)
    own = uow.memberships.lock_of_pair(project_id, user_id, LockMode.SHARED)
    user, membership = await uow.lock(uow.users.lock_of(user_id), own)
    if membership is None:
        raise NotFound("The user of the token is not a member of such a project.", path=("projectId",))
    return uow.users.existing(user, path=("userId",))


def _created(row: AccessTokenRow, user: UserRow) -> AuditEntry:
    details: dict[str, Detail] = {
        "name": row.name,
        "scopes": tuple(row.scopes),
        "expiresAt": row.expires_at.isoformat(),
    }
    if row.project_id is not None:
        details["projectId"] = str(row.project_id)
    return AuditEntry(AuditAction.ACCESS_TOKEN_CREATED, Subject.access_token(row.id, user.username), details)
