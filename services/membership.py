"""Operations on the members of projects: one function, one transaction.

Each locks the project, so that the members of a project change one after the other: two managers cannot remove each
other at the same time. A project keeps at least one active manager.
"""

from collections.abc import Sequence
from uuid import UUID

from domain.audit import AuditAction
from domain.errors import AlreadyExists, Invalid, NotFound
from domain.policy import Action
from domain.project import ProjectRole, check_managers_remain, check_membership_count
from domain.user import UserKind
from persistence.models import MembershipRow, ProjectRow, UserRow, membership_id
from persistence.models.rows import new_row
from persistence.pagination import MAX_FIRST, PageRequest
from persistence.queries.membership import MEMBERS
from persistence.row_locks import LockMode, RowLock
from persistence.unit_of_work import UnitOfWork
from services.audit import member_entry
from services.idempotency import find_earlier_result
from services.project import lock_project
from services.project_event import role_changed

_PROJECT_PATH = ("projectId",)
_USER_PATH = ("userId",)
_ONLY_MANAGER = "the only manager was disabled"


async def add_member(
    uow: UnitOfWork, *, project_id: UUID, user_id: UUID, role: ProjectRole, provider: str | None = None
) -> MembershipRow:
    """Add an active user to a project. *provider* is the one whose groups give the membership; None: a person gives it.

    Raises:
        NotFound: the actor sees no such project.
        Forbidden: the actor may not manage its members, or it is archived.
        Invalid: there is no such active user, it is a service account of another project, or the user is a member
            of too many projects.
        AlreadyExists: the user is a member already.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    async with uow:
        request = {"project_id": project_id, "user_id": user_id, "role": role}
        row_id = membership_id(project_id, user_id)
        if await find_earlier_result(uow, "add_member", row_id, request):
            return await _as_it_is_now(uow, row_id)
        project, user, earlier = await _lock(uow, project_id, user_id)
        if earlier is not None:
            raise AlreadyExists("This user is a member already; use setMemberRole.", path=_USER_PATH)
        if user is None or not user.is_active or user.project_id not in (None, project_id):
            raise Invalid("There is no active user with this id.", path=_USER_PATH)
        check_membership_count(await uow.memberships.count_of_user(user_id))
        membership = new_row(
            MembershipRow,
            id=row_id,
            project_id=project_id,
            user_id=user_id,
            role=role,
            created_at=uow.now,
            provider=provider,
        )
        uow.memberships.add(membership)
        uow.record(role_changed(uow, project_id, user_id, role))
        uow.audit(member_entry(AuditAction.MEMBER_ADDED, project, user, membership, new_role=role))
        await uow.commit()
    return membership


async def set_member_role(
    uow: UnitOfWork, *, project_id: UUID, user_id: UUID, role: ProjectRole, provider: str | None = None
) -> MembershipRow:
    """Give a member another role. The current role changes nothing.

    With a *provider*, only a membership that this provider has given is changed. Without one, a person decides: then
    providers do not change the membership any more.

    Raises:
        NotFound: the actor sees no such project, or the user is not a member.
        Forbidden: the actor may not manage its members, or it is archived.
        LastManager: the project would have no active manager.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    async with uow:
        request = {"project_id": project_id, "user_id": user_id, "role": role}
        row_id = membership_id(project_id, user_id)
        if await find_earlier_result(uow, "set_member_role", row_id, request):
            return await _as_it_is_now(uow, row_id)
        project, user, found = await _lock(uow, project_id, user_id)
        membership = _existing(found)
        if provider is not None and membership.provider != provider:
            return membership
        if membership.role is not role:
            await _check_managers(uow, user, membership, path=_USER_PATH)
            uow.record(role_changed(uow, project_id, user_id, role, previous=membership.role))
            uow.audit(member_entry(AuditAction.MEMBER_ROLE_CHANGED, project, user, membership, new_role=role))
            uow.change(membership, role=role, provider=provider)
        await uow.commit()
    return membership


async def put_member(uow: UnitOfWork, *, project_id: UUID, user_id: UUID, role: ProjectRole) -> MembershipRow:
    """Add a user to a project, or give the member this role.

    Raises:
        NotFound, Forbidden, Invalid, LastManager: as `add_member` and `set_member_role` do.
    """
    try:
        return await add_member(uow, project_id=project_id, user_id=user_id, role=role)
    except AlreadyExists:
        return await set_member_role(uow, project_id=project_id, user_id=user_id, role=role)


async def list_members(uow: UnitOfWork, *, project_id: UUID) -> list[tuple[MembershipRow, UserRow]]:
    """The members of a project that the actor may see, with their users, in the order in which they were added."""
    found: list[MembershipRow] = []
    after = None
    async with uow:
        await uow.projects.get(project_id, path=_PROJECT_PATH)
        while True:
            request = PageRequest.of(MAX_FIRST, after, order=MEMBERS.order)
            page = await uow.page(MembershipRow, MEMBERS.page([project_id], request))
            found += page.rows
            if not page.has_next:
                break
            after = page.cursor_at(-1)
        users = await uow.users.find_many([row.user_id for row in found])
    return [(row, users[row.user_id]) for row in found]


async def remove_member(uow: UnitOfWork, *, project_id: UUID, user_id: UUID, provider: str | None = None) -> UUID:
    """Remove a member from a project; returns the id of the membership.

    With a *provider*, only a membership that this provider has given is removed.

    Raises:
        NotFound: the actor sees no such project, or the user is not a member.
        Forbidden: the actor may not manage its members, or it is archived.
        LastManager: the project would have no active manager.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    async with uow:
        request: dict[str, object] = {"project_id": project_id, "user_id": user_id}
        row_id = membership_id(project_id, user_id)
        if await find_earlier_result(uow, "remove_member", row_id, request):
            return row_id
        project, user, found = await _lock(uow, project_id, user_id)
        membership = _existing(found)
        if provider is not None and membership.provider != provider:
            return row_id
        uow.audit(member_entry(AuditAction.MEMBER_REMOVED, project, user, membership))
        await _remove(uow, user, membership, path=_USER_PATH)
    return row_id


async def leave_project(uow: UnitOfWork, *, project_id: UUID) -> UUID:
    """End the actor's membership in a project, which may be archived; returns the id of the membership.

    Raises:
        NotFound: the actor sees no such project, or is not a member.
        LastManager: the project would have no active manager.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    user_id = uow.actor.user_id
    async with uow:
        row_id = membership_id(project_id, user_id)
        if await find_earlier_result(uow, "leave_project", row_id, {"project_id": project_id}):
            return row_id
        locks = _locks(uow, project_id, user_id)
        locked = await lock_project(uow, project_id, Action.READ_PROJECT, *locks, path=_PROJECT_PATH)
        user, found = locked.others
        if found is None:
            raise NotFound("You are not a member of this project.", path=_PROJECT_PATH)
        uow.audit(member_entry(AuditAction.MEMBER_LEFT, locked.project, user, found))
        await _remove(uow, user, found, path=_PROJECT_PATH)
    return row_id


async def replace_manager(uow: UnitOfWork, user_id: UUID, project_ids: set[UUID]) -> Sequence[MembershipRow]:
    """Where the user is the only active manager of these locked projects, make the first active MEMBER a manager.

    Returns the memberships of the new managers; nothing is committed.

    A project without another active member with this role keeps none: then admins manage it. Users are disabled one
    after the other, because that locks all admins; so a successor is not disabled at the same time.
    """
    successors = await uow.memberships.successors_of(user_id, project_ids) if project_ids else []
    memberships: list[MembershipRow] = await uow.lock(*(uow.memberships.lock_of(row_id) for row_id in successors))
    users = await uow.users.find_many([each.user_id for each in memberships])
    for membership in memberships:
        previous, new = membership.role, ProjectRole.MANAGER
        project = await uow.projects.get(membership.project_id)
        user = users[membership.user_id]
        entry = member_entry(
            AuditAction.MEMBER_ROLE_CHANGED, project, user, membership, new_role=new, reason=_ONLY_MANAGER
        )
        uow.audit(entry)
        uow.change(membership, role=new)
        uow.record(role_changed(uow, membership.project_id, membership.user_id, new, previous=previous))
    return memberships


async def _lock(
    uow: UnitOfWork, project_id: UUID, user_id: UUID
) -> tuple[ProjectRow, UserRow | None, MembershipRow | None]:
    """The project, the user and the user's membership, locked, if the actor may manage the project's members."""
    locks = _locks(uow, project_id, user_id)
    locked = await lock_project(uow, project_id, Action.MANAGE_MEMBERS, *locks, path=_PROJECT_PATH)
    user, membership = locked.others
    return locked.project, user, membership


def _locks(uow: UnitOfWork, project_id: UUID, user_id: UUID) -> tuple[RowLock, RowLock]:
    """The locks of a user, who then cannot be disabled until the commit, and of the user's membership."""
    return uow.users.lock_of(user_id, LockMode.SHARED), uow.memberships.lock_of_pair(project_id, user_id)


async def _as_it_is_now(uow: UnitOfWork, row_id: UUID) -> MembershipRow:
    """The membership of a request that was carried out before; it may have changed since."""
    membership = await uow.memberships.find(row_id)
    if membership is None:
        raise NotFound("This was done already; since then the user has left, or you may not see the project any more.")
    return membership


def _existing(membership: MembershipRow | None) -> MembershipRow:
    if membership is None:
        raise NotFound("This user is not a member of the project.", path=_USER_PATH)
    return membership


async def _check_managers(
    uow: UnitOfWork, user: UserRow | None, membership: MembershipRow, *, path: tuple[str, ...]
) -> None:
    """Check that an active manager remains, if this member is one and loses the role."""
    if membership.role is ProjectRole.MANAGER and user is not None and user.is_active and user.kind is UserKind.HUMAN:
        others = await uow.memberships.other_active_managers(membership.project_id, beside=membership.user_id)
        check_managers_remain(others, path=path)


async def _remove(uow: UnitOfWork, user: UserRow | None, membership: MembershipRow, *, path: tuple[str, ...]) -> None:
    await _check_managers(uow, user, membership, path=path)
    uow.memberships.remove(membership)
    uow.record(role_changed(uow, membership.project_id, membership.user_id, None, previous=membership.role))
    await uow.commit()
