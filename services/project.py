"""Operations on projects: one function, one transaction."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain import policy
from domain.actor import OPERATOR_ID, Actor
from domain.audit import AuditAction
from domain.errors import AlreadyExists, Forbidden, NotFound
from domain.events import ProjectChange
from domain.policy import Action
from domain.project import (
    ProjectCreation,
    ProjectRole,
    check_description,
    check_key,
    check_key_count,
    check_name,
    check_project_count,
)
from domain.task import ExpectedVersion, check_version
from persistence.errors import Duplicate
from persistence.event_log import Head
from persistence.models import MembershipRow, ProjectRow, VisibleProjectRow, membership_id
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.pagination import MAX_FIRST, PageRequest
from persistence.queries import project as reads
from persistence.row_locks import LockMode, RowLock
from persistence.unit_of_work import UnitOfWork
from services.audit import project_entry
from services.idempotency import find_earlier_result
from services.project_event import project_changed, role_changed
from services.unset import UNSET, UnsetType

_CHECKS: Final[Mapping[str, Callable[[Any], str]]] = {
    "key": check_key,
    "name": check_name,
    "description": check_description,
}
"""The fields that clients can set, in the order in which they are checked."""
_CREATORS: Final = {
    ProjectCreation.EVERYONE: "users",
    ProjectCreation.MODERATORS: "moderators and admins",
    ProjectCreation.ADMINS: "admins",
}
"""Who may create projects, in words."""


async def get_project(uow: UnitOfWork, *, key: str) -> VisibleProjectRow:
    """The project that has this key or had it, ignoring case.

    Raises:
        NotFound: the actor sees no such project.
    """
    async with uow:
        rows = await uow.rows(VisibleProjectRow, reads.project_by_key(uow.actor, key))
    if not rows:
        raise NotFound("Project not found", path=("key",))
    return rows[0]


async def list_projects(uow: UnitOfWork, *, is_archived: bool | None = None) -> list[VisibleProjectRow]:
    """All projects that the actor may see, by key. *is_archived*: None = active and archived ones."""
    found: list[VisibleProjectRow] = []
    after = None
    async with uow:
        while True:
            request = PageRequest.of(MAX_FIRST, after, order=reads.PROJECT_ORDER)
            page = await uow.page(VisibleProjectRow, reads.project_page(uow.actor, request, is_archived=is_archived))
            found += page.rows
            if not page.has_next:
                return found
            after = page.cursor_at(-1)


async def count_tasks_in(uow: UnitOfWork, *, projects: Sequence[VisibleProjectRow]) -> dict[UUID, int]:
    """The number of tasks in each of these projects of the actor, by the id of the project."""
    async with uow:
        counts = await uow.projects.task_counts([project.id for project in projects])
    return {project.id: counts.get(project.id, 0) for project in projects}


async def create_project(
    uow: UnitOfWork, *, creation: ProjectCreation, key: str, name: str, description: str = ""
) -> VisibleProjectRow:
    """Create a project. The actor becomes its manager. *creation* says who may create projects.

    Raises:
        Forbidden: the actor may create no project, manages too many, or is the operator, who is not a user; or older
            versions may be running.
        Invalid: a value breaks a limit.
        AlreadyExists: a project has this key or had it.
        IdempotencyMismatch: the key of the unit of work was used for another request.
        NotFound: the project was created under that key before, and the actor sees it no longer.
    """
    _require_creator(uow.actor, creation)
    values = {"key": check_key(key), "name": check_name(name), "description": check_description(description)}
    project = new_row(
        ProjectRow, id=new_id(), is_archived=False, version=1, created_at=uow.now, updated_at=uow.now, **values
    )
    async with uow:
        earlier = await find_earlier_result(uow, "create_project", project.id, dict(values))
        if earlier is not None:
            return await _as_it_is_now(uow, earlier)
        head = await _upgraded_head(uow)
        check_project_count(await uow.memberships.count_managed(uow.actor.user_id))
        uow.projects.add(project)
        uow.projects.add_key(project)
        uow.memberships.add(_creator(uow, project))
        uow.record(project_changed(uow, project, ProjectChange.CREATED))
        uow.record(role_changed(uow, project.id, uow.actor.user_id, ProjectRole.MANAGER))
        uow.audit(project_entry(AuditAction.PROJECT_CREATED, project))
        await _commit(uow, project.key)
    return as_seen(project, ProjectRole.MANAGER, head)


async def update_project(
    uow: UnitOfWork,
    *,
    project_id: UUID,
    key: str | UnsetType = UNSET,
    name: str | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    expected_version: ExpectedVersion = None,
) -> VisibleProjectRow:
    """Change a project. Its old key continues to lead to it.

    Setting the current values changes nothing.

    Raises:
        NotFound: the actor sees no such project.
        Forbidden: the actor may see the project, but not change it, or it is archived.
        Invalid: a value breaks a limit, or the project has had too many keys.
        AlreadyExists: another project has this key or had it.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    given = {"key": key, "name": name, "description": description}
    values: dict[str, object] = {field: _CHECKS[field](value) for field, value in given.items() if value is not UNSET}
    async with uow:
        request = {"project_id": project_id, "expected_version": expected_version, **values}
        if await find_earlier_result(uow, "update_project", project_id, request):
            return await _as_it_is_now(uow, project_id)
        head = await uow.events.head()  # before the lock: all changes up to this position are in the row
        project, role, _ = await lock_project(uow, project_id, Action.UPDATE_PROJECT)
        check_version(project.version, expected_version, what="project")
        changed = {field: value for field, value in values.items() if getattr(project, field) != value}
        if changed:
            uow.revise(project, **changed)
            uow.record(project_changed(uow, project, ProjectChange.UPDATED))
        if "key" in changed:
            await _take_key(uow, project)
        await _commit(uow, project.key)
    return as_seen(project, role, head)


async def archive_project(
    uow: UnitOfWork, *, project_id: UUID, is_archived: bool, expected_version: ExpectedVersion = None
) -> VisibleProjectRow:
    """Archive a project, or make it active again. An archived project does not change; members can leave it.

    Raises:
        NotFound: the actor sees no such project.
        Forbidden: the actor may see the project, but not archive it.
        Conflict: *expected_version* is not the current one.
        IdempotencyMismatch: the key of the unit of work was used for another request.
    """
    async with uow:
        request = {"project_id": project_id, "is_archived": is_archived, "expected_version": expected_version}
        if await find_earlier_result(uow, "archive_project", project_id, request):
            return await _as_it_is_now(uow, project_id)
        head = await uow.events.head()  # before the lock: all changes up to this position are in the row
        project, role, _ = await lock_project(uow, project_id, Action.ARCHIVE_PROJECT)
        check_version(project.version, expected_version, what="project")
        if project.is_archived is not is_archived:
            uow.revise(project, is_archived=is_archived)
            change = ProjectChange.ARCHIVED if is_archived else ProjectChange.REOPENED
            uow.record(project_changed(uow, project, change))
            action = AuditAction.PROJECT_ARCHIVED if is_archived else AuditAction.PROJECT_REOPENED
            uow.audit(project_entry(action, project))
        await uow.commit()
    return as_seen(project, role, head)


class LockedProject(NamedTuple):
    """A locked project, the role of the actor in it, and the rows that were locked with it."""

    project: ProjectRow
    role: ProjectRole | None
    others: Sequence[Any]


async def lock_project(
    uow: UnitOfWork, project_id: UUID, action: Action, *others: RowLock, path: tuple[str, ...] = ("id",)
) -> LockedProject:
    """Lock a project and other rows, if the actor may do *action* to the project.

    Raises:
        NotFound: the actor sees no such project.
        Forbidden: the actor may see the project, but not do this, or it is archived.
    """
    own = uow.memberships.lock_of_actor(project_id, uow.actor, LockMode.SHARED)
    found, membership, *rows = await uow.lock(uow.projects.lock_of(project_id), own, *others)
    project = uow.projects.existing(found, path=path)
    role = membership.role if membership is not None else None
    policy.require_project(uow.actor, action, role, is_archived=project.is_archived, path=path)
    return LockedProject(project, role, rows)


def as_seen(project: ProjectRow, role: ProjectRole | None, head: Head) -> VisibleProjectRow:
    """The project as a user with this role in it sees it. *head* was read before the project was locked."""
    values = {name: getattr(project, name) for name in ProjectRow.__table__.columns.keys()}  # noqa: SIM118 - no mapping
    return new_row(
        VisibleProjectRow,
        viewer_role=role,
        head_epoch=head.cursor_epoch,
        head_position=head.position,
        head_fingerprint=head.fingerprint,
        **values,
    )


def _require_creator(actor: Actor, creation: ProjectCreation) -> None:
    if actor.project_id is not None:
        raise Forbidden(policy.ONLY_IN_PROJECT)
    if not policy.may_project(actor, Action.CREATE_PROJECT, None) or not creation.permits(actor.role):
        raise Forbidden(f"On this server, only {_CREATORS[creation]} may create projects; ask one of them.")
    if actor.user_id == OPERATOR_ID:
        raise Forbidden("The user who creates a project becomes its manager; do it in a user's name.")


async def _upgraded_head(uow: UnitOfWork) -> Head:
    """The head of the log. While the operator has not ended an upgrade, older versions may be running, and these do
    not know who may see a project's tasks: then it refuses.
    """
    head = await uow.events.head()
    if not head.has_fingerprints:
        raise Forbidden(
            "Projects are available once all processes of older versions have ended: then the operator runs "
            "`taskriver stream cursor-format 2`."
        )
    return head


def _creator(uow: UnitOfWork, project: ProjectRow) -> MembershipRow:
    user_id = uow.actor.user_id
    return new_row(
        MembershipRow,
        id=membership_id(project.id, user_id),
        project_id=project.id,
        user_id=user_id,
        role=ProjectRole.MANAGER,
        created_at=uow.now,
    )


async def _take_key(uow: UnitOfWork, project: ProjectRow) -> None:
    """Reserve the new key of the project, which may be an old key of it."""
    owner = await uow.projects.owner_of_key(project.key)
    if owner is None:
        check_key_count(await uow.projects.count_keys(project.id))
        uow.projects.add_key(project)
    elif owner != project.id:
        raise _taken(project.key)


async def _commit(uow: UnitOfWork, key: str) -> None:
    try:
        await uow.commit()
    except Duplicate as duplicate:
        raise _taken(key) from duplicate


def _taken(key: str) -> AlreadyExists:
    return AlreadyExists(f"A project has the key {key} or had it; choose another one.", path=("key",))


async def _as_it_is_now(uow: UnitOfWork, project_id: UUID) -> VisibleProjectRow:
    """The project of a request that was carried out before; it may have changed since."""
    rows = await uow.rows(VisibleProjectRow, reads.project(uow.actor, project_id))
    if not rows:
        raise NotFound("This was done already; since then the project was deleted, or you may not see it any more.")
    return rows[0]
