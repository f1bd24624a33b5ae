"""A task together with what decides who may do what with it: its project, and the actor's role in the project.

The task is locked; the project and the membership are only read. A change of the task that is made while the actor
leaves, or while the project is archived, has the result of one order of the two, because changes of a project and its
members do not depend on its tasks. If each change of a task locked them, changes of the project could wait for ever.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from domain import policy
from domain.errors import Invalid, NotFound
from domain.policy import Action
from domain.project import ProjectRole
from persistence.models import LabelRow, MembershipRow, ProjectRow, TaskRow, UserRow, VisibleTaskRow
from persistence.models.rows import column_names, new_row
from persistence.repositories.task import TaskPlace
from persistence.row_locks import LockMode, RowLock
from persistence.unit_of_work import OtherRows, UnitOfWork

ResultT = TypeVar("ResultT")

_COLUMNS: Final = column_names(TaskRow)
_PROJECT_PATH: Final = ("projectId",)


class AssigneeProblem(StrEnum):
    """Why a user cannot be assigned to a task."""

    INACTIVE = "inactive"
    """There is no active user with the id."""
    NO_MEMBER = "no member"
    """The user is not a member of the task's project."""


_ASSIGNEE_PROBLEMS: Final = {
    AssigneeProblem.INACTIVE: "There is no active user with this id; see assignableUsers.",
    AssigneeProblem.NO_MEMBER: "This user is not a member of the task's project; see assignableUsers.",
}


LocksIn = Callable[[UUID | None], Sequence[RowLock]]
"""Further rows to lock, for the project of the task."""


@dataclass(frozen=True, slots=True)
class ProjectAccess:
    """A project, and the actor's role in it. For a personal task both are None."""

    project: ProjectRow | None = None
    role: ProjectRole | None = None

    @property
    def is_archived(self) -> bool:
        """Whether there is a project, and it is archived."""
        return self.project is not None and self.project.is_archived

    def seen(self, task: TaskRow) -> VisibleTaskRow:
        """A task of this project as the actor sees it."""
        values = {name: getattr(task, name) for name in _COLUMNS}
        if self.project is not None:
            values |= {"project_key": self.project.key, "project_is_archived": self.project.is_archived}
        return new_row(VisibleTaskRow, **values, viewer_role=self.role)


@dataclass(frozen=True, slots=True)
class TaskAccess:
    """A locked task, and its project. `parent` is the locked parent, if the change counts in it and there is one."""

    uow: UnitOfWork
    task: TaskRow
    within: ProjectAccess
    parent: TaskRow | None = None

    def require(self, action: Action, *, path: tuple[str, ...] = ("id",)) -> None:
        """Refuse unless the actor may do this to the task.

        Raises:
            NotFound: the actor may not see the task.
            Forbidden: the actor may see the task, but not do this.
        """
        within = self.within
        policy.require(self.uow.actor, action, self.task, within.role, is_archived=within.is_archived, path=path)

    @property
    def seen(self) -> VisibleTaskRow:
        """The task as the actor sees it."""
        return self.within.seen(self.task)


def no_locks(project_id: UUID | None) -> Sequence[RowLock]:
    """No further locks."""
    return ()


async def write_to_task(
    uow: UnitOfWork,
    task_id: UUID,
    decide: Callable[..., ResultT],
    *,
    locks: LocksIn = no_locks,
    counts_in_parent: bool = False,
    path: tuple[str, ...] = ("id",),
) -> ResultT:
    """Lock a task and further rows, let *decide* apply the rules and make the changes, and commit.

    *decide* gets the `TaskAccess` and the further rows, and must `require` an action. For the rest see
    `UnitOfWork.write`. With *counts_in_parent* the parent of the task is locked, too.

    Raises:
        NotFound: there is no such task.
        OtherRows: the task has another project or parent than those that are locked.
    """
    place = await _place_of(uow, task_id)
    own = [*project_reads(uow, place.project_id), *(_parent_locks(uow, place) if counts_in_parent else ())]
    decided = partial(_decide, uow, decide, place, counts_in_parent, len(own), path)
    return await uow.write(decided, uow.tasks.lock_of(task_id), *own, *locks(place.project_id))


def _parent_locks(uow: UnitOfWork, place: TaskPlace) -> Sequence[RowLock]:
    return () if place.parent_id is None else (uow.tasks.lock_of(place.parent_id, LockMode.IN_BATCH),)


def project_reads(uow: UnitOfWork, project_id: UUID | None) -> Sequence[RowLock]:
    """What changes of the tasks of a project read: the project and the actor's membership. Nothing if personal."""
    if project_id is None:
        return ()
    membership = uow.memberships.lock_of_actor(project_id, uow.actor, LockMode.NONE)
    return uow.projects.lock_of(project_id, LockMode.NONE), membership


def project_access(project: ProjectRow | None = None, membership: MembershipRow | None = None) -> ProjectAccess:
    """What the rows of `project_reads` mean."""
    return ProjectAccess(project, membership.role if membership is not None else None)


def require_creation(uow: UnitOfWork, found: ProjectRow | None, membership: MembershipRow | None) -> ProjectRow:
    """The project of the rows of `project_reads`, if the actor may create tasks in it.

    Raises:
        NotFound: there is no such project, or the actor may not see it.
        Forbidden: the actor may see the project, but not create tasks in it, or it is archived.
    """
    project = uow.projects.existing(found, path=_PROJECT_PATH)
    role = project_access(project, membership).role
    policy.require_project(uow.actor, Action.CREATE_TASK, role, is_archived=project.is_archived, path=_PROJECT_PATH)
    return project


def assignee_locks(uow: UnitOfWork, assignee_id: UUID | None, project_id: UUID | None) -> Sequence[RowLock]:
    """The lock of the new assignee, who must not be disabled before the commit, and the membership in the project.

    None if there is no new assignee.
    """
    if assignee_id is None:
        return ()
    user = uow.users.lock_of(assignee_id, LockMode.SHARED)
    if project_id is None:
        return (user,)
    return user, uow.memberships.lock_of_pair(project_id, assignee_id, LockMode.NONE)


def assignee_problem(user: UserRow | None, *membership: MembershipRow | None) -> AssigneeProblem | None:
    """What the rows of `assignee_locks` mean; None: the user may be assigned."""
    if user is None or not user.is_active:
        return AssigneeProblem.INACTIVE
    return AssigneeProblem.NO_MEMBER if membership == (None,) else None


def label_reads(uow: UnitOfWork, label_ids: Iterable[UUID]) -> Sequence[RowLock]:
    """The labels that a task gets. A label that is deleted at the same time is not shown; it is not locked for that."""
    return [uow.labels.lock_of(label_id, LockMode.NONE) for label_id in label_ids]


def check_labels(labels: Iterable[LabelRow | None], project_id: UUID | None) -> None:
    """Check the rows of `label_reads` for a task of this project; None: a personal task.

    Raises:
        Invalid: a label does not exist, or belongs to another project.
    """
    if any(label is None or label.project_id != project_id for label in labels):
        raise Invalid("A label does not exist, or is not one of the task's project.", path=("labelIds",))


def reference_reads(uow: UnitOfWork, values: Mapping[str, Any], project_id: UUID | None) -> Sequence[RowLock]:
    """The rows that the new values of a task of this project refer to."""
    return [
        *assignee_locks(uow, values.get("assignee_id"), project_id),
        *label_reads(uow, values.get("label_ids", ())),
    ]


def check_references(
    values: Mapping[str, Any], project_id: UUID | None, rows: Sequence[Any], *, assignee_id: UUID | None = None
) -> None:
    """Check the rows of `reference_reads`. *assignee_id* is the current assignee, who may stay.

    Raises:
        Invalid: the assignee is not an active user, or no member of the project; or a label is not of the project.
    """
    labels = len(rows) - len(values.get("label_ids", ()))
    if labels and values["assignee_id"] != assignee_id:
        problem = assignee_problem(*rows[:labels])
        if problem is not None:
            raise Invalid(_ASSIGNEE_PROBLEMS[problem], path=("assigneeId",))
    check_labels(rows[labels:], project_id)


async def _place_of(uow: UnitOfWork, task_id: UUID) -> TaskPlace:
    """The place to lock. A wrong one is noticed, and costs another attempt, or a transaction if `uow.is_alone`."""
    known = uow.tasks.known_place(task_id)
    if known is not None:
        return known
    if not uow.is_alone:
        return TaskPlace()
    place = await uow.tasks.place_of(task_id)
    uow.tasks.note_place(task_id, place)
    return place


def _decide(
    uow: UnitOfWork,
    decide: Callable[..., ResultT],
    place: TaskPlace,
    counts_in_parent: bool,
    own: int,
    path: tuple[str, ...],
    task: TaskRow | None,
    *rows: Any,
) -> ResultT:
    if task is None:
        raise NotFound("Task not found", path=path)
    found = TaskPlace(task.project_id, task.parent_id)
    if found.project_id != place.project_id or (counts_in_parent and found.parent_id != place.parent_id):
        uow.tasks.note_place(task.id, found)
        raise OtherRows
    project = 0 if place.project_id is None else 2
    parent = rows[project] if own > project else None
    return decide(TaskAccess(uow, task, project_access(*rows[:project]), parent), *rows[own:])
