"""Operations on service accounts: create and find those that the actor manages.

The managers of a project manage its service accounts, and admins manage all. An account is in no other project than its
own, and its tokens reach that project only.
"""

from typing import Final
from uuid import UUID

from domain import policy
from domain import service_account as rules
from domain.audit import AuditAction
from domain.errors import Forbidden, NotFound
from domain.policy import Action
from domain.project import ProjectRole
from domain.user import Role, UserKind, check_username
from persistence.models import MembershipRow, ProjectRow, UserRow, membership_id
from persistence.models.rows import new_row
from persistence.queries import user as reads
from persistence.row_locks import LockMode
from persistence.unit_of_work import UnitOfWork
from services.audit import member_entry
from services.idempotency import find_earlier_result
from services.project import lock_project
from services.project_event import role_changed
from services.user import add_user, commit_user, new_user

_PROJECT_PATH: Final = ("projectId",)


async def create_service_account(
    uow: UnitOfWork,
    *,
    username: str,
    project_id: UUID | None = None,
    project_role: ProjectRole = ProjectRole.MEMBER,
    role: Role = Role.USER,
) -> UserRow:
    """Create a service account: of a project, in which it gets *project_role*, or with *role*, for admins.

    Raises:
        NotFound: the actor sees no such project.
        Forbidden: the actor may not manage its service accounts or its members, it has too many, or it is archived; or
            without a project, the actor is not an admin.
        Invalid: a value breaks a rule.
        AlreadyExists: the name is taken, ignoring case.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    rules.check_role(role, project_id)
    user = new_user(
        uow, username=check_username(username), email="", role=role, kind=UserKind.SERVICE, project_id=project_id
    )
    user.email = rules.email_of(user.id)
    if project_id is None and not policy.may_project(uow.actor, Action.MANAGE_SERVICE_ACCOUNTS, None):
        raise Forbidden("Only admins may create a service account without a project.", path=_PROJECT_PATH)
    request: dict[str, object] = {
        "username": user.username,
        "project_id": project_id,
        "project_role": project_role,
        "role": role,
    }
    async with uow:
        earlier = await find_earlier_result(uow, "create_service_account", user.id, request)
        if earlier is not None:
            return await uow.users.get(earlier)
        add_user(uow, user)
        if project_id is not None:
            await _join(uow, user, await _locked_project(uow, project_id), project_role)
        await commit_user(uow)
    return user


async def list_service_accounts(uow: UnitOfWork, *, project_id: UUID | None = None) -> list[UserRow]:
    """The service accounts that the actor manages, the newest first; those of a project, if it is given."""
    async with uow:
        return await uow.rows(UserRow, reads.service_accounts(uow.actor, project_id))


async def managed_account(uow: UnitOfWork, user_id: UUID) -> UserRow:
    """A service account, inside a transaction.

    Raises:
        NotFound: it is none that the actor manages.
    """
    user = await uow.users.find(user_id)
    if user is None or user.kind is not UserKind.SERVICE or not await _manages(uow, user):
        raise NotFound("There is no such service account, or you do not manage it.", path=("userId",))
    return user


async def _manages(uow: UnitOfWork, account: UserRow) -> bool:
    role = None
    if account.project_id is not None:
        own: list[MembershipRow | None] = await uow.lock(
            uow.memberships.lock_of_actor(account.project_id, uow.actor, LockMode.NONE)
        )
        role = own[0].role if own[0] is not None else None
    return policy.may_project(uow.actor, Action.MANAGE_SERVICE_ACCOUNTS, role)


async def _locked_project(uow: UnitOfWork, project_id: UUID) -> ProjectRow:
    """The project, locked, if the actor may manage its service accounts and add members."""
    locked = await lock_project(uow, project_id, Action.MANAGE_SERVICE_ACCOUNTS, path=_PROJECT_PATH)
    is_archived = locked.project.is_archived
    policy.require_project(uow.actor, Action.MANAGE_MEMBERS, locked.role, is_archived=is_archived, path=_PROJECT_PATH)
    rules.check_count(await uow.users.count_service_accounts(project_id))
    return locked.project


async def _join(uow: UnitOfWork, user: UserRow, project: ProjectRow, role: ProjectRole) -> None:
    membership = new_row(
        MembershipRow,
        id=membership_id(project.id, user.id),
        project_id=project.id,
        user_id=user.id,
        role=role,
        created_at=uow.now,
    )
    uow.memberships.add(membership)
    uow.record(role_changed(uow, project.id, user.id, role))
    uow.audit(member_entry(AuditAction.MEMBER_ADDED, project, user, membership, new_role=role))
