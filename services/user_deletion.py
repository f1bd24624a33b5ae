"""Deletes users.

A user can have any number of tasks, so a deletion has several transactions. The first one does everything that concerns
access and identity: it ends sessions, tokens and memberships, removes what belongs to the user alone, and gives the row
of the user another name. The row stays, because tasks, comments and events refer to it. The following transactions
transfer or delete the personal tasks, and unassign the others. What remains to be done is stored by the first
transaction: if the process ends, any process continues.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

from domain import policy
from domain.actor import OPERATOR, Actor
from domain.audit import AuditAction, AuditEntry, Subject
from domain.errors import Invalid, InvalidCredentials
from domain.events import AccessChange, TaskChange
from domain.policy import Action
from domain.user import NO_PASSWORD, Role, UserKind, check_admins_remain, deleted_email, deleted_username
from domain.user_deletion import (
    RECENT_SIGN_IN,
    RemainingData,
    Retention,
    check_choice,
    check_managed_alone,
    check_tasks,
    remaining_data,
)
from persistence.models import MembershipRow, ProjectRow, TaskRow, UserRow
from persistence.row_locks import LockMode
from persistence.unit_of_work import OtherRows, UnitOfWork, repeated_for_other_rows
from services.audit import member_entry
from services.project_event import role_changed
from services.task import remove_task
from services.task_event import people_of, task_event
from services.user import ReportFailure, VerifyPassword, access_event, ignore_failure, lock_user

BATCH_SIZE: Final = 200
"""Tasks that one transaction changes: others wait for them for a small part of a second."""
AT_ONCE: Final = 2_000
"""Tasks that the request changes itself; a background task changes the others."""
STRAGGLERS_SECONDS: Final = 60.0
"""After this time no request can be under way that began before the deletion, and adds a task of the user."""

_REASON: Final = "the user was deleted"
_WRONG: Final = "The current password is wrong."
_NEEDED: Final = "Give your current password."
_PATH: Final = ("currentPassword",)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deletion: how many tasks were transferred, deleted or unassigned, and whether that were all.

    `remaining` are the personal data that remain.
    """

    user_id: UUID
    tasks: int
    is_complete: bool
    remaining: Sequence[RemainingData]


async def delete_user(
    uow: UnitOfWork,
    *,
    user_id: UUID,
    retention: Retention,
    tasks_to: UUID | None = None,
    deletes_tasks: bool = False,
    current_password: str | None = None,
    verify_password: VerifyPassword | None = None,
    report_failure: ReportFailure = ignore_failure,
    at_once: int = AT_ONCE,
) -> Deletion:
    """Delete a user. All sessions and tokens of the user end at once.

    Personal tasks go to *tasks_to*, or are deleted if it *deletes_tasks*. Who deletes oneself gives the password, or
    has just signed in, if there is none. If the user is deleted already, what remains is done.

    Raises:
        Forbidden: the actor may not delete this user.
        NotFound: there is no such user.
        InvalidCredentials: the password is wrong.
        Invalid: the password is missing, or it is not said what happens with the tasks, or who gets them is no active
            user whom the actor finds.
        LastAdmin: there would be no active admin.
        LastManager: a project would have no active manager.
    """
    check_choice(user_id, tasks_to, deletes_tasks=deletes_tasks)
    await _check_rights(uow, user_id)
    known = None
    if uow.actor.user_id == user_id:
        known = await _confirm(uow, current_password, verify_password, report_failure)
    await _close(uow, user_id, tasks_to, deletes_tasks, known)
    tasks, is_complete = await continue_deletion(uow, user_id=user_id, at_most=at_once)
    return Deletion(user_id, tasks, is_complete, remaining_data(uow.now, retention))


async def continue_deletions(unit_of_work: Callable[[Actor | None], UnitOfWork]) -> int:
    """Do what remains of all deletions, except those on which another process works; returns the number of tasks.

    The events name who has deleted the user.
    """
    async with unit_of_work(None) as uow:
        unfinished = await uow.user_deletions.unfinished()
    tasks = 0
    for each in unfinished:
        actor = replace(OPERATOR, user_id=each.deleted_by)
        changed, _ = await continue_deletion(unit_of_work(actor), user_id=each.user_id)
        tasks += changed
    return tasks


async def continue_deletion(uow: UnitOfWork, *, user_id: UUID, at_most: int | None = None) -> tuple[int, bool]:
    """Transfer, delete or unassign tasks of a deleted user; returns their number, and whether none is left."""
    changed = 0
    while True:
        async with uow:
            task_ids = await uow.user_deletions.tasks_of(user_id)
        if not task_ids:
            break
        for start in range(0, len(task_ids), BATCH_SIZE):
            moved = await _change_tasks(uow, user_id, task_ids[start : start + BATCH_SIZE])
            if moved is None:
                return changed, False
            changed += moved
            if at_most is not None and changed >= at_most:
                return changed, False
            await asyncio.sleep(0)
    while await _clear_trash(uow, user_id):
        pass
    async with uow:
        await uow.user_deletions.end(user_id, after_seconds=STRAGGLERS_SECONDS)
        await uow.commit()
    return changed, True


async def _check_rights(uow: UnitOfWork, user_id: UUID) -> None:
    """Check that the actor may delete the user: oneself, an admin, or a manager of the project of a service account."""
    if not policy.may_user(uow.actor, Action.DELETE_USER, user_id):
        async with uow:
            user = await uow.users.find(user_id)
            role = None
            if user is not None and user.kind is UserKind.SERVICE and user.project_id is not None:
                [membership] = await uow.lock(
                    uow.memberships.lock_of_pair(user.project_id, uow.actor.user_id, LockMode.NONE)
                )
                role = membership.role if membership is not None else None
        if uow.actor.scopes is not None or not policy.may_project(uow.actor, Action.MANAGE_MEMBERS, role):
            policy.require_user(uow.actor, Action.DELETE_USER, user_id)


async def _confirm(
    uow: UnitOfWork, password: str | None, verify_password: VerifyPassword | None, report_failure: ReportFailure
) -> str:
    """Check that the actor is the user, and not someone who found an open browser; returns the hash of the password."""
    async with uow:
        user = await uow.users.get(uow.actor.user_id)
        session = await uow.sessions.find(uow.actor.session_id) if uow.actor.session_id is not None else None
    if not user.has_password:
        if session is None or session.created_at < uow.now - RECENT_SIGN_IN:
            raise Invalid("Sign in again, and delete the account within 10 minutes.", path=_PATH)
        return user.password_hash
    if password is None or verify_password is None:
        raise Invalid(_NEEDED, path=_PATH)
    if not (await verify_password(password, user.password_hash)).matches:
        report_failure(user)
        raise InvalidCredentials(_WRONG, path=_PATH)
    return user.password_hash


@repeated_for_other_rows
async def _close(
    uow: UnitOfWork, user_id: UUID, tasks_to: UUID | None, deletes_tasks: bool, known_hash: str | None
) -> None:
    """The first transaction: check everything, end all access, and remove what identifies the user."""
    async with uow:
        # Projects are locked before users, as in changes of their members.
        project_ids = await uow.user_deletions.lock_projects_of(user_id)
        admins = await uow.users.lock_active_admins(beside=user_id)
        user = await lock_user(uow, user_id)
        if user.deleted_at is not None:
            return
        if known_hash is not None and user.password_hash != known_hash:
            raise InvalidCredentials("The password was changed in the meantime.", path=_PATH)
        if user_id in admins:
            check_admins_remain(len(admins) - 1)
        if await uow.user_deletions.projects_of(user_id) != project_ids:
            raise OtherRows
        check_managed_alone(await uow.user_deletions.managed_alone(user_id) if user.is_active else ())
        await _check_tasks(uow, user_id, tasks_to, deletes_tasks=deletes_tasks)
        await _end_memberships(uow, user, sorted(project_ids))
        username, random = user.username, uuid4()
        await uow.user_deletions.begin(user_id, username, tasks_to=tasks_to, deleted_by=uow.actor.user_id)
        uow.audit(_entry(user, tasks_to, deletes_tasks=deletes_tasks))
        uow.change(
            user,
            username=deleted_username(random),
            email=deleted_email(random),
            password_hash=NO_PASSWORD,
            has_password=False,
            email_verified_at=None,
            role=Role.USER,
            is_active=False,
            project_id=None,
            deleted_at=uow.now,
            access_version=user.access_version + 1,
            updated_at=uow.now,
        )
        uow.record(access_event(uow, user, AccessChange.DISABLED))
        await uow.commit()


async def _check_tasks(uow: UnitOfWork, user_id: UUID, tasks_to: UUID | None, *, deletes_tasks: bool) -> None:
    if tasks_to is None:
        check_tasks(await uow.user_deletions.count_personal_tasks(user_id), tasks_to, deletes_tasks=deletes_tasks)
        return
    [successor] = await uow.lock(uow.users.lock_of(tasks_to, LockMode.SHARED))
    is_found = uow.actor.finds_everyone or await uow.user_deletions.share_project(uow.actor.user_id, tasks_to)
    if successor is None or not successor.is_active or not is_found:
        raise Invalid("There is no active user with this id; see assignableUsers.", path=("transferTasksTo",))


async def _end_memberships(uow: UnitOfWork, user: UserRow, project_ids: Sequence[UUID]) -> None:
    locks = [uow.memberships.lock_of_pair(project_id, user.id) for project_id in project_ids]
    projects: dict[UUID, ProjectRow] = {
        each.id: each for each in await uow.lock(*(uow.projects.lock_of(project_id) for project_id in project_ids))
    }
    memberships: list[MembershipRow] = await uow.lock(*locks)
    for each in memberships:
        project = projects[each.project_id]
        uow.audit(member_entry(AuditAction.MEMBER_REMOVED, project, user, each, reason=_REASON))
        uow.memberships.remove(each)
        uow.record(role_changed(uow, each.project_id, user.id, None, previous=each.role))


async def _change_tasks(uow: UnitOfWork, user_id: UUID, task_ids: Sequence[UUID]) -> int | None:
    """Change some tasks in one transaction; returns how many, or None if another process does this."""
    async with uow:
        if not await uow.try_lock(f"deletion of {user_id}"):
            return None
        deletion = await uow.user_deletions.hold(user_id)
        if deletion is None:
            return None
        tasks: list[TaskRow | None] = await uow.lock(*(uow.tasks.lock_of(each) for each in task_ids))
        changed = sum(_change_task(uow, task, user_id, deletion.tasks_to) for task in tasks if task is not None)
        await uow.commit()
    return changed


def _change_task(uow: UnitOfWork, task: TaskRow, user_id: UUID, tasks_to: UUID | None) -> bool:
    is_personal = task.project_id is None
    if is_personal and task.owner_id == user_id and tasks_to is None:
        remove_task(uow, task)  # for good: the trash is for what its owner may want back
        return True
    values: dict[str, Any] = {}
    if is_personal and task.owner_id == user_id:
        values["owner_id"] = tasks_to
    if task.assignee_id == user_id:
        values["assignee_id"] = tasks_to if "owner_id" in values else None
    if not values:
        return False
    before, changes = people_of(task), tuple(_CHANGES[name] for name in values)
    uow.revise(task, **values)
    uow.record(task_event(uow, task, changes, before=before, after=people_of(task), from_status=task.status))
    return True


_CHANGES: Final = {"owner_id": TaskChange.OWNER, "assignee_id": TaskChange.ASSIGNEE}


async def _clear_trash(uow: UnitOfWork, user_id: UUID) -> int:
    async with uow:
        cleared = await uow.user_deletions.clear_trash(user_id, at_most=BATCH_SIZE)
        await uow.commit()
    return cleared


def _entry(user: UserRow, tasks_to: UUID | None, *, deletes_tasks: bool) -> AuditEntry:
    tasks = str(tasks_to) if tasks_to is not None else "deleted" if deletes_tasks else "none"
    return AuditEntry(AuditAction.USER_DELETED, Subject.user(user.id, user.username), {"tasksTo": tasks})
