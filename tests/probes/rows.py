"""Rows of the objects of a world, stored with one statement for many rows."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final
from uuid import UUID, uuid5

from domain.actor import OPERATOR
from domain.project import ProjectRole
from domain.rank import whole
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from persistence.database import Database
from persistence.models import (
    CommentRow,
    InvitationRow,
    LabelRow,
    MembershipRow,
    ProjectKeyRow,
    ProjectRow,
    TaskCounterRow,
    TaskKeyRow,
    TaskRow,
    TrashRow,
    membership_id,
)
from persistence.models.base import Base, new_id
from persistence.models.rows import column_names
from services.task_event import creation, deletion
from tests.probes.things import DeletedTask, Person, Project, Task
from tests.probes.words import Words

_FIRST_NUMBER: Final = 1_000_000
"""The tasks of a world have numbers and versions from here on; tasks that probes create count from 1."""
_LAST_RANK: Final = 10**9
"""The greatest whole rank in each project: that of no task of a world. Tasks that probes place last come after it."""
_numbers = count(_FIRST_NUMBER)


async def store(database: Database, *rows: Base) -> None:
    """Insert rows, without events."""
    async with database.unit_of_work(None) as uow:
        for row in rows:
            uow.write_set.insert(row)
        await uow.commit()


async def store_tasks(database: Database, *tasks: Task) -> None:
    """Insert tasks with their comments, and subtasks with their parents, each with the event of its creation."""
    subtasks = Counter(task.parent for task in tasks if task.parent is not None)
    async with database.unit_of_work(OPERATOR) as uow:
        for task in tasks:
            row = _task_row(task, subtasks[task])
            uow.write_set.insert(row)
            uow.write_set.insert(_comment_row(task))
            uow.record(creation(uow, row))
        await uow.commit()


async def store_deleted(database: Database, *tasks: DeletedTask) -> None:
    """Insert deleted tasks with their comments.

    Those that their owners deleted have the event of the deletion. The events of the others were removed since.
    """
    async with database.unit_of_work(OPERATOR) as uow:
        for deleted in tasks:
            row = _task_row(deleted.task)
            uow.write_set.insert(_trash_row(row, deleted))
            uow.write_set.insert(_comment_row(deleted.task))
            if deleted.by is deleted.task.owner:
                uow.record(deletion(uow, row))
        await uow.commit()


async def store_old_key(database: Database, project: Project, *tasks: Task) -> None:
    """Let the versions of these tasks be numbers that they had in a project before."""
    await store(database, *(TaskKeyRow(project_id=project.id, number=each.version, task_id=each.id) for each in tasks))


async def store_project(database: Database, project: Project) -> None:
    """Insert a project with its keys, its label, its members and its counter."""
    now = datetime.now(UTC)
    row = ProjectRow(
        id=project.id,
        key=project.key,
        name=f"Project {project.word}",
        description=f"About {project.word}",
        is_archived=project.is_archived,
        version=1,
        created_at=now,
        updated_at=now,
    )
    keys = [ProjectKeyRow(key=key, project_id=project.id) for key in (project.key, project.old_key)]
    counter = TaskCounterRow(id=project.id, last=0, last_rank=_LAST_RANK)
    members = _memberships(project.id, project.members, now)
    await store(database, row, _label_row(project, now), _invitation_row(project, now), counter, *keys, *members)


def invitation_id(project_id: UUID) -> UUID:
    """The id of the invitation to a project."""
    return uuid5(project_id, "invitation")


def _invitation_row(project: Project, now: datetime) -> InvitationRow:
    return InvitationRow(
        id=invitation_id(project.id),
        email=f"{project.word}@example.org",
        role=Role.USER,
        project_id=project.id,
        project_role=ProjectRole.VIEWER,
        inviter_id=None,
        is_mailed=True,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


def a_project(members: Mapping[UUID, ProjectRole], *, is_archived: bool, rank: str = "m") -> Project:
    """A new project, which is not stored. The name of its label begins with *rank*."""
    number, word = next(_numbers), Words.new()
    key, old_key = f"P{number}", f"Q{number}"
    return Project(new_id(), key, old_key, word, is_archived, dict(members), new_id(), f"{rank} {word}")


def a_task(owner: Person, assignee: Person | None, project: Project | None, parent: Task | None = None) -> Task:
    """A new task, which is not stored."""
    number = next(_numbers)
    in_project = number if project else None
    now, words = datetime.now(UTC), [Words.new() for _ in range(2)]
    return Task(new_id(), owner, assignee, project, in_project, number, words[0], now, new_id(), words[1], parent)


def rank_of(task: Task) -> str:
    """The rank that a task of a project is stored with."""
    assert task.number is not None
    return whole(task.number)


def _task_row(task: Task, subtasks: int = 0) -> TaskRow:
    return TaskRow(
        id=task.id,
        title=f"Task {task.word}",
        description=f"About {task.word}",
        status=TaskStatus.TODO,
        priority=TaskPriority.MEDIUM,
        owner_id=task.owner.id,
        assignee_id=task.assignee.id if task.assignee else None,
        project_id=task.project.id if task.project else None,
        number=task.number,
        rank=rank_of(task) if task.project else None,
        parent_id=task.parent.id if task.parent else None,
        subtask_count=subtasks,
        done_subtask_count=0,
        version=task.version,
        comment_count=1,
        label_ids=[task.project.label_id] if task.project else [],
        created_at=task.created_at,
        updated_at=task.created_at,
    )


def _trash_row(row: TaskRow, deleted: DeletedTask) -> TrashRow:
    values = {name: getattr(row, name) for name in column_names(TaskRow)}
    return TrashRow(**values, root_id=row.id, deleted_at=datetime.now(UTC), deleted_by=deleted.by.id)


def _label_row(project: Project, now: datetime) -> LabelRow:
    return LabelRow(
        id=project.label_id,
        project_id=project.id,
        name=project.label_name,
        folded_name=project.label_name,
        color="#1a7f37",
        version=1,
        created_at=now,
        updated_at=now,
    )


def _comment_row(task: Task) -> CommentRow:
    return CommentRow(
        id=task.comment_id,
        task_id=task.id,
        author_id=task.commentator.id,
        text=f"Comment {task.comment_word}",
        version=1,
        created_at=task.created_at,
        updated_at=task.created_at,
    )


def _memberships(project_id: UUID, members: Mapping[UUID, ProjectRole], now: datetime) -> list[MembershipRow]:
    return [
        MembershipRow(
            id=membership_id(project_id, user_id), project_id=project_id, user_id=user_id, role=role, created_at=now
        )
        for user_id, role in members.items()
    ]
