"""Operations on invitations: create, list and revoke them, and accept them with the token of their link."""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from domain import invitation as rules
from domain import policy
from domain.actor import OPERATOR_ID, Actor
from domain.audit import AuditAction, AuditEntry, Detail, Performer, Subject
from domain.errors import AlreadyExists, Forbidden, NotFound
from domain.mail import LinkPurpose, MailKind, bad_link, link_hash
from domain.policy import Action
from domain.project import ProjectRole, check_membership_count
from domain.user import Role, check_email, check_password, check_username
from persistence.models import InvitationRow, MembershipRow, ProjectRow, UserRow, membership_id
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.pagination import MAX_FIRST, PageRequest
from persistence.queries.invitation import INVITATION_ORDER, invitation_page
from persistence.row_locks import LockMode, RowLock
from persistence.unit_of_work import UnitOfWork
from services.audit import member_entry
from services.mail import LinkMaker, enqueue
from services.project_event import role_changed
from services.user import HashPassword, add_user, commit_user, new_user

DAY = timedelta(days=1)
_INVITED = "invited"


@dataclass(frozen=True, slots=True)
class CreatedInvitation:
    """A new invitation. *link* is returned this once, and only if no mail is sent."""

    row: InvitationRow
    link: str | None


class _Locked(NamedTuple):
    """An open invitation and what decides about it, locked; the last two belong to the user who accepts it."""

    invitation: InvitationRow
    project: ProjectRow | None
    user: UserRow | None
    membership: MembershipRow | None


async def create_invitation(
    uow: UnitOfWork,
    *,
    email: str,
    role: Role,
    project_id: UUID | None,
    project_role: ProjectRole | None,
    lifetime: timedelta,
    links: LinkMaker,
    sends_mail: bool,
) -> CreatedInvitation:
    """Invite a person, who may have an account or not: the result is the same.

    Raises:
        NotFound: the actor sees no such project.
        Forbidden: the actor may not invite to it, or not give this role, or it is archived.
        Invalid: a value breaks a rule, or the actor has invited too many people within a day.
    """
    email = check_email(email)
    rules.check_invitation(role, project_id, project_role)
    async with uow:
        await _require_inviter(uow, role, project_id)
        rules.check_count(await uow.invitations.count_since(uow.actor.user_id, uow.now - DAY))
        row = new_row(
            InvitationRow,
            id=new_id(),
            email=email,
            role=role,
            project_id=project_id,
            project_role=project_role,
            inviter_id=uow.actor.user_id if uow.actor.user_id != OPERATOR_ID else None,
            is_mailed=sends_mail,
            created_at=uow.now,
            expires_at=uow.now + lifetime,
        )
        if sends_mail:
            enqueue(uow, MailKind.INVITATION, email, lifetime, {"invitationId": str(row.id)})
        else:
            row.token_hash = links.hash(LinkPurpose.INVITE, row.id)
        uow.invitations.add(row)
        uow.audit(_entry(AuditAction.INVITATION_CREATED, row))
        await uow.commit()
    return CreatedInvitation(row, None if sends_mail else links.link(LinkPurpose.INVITE, row.id))


async def list_invitations(uow: UnitOfWork) -> list[InvitationRow]:
    """The newest invitations that the actor may manage, at most a hundred."""
    async with uow:
        page = await uow.page(
            InvitationRow, invitation_page(uow.actor, PageRequest.of(MAX_FIRST, order=INVITATION_ORDER))
        )
    return list(page.rows)


async def revoke_invitation(uow: UnitOfWork, *, invitation_id: UUID) -> UUID:
    """Delete an invitation, used or not; returns its id. Its link, and a mail that waits, have no effect any more.

    Raises:
        NotFound: there is none that the actor may manage.
    """
    uow.cost = 0  # ending access works also if there are no writes left
    async with uow:
        found = await uow.invitations.find(invitation_id)
        locks = () if found is None else _locks_of(uow, found.project_id, uow.actor.user_id)
        row, *others = await uow.lock(uow.invitations.lock_of(invitation_id), *locks)
        membership = others[1] if others else None
        if row is None or not _may_invite(uow.actor, Role.USER, row.project_id, membership):
            raise NotFound("Invitation not found", path=("invitationId",))
        uow.invitations.remove(row)
        uow.audit(_entry(AuditAction.INVITATION_REVOKED, row))
        await uow.commit()
    return invitation_id


async def register_invited(
    uow: UnitOfWork, *, token: str, username: str, email: str, password: str, hash_password: HashPassword
) -> UserRow:
    """Create a user with the role of an invitation, and a member of its project if it has one.

    The address is verified if the token was mailed to it.

    Raises:
        InvalidCredentials: the token is unknown, was used or has expired.
        Forbidden: the invitation is for another address, or its inviter may not invite any more.
        Invalid, AlreadyExists: as `services.user.register` does.
    """
    username, email, password = check_username(username), check_email(email), check_password(password)
    async with uow:
        found = await _find(uow, token, field=_INVITED)  # before the hash, which is costly
        rules.check_address(found.email, email)
    password_hash = await hash_password(password)
    async with uow:
        found = await _find(uow, token, field=_INVITED)
        rules.check_address(found.email, email)
        locked = await _lock(uow, found, field=_INVITED)
        role = locked.invitation.role
        user = new_user(uow, username=username, email=email, role=role, password_hash=password_hash)
        user.email_verified_at = uow.now if locked.invitation.is_mailed else None
        add_user(uow, user)
        _accept(uow, locked, user)
        await commit_user(uow)
    return user


async def accept_invitation(uow: UnitOfWork, *, token: str) -> MembershipRow:
    """Join the project of an invitation that was sent to the actor's address. The role of the actor does not change.

    Raises:
        InvalidCredentials: the token is unknown, was used or has expired.
        Forbidden: the invitation is for another address, or its inviter may not invite any more.
        Invalid: it has no project, or the actor is a member of too many.
        AlreadyExists: the actor is a member already.
    """
    async with uow:
        found = await _find(uow, token, field="token")
        rules.require_project(found.project_id)
        locked = await _lock(uow, found, field="token", accepter_id=uow.actor.user_id)
        user = locked.user
        if user is None or not user.is_active:
            raise bad_link()
        rules.check_address(locked.invitation.email, user.email)
        if locked.membership is not None:
            raise AlreadyExists("You are a member of this project already.", path=("token",))
        check_membership_count(await uow.memberships.count_of_user(user.id))
        if locked.invitation.is_mailed and user.email_verified_at is None:
            uow.change(user, email_verified_at=uow.now, updated_at=uow.time_after(user.updated_at))
        membership = _accept(uow, locked, user)
        assert membership is not None
        await uow.commit()
    return membership


async def _find(uow: UnitOfWork, token: str, *, field: str) -> InvitationRow:
    """The open invitation of a token, not locked."""
    hashed = link_hash(LinkPurpose.INVITE, token)
    row = await uow.invitations.find_by_hash(hashed) if hashed is not None else None
    if row is None:
        raise bad_link(field)
    rules.check_open(row.expires_at, row.accepted_at, await uow.server_time(), field=field)
    return row


async def _lock(uow: UnitOfWork, found: InvitationRow, *, field: str, accepter_id: UUID | None = None) -> _Locked:
    """Lock an invitation, its project, and the rows of its inviter and of the user who accepts it.

    If it is accepted twice at the same time, the second one waits here, and finds that it was used.
    """
    locks: dict[str, RowLock] = {"invitation": uow.invitations.lock_of(found.id)}
    if found.project_id is not None:
        locks["project"] = uow.projects.lock_of(found.project_id)
    if found.inviter_id is not None and found.inviter_id != accepter_id:
        locks["inviter"] = uow.users.lock_of(found.inviter_id, LockMode.SHARED)
        if found.project_id is not None:
            locks["role"] = uow.memberships.lock_of_pair(found.project_id, found.inviter_id, LockMode.SHARED)
    if accepter_id is not None:
        locks["user"] = uow.users.lock_of(accepter_id)
        if found.project_id is not None:
            locks["membership"] = uow.memberships.lock_of_pair(found.project_id, accepter_id)
    rows = dict(zip(locks, await uow.lock(*locks.values()), strict=True))
    invitation: InvitationRow | None = rows["invitation"]
    project: ProjectRow | None = rows.get("project")
    if invitation is None or (found.project_id is not None and project is None):
        raise bad_link(field)
    rules.check_open(invitation.expires_at, invitation.accepted_at, await uow.server_time(), field=field)
    if project is not None and project.is_archived:
        raise Forbidden("The project is archived: ask a manager to make it active again.", path=(field,))
    own = found.inviter_id is not None and found.inviter_id == accepter_id
    inviter = rows.get("user") if own else rows.get("inviter")
    _check_inviter(invitation, inviter, rows.get("membership") if own else rows.get("role"))
    return _Locked(invitation, project, rows.get("user"), rows.get("membership"))


def _check_inviter(invitation: InvitationRow, inviter: UserRow | None, role: MembershipRow | None) -> None:
    """Check that the inviter may still invite with these rights. The operator always may."""
    if invitation.inviter_id is None:
        return
    if inviter is None or not inviter.is_active:
        raise rules.inviter_lost_right()
    actor = Actor(inviter.id, inviter.role, None, inviter.access_version)
    if not _may_invite(actor, invitation.role, invitation.project_id, role):
        raise rules.inviter_lost_right()


def _may_invite(actor: Actor, role: Role, project_id: UUID | None, membership: MembershipRow | None) -> bool:
    """Admins with every role, and managers with the role USER to their project."""
    own = membership.role if membership is not None and project_id is not None and role is Role.USER else None
    return policy.may_project(actor, Action.MANAGE_INVITATIONS, own)


async def _require_inviter(uow: UnitOfWork, role: Role, project_id: UUID | None) -> None:
    actor = uow.actor
    if project_id is not None:
        locks = _locks_of(uow, project_id, actor.user_id)
        project, membership = await uow.lock(*locks)
        own = membership.role if membership is not None else None
        is_archived = project is not None and project.is_archived
        if project is None:
            raise NotFound("Project not found", path=("projectId",))
        policy.require_project(actor, Action.MANAGE_INVITATIONS, own, is_archived=is_archived)
    if project_id is None or role is not Role.USER:
        path = ("role",) if role is not Role.USER else ("projectId",)
        if not policy.may_project(actor, Action.MANAGE_INVITATIONS, None):
            raise Forbidden("You may invite people to your projects, with the role USER; ask an admin.", path=path)


def _locks_of(uow: UnitOfWork, project_id: UUID | None, user_id: UUID) -> tuple[RowLock, ...]:
    """The locks of a project and of a user's membership in it."""
    if project_id is None:
        return ()
    own = uow.memberships.lock_of_pair(project_id, user_id, LockMode.SHARED)
    return uow.projects.lock_of(project_id, LockMode.SHARED), own


def _accept(uow: UnitOfWork, locked: _Locked, user: UserRow) -> MembershipRow | None:
    """Mark the invitation as used, and add the membership."""
    performer = Performer(user.id, user.username)
    invitation, project = locked.invitation, locked.project
    uow.change(invitation, accepted_at=uow.now, accepted_by=user.id)
    uow.audit(_entry(AuditAction.INVITATION_ACCEPTED, invitation, performer))
    if project is None or invitation.project_role is None:
        return None
    role = invitation.project_role
    membership = new_row(
        MembershipRow,
        id=membership_id(project.id, user.id),
        project_id=project.id,
        user_id=user.id,
        role=role,
        created_at=uow.now,
    )
    uow.memberships.add(membership)
    uow.record(role_changed(uow, project.id, user.id, role, actor_id=user.id))
    uow.audit(
        member_entry(
            AuditAction.MEMBER_ADDED, project, user, membership, new_role=role, reason=_INVITED, performer=performer
        )
    )
    return membership


def _entry(action: AuditAction, row: InvitationRow, performer: Performer | None = None) -> AuditEntry:
    details: dict[str, Detail] = {"role": row.role.value}
    if row.project_id is not None and row.project_role is not None:
        details |= {"projectId": str(row.project_id), "projectRole": row.project_role.value}
    return AuditEntry(action, Subject.invitation(row.id), details, performer)
