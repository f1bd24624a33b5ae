"""Operations on users."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from domain import policy
from domain.audit import AuditAction, AuditEntry, Detail, Performer, Subject
from domain.errors import AlreadyExists, Invalid, InvalidCredentials, NotFound
from domain.events import AccessChange, AccessEvent
from domain.policy import Action
from domain.registration import Registration, check_registration
from domain.service_account import check_role
from domain.user import (
    NO_PASSWORD,
    Role,
    UserKind,
    Verification,
    check_admins_remain,
    check_email,
    check_password,
    check_username,
)
from domain.user_deletion import DELETED
from persistence.errors import Duplicate
from persistence.models import MembershipRow, UserRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.unit_of_work import OtherRows, UnitOfWork, repeated_for_other_rows
from services.membership import replace_manager

HashPassword = Callable[[str], Awaitable[str]]
VerifyPassword = Callable[[str, str | None], Awaitable[Verification]]
ReportFailure = Callable[[UserRow | None], None]
"""Gets the user whose password was wrong, or None."""
AskForVerification = Callable[[UnitOfWork, UserRow], None]

_log: Final = logging.getLogger("taskriver.projects")
_NEW_MANAGER: Final = (
    "the user %s is a manager of the project %s now: its only manager, the user %s, was disabled (request %s)"
)

_UNCHANGEABLE: Final = "Your account has no password that could be changed: you sign in without one."


def ignore_failure(user: UserRow | None) -> None:
    """Do not count a wrong password."""


async def get_user(uow: UnitOfWork, *, user_id: UUID) -> UserRow:
    """One user.

    Raises:
        NotFound: if there is no such user.
    """
    policy.require_user(uow.actor, Action.READ_USER, user_id)
    async with uow:
        return await uow.users.get(user_id, path=("userId",))


async def count_users(uow: UnitOfWork) -> int:
    """The number of users.

    Raises:
        Forbidden: if the actor is not an admin.
    """
    policy.require_user(uow.actor, Action.LIST_USERS, uow.actor.user_id, path=())
    async with uow:
        return await uow.users.count()


async def register(
    uow: UnitOfWork,
    *,
    username: str,
    email: str,
    password: str,
    hash_password: HashPassword,
    role: Role = Role.USER,
    registration: Registration = Registration.OPEN,
    verify: AskForVerification | None = None,
) -> UserRow:
    """Create a user. *registration* says who may create one with the role USER; only admins may give the other roles.

    *verify* adds a mail that lets the user verify the address, if the server sends mail.

    Raises:
        Invalid: if a value breaks a rule.
        AlreadyExists: if the name or the e-mail address is taken, ignoring case.
        Forbidden: if the actor may not give the role, or may not register.
    """
    if uow.is_anonymous:
        check_registration(registration)
    if role is not Role.USER:
        policy.require_user(uow.actor, Action.SET_ROLE, uow.actor.user_id, path=("role",))
    username, email = check_username(username), check_email(email)
    password_hash = await hash_password(check_password(password))
    user = new_user(uow, username=username, email=email, role=role, password_hash=password_hash)
    async with uow:
        add_user(uow, user)
        if verify is not None:
            verify(uow, user)
        await commit_user(uow)
    return user


async def create_without_password(uow: UnitOfWork, *, username: str, email: str, role: Role = Role.USER) -> UserRow:
    """Create a user who signs in without a password, for servers that have none.

    Raises:
        Invalid: a value breaks a rule.
        AlreadyExists: the name or the e-mail address is taken, ignoring case.
        Forbidden: the actor is not an admin.
    """
    policy.require_user(uow.actor, Action.SET_ROLE, uow.actor.user_id)
    user = new_user(uow, username=check_username(username), email=check_email(email), role=role)
    async with uow:
        add_user(uow, user)
        await commit_user(uow)
    return user


def new_user(
    uow: UnitOfWork,
    *,
    username: str,
    email: str,
    role: Role = Role.USER,
    password_hash: str | None = None,
    kind: UserKind = UserKind.HUMAN,
    project_id: UUID | None = None,
) -> UserRow:
    """The row of a new user, not stored yet; *username* and *email* are checked. Without a hash there is no password.

    *project_id* is that of a service account, see `UserRow`.
    """
    return new_row(
        UserRow,
        id=new_id(),
        username=username,
        email=email,
        password_hash=password_hash if password_hash is not None else NO_PASSWORD,
        role=role,
        is_active=True,
        access_version=1,
        created_at=uow.now,
        updated_at=uow.now,
        kind=kind,
        has_password=password_hash is not None,
        project_id=project_id,
    )


def add_user(uow: UnitOfWork, user: UserRow) -> None:
    """Store a new user and the entry of the audit log, at the commit."""
    performer = Performer(user.id, user.username) if uow.is_anonymous else None
    details: dict[str, Detail] = {"role": user.role.value}
    if user.kind is not UserKind.HUMAN:
        details["kind"] = user.kind.value
    if user.project_id is not None:
        details["projectId"] = str(user.project_id)
    uow.users.add(user)
    uow.audit(AuditEntry(AuditAction.USER_CREATED, Subject.user(user.id, user.username), details, performer))


async def commit_user(uow: UnitOfWork) -> None:
    """Commit a transaction that stores a new user.

    Raises:
        AlreadyExists: the name or the e-mail address is taken, ignoring case.
    """
    try:
        await uow.commit()
    except Duplicate as duplicate:
        raise _taken(duplicate) from duplicate


async def change_password(
    uow: UnitOfWork,
    *,
    current_password: str,
    new_password: str,
    hash_password: HashPassword,
    verify_password: VerifyPassword,
    report_failure: ReportFailure = ignore_failure,
) -> UserRow:
    """Change the actor's password; every other session of the actor ends. Access tokens do not depend on it, and stay.

    *report_failure* gets the actor, if the current password is wrong.

    Raises:
        InvalidCredentials: if the current password is wrong.
        Invalid: if the new one breaks a rule, or the actor has no password.
    """
    new_password = check_password(new_password, field="newPassword")
    async with uow:
        user = await uow.users.get(uow.actor.user_id)
    if not user.has_password:
        raise Invalid(_UNCHANGEABLE, path=("currentPassword",))
    known = user.password_hash
    if not (await verify_password(current_password, known)).matches:
        report_failure(user)
        raise InvalidCredentials("The current password is wrong.", path=("currentPassword",))
    password_hash = await hash_password(new_password)
    async with uow:
        user = await lock_user(uow, uow.actor.user_id)
        if user.password_hash != known:
            raise InvalidCredentials(
                "The password was changed in the meantime; use the new one.", path=("currentPassword",)
            )
        uow.change(user, password_hash=password_hash, updated_at=uow.now)
        await uow.sessions.end_of_user(user.id, spare=uow.actor.session_id)
        uow.record(access_event(uow, user, AccessChange.PASSWORD_CHANGED, spare=uow.actor.session_id))
        uow.audit(AuditEntry(AuditAction.PASSWORD_CHANGED, Subject.user(user.id, user.username)))
        await uow.commit()
    return user


async def set_user_role(uow: UnitOfWork, *, user_id: UUID, role: Role) -> UserRow:
    """Give a user another role. It is in force from the next request on, also on open WebSockets.

    Raises:
        Forbidden: if the actor is not an admin.
        NotFound: if there is no such user.
        LastAdmin: if there would be no active admin.
        Invalid: if the user is a service account of a project, which has the role USER.
    """
    policy.require_user(uow.actor, Action.SET_ROLE, user_id)
    async with uow:
        user = await _locked(uow, user_id, leaves_admins=role is not Role.ADMIN)
        check_role(role, user.project_id)
        if user.role is not role:
            uow.audit(_role_changed(user, role))
            await _change_access(uow, user, AccessChange.ROLE_CHANGED, role=role)
    return user


@repeated_for_other_rows
async def set_user_active(uow: UnitOfWork, *, user_id: UUID, is_active: bool) -> UserRow:
    """Enable or disable a user. When a user is disabled, all sessions and access tokens of the user end.

    Projects of which the user is the only active manager get another one, see `replace_manager`. It is logged, because
    no person has chosen that manager.

    Raises:
        Forbidden: if the actor is not an admin.
        NotFound: if there is no such user.
        LastAdmin: if there would be no active admin.
    """
    policy.require_user(uow.actor, Action.SET_ACTIVE, user_id)
    successors: Sequence[MembershipRow] = ()
    async with uow:
        # Projects are locked before users, as in changes of their members.
        project_ids = await uow.memberships.lock_managed(user_id) if not is_active else set()
        user = await _locked(uow, user_id, leaves_admins=not is_active)
        if user.is_active is not is_active:
            if not is_active:
                successors = await _replace_manager(uow, user, project_ids)
                await uow.sessions.end_of_user(user.id)
                await uow.access_tokens.end_of_user(user.id)
            change = AccessChange.ENABLED if is_active else AccessChange.DISABLED
            action = AuditAction.USER_ENABLED if is_active else AuditAction.USER_DISABLED
            uow.audit(AuditEntry(action, Subject.user(user.id, user.username)))
            await _change_access(uow, user, change, is_active=is_active)
    for each in successors:
        _log.info(_NEW_MANAGER, each.user_id, each.project_id, user_id, uow.request_id or "-")
    return user


async def get_user_by_name(uow: UnitOfWork, *, username: str) -> UserRow:
    """The user with this name, ignoring case.

    Raises:
        NotFound: if there is no such user.
    """
    policy.require_user(uow.actor, Action.READ_USER, uow.actor.user_id)
    async with uow:
        user = await uow.users.find_by_name(username)
    if user is None:
        raise NotFound("User not found", path=("username",))
    return user


async def lock_user(uow: UnitOfWork, user_id: UUID) -> UserRow:
    """The user, locked.

    Raises:
        NotFound: if there is no such user.
    """
    [user] = await uow.lock(uow.users.lock_of(user_id))
    return uow.users.existing(user, path=("userId",))


async def _locked(uow: UnitOfWork, user_id: UUID, *, leaves_admins: bool) -> UserRow:
    """The user, locked.

    If the change may remove an admin, all admins are locked, so that two changes cannot remove the last two admins.
    """
    admins = await uow.users.lock_active_admins(beside=user_id) if leaves_admins else set()
    user = await lock_user(uow, user_id)
    if user.deleted_at is not None:
        raise Invalid(DELETED, path=("userId",))
    if user_id in admins:
        check_admins_remain(len(admins) - 1)
    return user


async def _replace_manager(uow: UnitOfWork, user: UserRow, project_ids: set[UUID]) -> Sequence[MembershipRow]:
    if await uow.memberships.managed_by(user.id) - project_ids:
        # A project is locked before its members, and this one became a managed one only now.
        raise OtherRows
    return await replace_manager(uow, user.id, project_ids)


def _role_changed(user: UserRow, role: Role) -> AuditEntry:
    details: dict[str, Detail] = {"from": user.role.value, "to": role.value}
    return AuditEntry(AuditAction.ROLE_CHANGED, Subject.user(user.id, user.username), details)


async def _change_access(uow: UnitOfWork, user: UserRow, change: AccessChange, **values: Any) -> None:
    uow.change(user, **values, access_version=user.access_version + 1, updated_at=uow.now)
    uow.record(access_event(uow, user, change))
    await uow.commit()


def access_event(uow: UnitOfWork, user: UserRow, change: AccessChange, *, spare: UUID | None = None) -> AccessEvent:
    """The event by which processes learn that the rights of a locked user change."""
    return AccessEvent(
        user_id=user.id,
        change=change,
        session_id=None,
        spared_session_id=spare,
        actor_id=uow.actor.user_id,
        at=uow.now,
        request_id=uow.request_id,
    )


def _taken(duplicate: Duplicate) -> AlreadyExists:
    field, word = ("email", "email") if duplicate.constraint == "uq_users_email_lower" else ("username", "name")
    return AlreadyExists(f"A user with this {word} already exists", path=(field,))
