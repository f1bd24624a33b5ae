"""Import and export of tasks, in batches."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from domain import policy
from domain.errors import Invalid
from domain.policy import Action
from domain.rank import check_place, whole
from domain.stream_cursor import StreamCursor
from domain.task import TaskPriority, TaskStatus, check_past, completed_at
from persistence.errors import Duplicate, ReferenceLost
from persistence.models import CommentRow, TaskRow, VisibleProjectRow, VisibleTaskRow
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.queries import project as project_reads
from persistence.unit_of_work import OtherRows, UnitOfWork, repeated_for_other_rows
from services.project import get_project
from services.task_batch import LockedBatch, lock_for_creation
from services.task_creation import require_owner
from services.task_edit import EDITABLE, checked_values
from services.task_event import creation

BATCH_SIZE: Final = 1_000
"""Tasks in one statement. Larger batches are hardly faster, and hold their locks longer."""

_TAKEN: Final = "Another task has this id."
_ELSEWHERE: Final = (
    "A task with this id exists already, in another project or in none. An import does not move tasks: give the new "
    "task another id."
)


@dataclass(frozen=True, slots=True)
class ImportedComment:
    """A comment from another system. Without a time, it was written now."""

    author_id: UUID
    text: str
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImportedTask:
    """A task from another system. The same task always has the same id: its own, or one that is made of its name.

    `created_at` is the time when it was created in the other system, `completed_at` the time when a task that is DONE
    was completed; None means now. `rank` is its place in the manual order of a project; None means the last one. A
    personal task has none.
    """

    task_id: UUID
    title: str
    description: str = ""
    status: TaskStatus = TaskStatus.TODO
    priority: TaskPriority = TaskPriority.MEDIUM
    due_at: datetime | None = None
    assignee_id: UUID | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    project_id: UUID | None = None
    label_ids: Collection[UUID] = ()
    comments: Sequence[ImportedComment] = ()
    parent_id: UUID | None = None
    rank: str | None = None

    def checked(self, now: datetime) -> "CheckedTask":
        """Check the values; returns the task with the values as they are stored.

        Raises:
            Invalid: a value breaks a rule.
        """
        if self.completed_at is not None and self.status is not TaskStatus.DONE:
            raise Invalid("completedAt is for a task that is DONE.", path=("completedAt",))
        if self.parent_id == self.task_id:
            raise Invalid("A task cannot be its own subtask.", path=("parent",))
        return CheckedTask(
            self.task_id,
            **checked_values({name: getattr(self, name) for name in _EDITABLE}),
            created_at=self.created_at and check_past(self.created_at, now, field="createdAt"),
            completed_at=self.completed_at and check_past(self.completed_at, now, field="completedAt"),
            project_id=self.project_id,
            comments=self.comments,
            parent_id=self.parent_id,
            rank=_checked_rank(self.rank) if self.rank is not None else None,
        )


def _checked_rank(rank: str) -> str:
    try:
        return check_place(rank)
    except ValueError as error:
        raise Invalid(f"rank must be that of an export, such as {whole(1)}.", path=("rank",)) from error


_EDITABLE: Final = tuple(name for name in EDITABLE if name in ImportedTask.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class CheckedTask(ImportedTask):
    """A task whose values are as they are stored. Only `ImportedTask.checked` makes one."""

    def checked(self, now: datetime) -> "CheckedTask":
        """Return this task: values are checked once."""
        return self


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The ids of the tasks that were created, that existed before, and that were refused, with the reason."""

    created: frozenset[UUID]
    known: frozenset[UUID]
    refused: dict[UUID, str]


async def import_tasks(uow: UnitOfWork, *, tasks: Sequence[ImportedTask]) -> ImportResult:
    """Create tasks that the actor owns, each with its status, in one transaction.

    Each task has one event: it is created now. A task of a project gets the next number of the project. A task that was
    imported before is skipped, even if it was changed or deleted since, so that an interrupted import can be repeated.

    A task is refused by the rules of `create_task`: its project must be one in which the actor may create tasks, and
    its assignee an active user, in a project a member of it. The parent of a subtask is one of *tasks*, or exists.

    Raises:
        Forbidden: if the actor is the operator, who is not a user and cannot own tasks.
        Invalid: if a value breaks a rule; `ImportedTask.checked` finds it before.
        Unavailable: if at every attempt, another transaction creates the same tasks.
    """
    require_owner(uow.actor)
    checked = {each.task_id: each.checked(uow.now) for each in tasks}
    try:
        return await _import_once(uow, checked)
    except (Duplicate, ReferenceLost):  # at the same time, another transaction deleted a project, or one of the tasks
        return await _import_once(uow, checked)


@repeated_for_other_rows
async def _import_once(uow: UnitOfWork, checked: Mapping[UUID, CheckedTask]) -> ImportResult:
    async with uow:
        batch = await lock_for_creation(uow, checked.values())
        refused, known = batch.refused, await uow.events.deleted_of(checked)
        wanted = [each for task_id, each in checked.items() if task_id not in refused and task_id not in known]
        new = {each.task_id: new_task(uow, each) for each in wanted}
        created = await _create(uow, new, batch)
        for each in wanted:
            if each.task_id in created:
                _add_comments(uow, each)
        taken = {task_id: row for task_id, row in new.items() if task_id not in created and task_id not in refused}
        stored = await uow.tasks.find_many(taken) if taken else {}
        await uow.commit()
    for task_id, row in taken.items():
        problem = difference(row, stored.get(task_id))
        if problem is not None:
            refused[task_id] = problem
        else:
            known.add(task_id)
    return ImportResult(frozenset(created), frozenset(known), refused)


def _add_comments(uow: UnitOfWork, task: CheckedTask) -> None:
    """Add the comments of a new task, the oldest first. Its event stands for them."""
    for comment in sorted(task.comments, key=lambda each: each.created_at or uow.now):
        at = comment.created_at or uow.now
        row = new_row(
            CommentRow,
            id=new_id(),
            task_id=task.task_id,
            author_id=comment.author_id,
            text=comment.text,
            version=1,
            created_at=at,
            updated_at=at,
        )
        uow.comments.add(row)


async def labels_of(uow: UnitOfWork, *, project_id: UUID) -> dict[str, UUID]:
    """The labels of a project that the actor may see, by their folded names."""
    async with uow:
        await uow.projects.get(project_id)
        return await uow.labels.ids_by_name(project_id)


async def may_manage_labels(uow: UnitOfWork, *, project_id: UUID) -> bool:
    """Whether the actor may create labels in a project."""
    async with uow:
        rows = await uow.rows(VisibleProjectRow, project_reads.project(uow.actor, project_id))
    return any(
        policy.may_project(uow.actor, Action.MANAGE_LABELS, row.viewer_role, is_archived=row.is_archived)
        for row in rows
    )


async def find_project(uow: UnitOfWork, *, key: str) -> UUID:
    """The project that has or had this key, ignoring case, and in which the actor may create tasks.

    Raises:
        NotFound: the actor sees no such project.
        Forbidden: the actor may see the project, but not create tasks in it, or it is archived.
    """
    project = await get_project(uow, key=key)
    policy.require_project(
        uow.actor, Action.CREATE_TASK, project.viewer_role, is_archived=project.is_archived, path=("project",)
    )
    return project.id


@dataclass(frozen=True, slots=True)
class ExportedComment:
    """A comment of an export, with the username of its author."""

    author: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ExportedTask:
    """A task of an export, with the usernames of its owner and its assignee, its labels and its comments."""

    task: VisibleTaskRow
    owner: str
    assignee: str | None
    labels: Sequence[str] = ()
    comments: Sequence[ExportedComment] = ()


@dataclass(frozen=True, slots=True)
class ExportSnapshot:
    """All tasks that the actor may see at one moment, and the position of the stream at this moment."""

    uow: UnitOfWork
    cursor: StreamCursor

    async def pages(self) -> AsyncIterator[list[ExportedTask]]:
        """The tasks in batches: first all that are no subtasks, then the subtasks, each in the order of their ids.

        So an import finds the parent of each subtask, without remembering the tasks before it.
        """
        for of_subtasks in (False, True):
            last = None
            while rows := await self.uow.tasks.after_id(last, of_subtasks=of_subtasks, at_most=BATCH_SIZE):
                yield await self._with_names(rows)
                last = rows[-1].id

    async def _with_names(self, rows: Sequence[VisibleTaskRow]) -> list[ExportedTask]:
        """The tasks with the names of what they refer to, and with their comments."""
        uow = self.uow
        comments = await uow.comments.of_tasks([row.id for row in rows if row.comment_count])
        user_ids = {each for row in rows for each in (row.owner_id, row.assignee_id) if each is not None}
        user_ids |= {each.author_id for several in comments.values() for each in several}
        names = {user.id: user.username for user in (await uow.users.find_many(user_ids)).values()}
        labels = await uow.labels.names_of({label_id for row in rows for label_id in row.label_ids})
        return [
            ExportedTask(
                row,
                names[row.owner_id],
                _name(names, row.assignee_id),
                sorted(labels[each] for each in row.label_ids if each in labels),
                [ExportedComment(names[each.author_id], each.text, each.created_at) for each in comments[row.id]]
                if row.id in comments
                else (),
            )
            for row in rows
        ]


@asynccontextmanager
async def snapshot_of_tasks(uow: UnitOfWork) -> AsyncIterator[ExportSnapshot]:
    """Read all tasks as they are at one moment, however long the reading takes.

    A client that subscribes with its cursor misses nothing: a change is in the snapshot or after the cursor. It is in
    both if its event had no position yet.
    """
    actor = uow.actor
    async with uow:
        await uow.freeze()
        head = await uow.events.head()
        yield ExportSnapshot(
            uow, StreamCursor(head.cursor_epoch, head.position, actor.access_version, head.fingerprint)
        )


def _name(names: Mapping[UUID, str], user_id: UUID | None) -> str | None:
    return None if user_id is None else names[user_id]


async def _create(uow: UnitOfWork, rows: Mapping[UUID, TaskRow], batch: LockedBatch) -> set[UUID]:
    """Create the tasks whose ids are not taken; returns their ids."""
    # A task that exists uses up no number. While the counters are locked, no other task gets into the projects.
    existing = await uow.tasks.taken_among(rows)
    absent = [row for task_id, row in rows.items() if task_id not in existing]
    absent = batch.add_to_parents(uow, absent, existing)
    await batch.place(uow, absent)
    created = await uow.tasks.add_many(absent)
    if len(created) < len(absent) and any(row.parent_id is not None for row in absent):
        raise OtherRows  # the numbers of subtasks count tasks that were not created
    for row in absent:
        if row.id in created:
            uow.record(creation(uow, row))
    return created


def new_task(uow: UnitOfWork, task: ImportedTask) -> TaskRow:
    """The row of an imported task, which the actor owns. It has no number yet, and no subtasks."""
    return new_row(
        TaskRow,
        id=task.task_id,
        title=task.title,
        description=task.description,
        status=task.status,
        priority=task.priority,
        due_at=task.due_at,
        owner_id=uow.actor.user_id,
        assignee_id=task.assignee_id,
        version=1,
        created_at=task.created_at or uow.now,
        updated_at=uow.now,
        completed_at=task.completed_at or completed_at(task.status, uow.now),
        project_id=task.project_id,
        number=None,
        rank=task.rank if task.project_id is not None else None,
        parent_id=task.parent_id,
        comment_count=len(task.comments),
        subtask_count=0,
        done_subtask_count=0,
        label_ids=list(task.label_ids),
    )


class SameId(Protocol):
    """A task that has the id of an imported one."""

    @property
    def owner_id(self) -> UUID: ...
    @property
    def project_id(self) -> UUID | None: ...
    @property
    def version(self) -> int: ...


def difference(task: TaskRow, stored: VisibleTaskRow | None) -> str | None:
    """Why the stored task with this id is another task; None: it is the same one, and was imported before.

    *stored* is None if the actor may not see the task.
    """
    has_same_texts = stored is not None and (stored.title, stored.description) == (task.title, task.description)
    return difference_of(task, stored, has_same_texts=has_same_texts)


def difference_of(task: TaskRow, stored: SameId | None, *, has_same_texts: bool) -> str | None:
    """See `difference`.

    It is another task if it has another owner, or other texts from the start. If a project is given, a personal task is
    another one: the import does not move tasks, and says so.
    """
    if stored is None or stored.owner_id != task.owner_id:
        return _TAKEN
    unchanged = stored.version == 1
    is_elsewhere = task.project_id is not None and stored.project_id != task.project_id
    if is_elsewhere and (unchanged or stored.project_id is None):
        return _ELSEWHERE
    return _TAKEN if unchanged and not has_same_texts else None
