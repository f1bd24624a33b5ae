"""Rows of the objects of a world, stored with one statement for many rows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Final
from uuid import UUID

from domain.actor import OPERATOR
from domain.project import ProjectRole
from domain.rank import whole
from domain.task import TaskPriority, TaskStatus
from persistence.database import Database
from persistence.models import CommentRow, LabelRow, MembershipRow, ProjectKeyRow, ProjectRow, TaskRow, membership_id
from persistence.models.base import Base, new_id
from services.task_event import creation
from tests.probes.things import Person, Project, Task
from tests.probes.words import Words

_FIRST_NUMBER: Final = 1_000_000
"""The tasks of a world have numbers and versions from here on; tasks that probes create count from 1."""
_numbers = count(_FIRST_NUMBER)


async def store(database: Database, *rows: Base) -> None:
    """Insert rows, without events."""
    async with database.unit_of_work(None) as uow:
        for row in rows:
            uow.write_set.insert(row)
        await uow.commit()


async def store_tasks(database: Database, *tasks: Task) -> None:
    """Insert tasks with their comments, each with the event of its creation."""
    async with database.unit_of_work(OPERATOR) as uow:
        for task in tasks:
            row = _task_row(task)
            uow.write_set.insert(row)
            uow.write_set.insert(_comment_row(task))
            uow.record(creation(uow, row))
        await uow.commit()


async def store_project(database: Database, project: Project) -> None:
    """Insert a project with its keys, its label and its members."""
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
    await store(database, row, _label_row(project, now), *keys, *_memberships(project.id, project.members, now))


def a_project(members: Mapping[UUID, ProjectRole], *, is_archived: bool, rank: str = "m") -> Project:
    """A new project, which is not stored. The name of its label begins with *rank*."""
    number, word = next(_numbers), Words.new()
    key, old_key = f"P{number}", f"Q{number}"
    return Project(new_id(), key, old_key, word, is_archived, dict(members), new_id(), f"{rank} {word}")


def a_task(owner: Person, assignee: Person | None, project: Project | None) -> Task:
    """A new task, which is not stored."""
    number = next(_numbers)
    in_project = number if project else None
    now, words = datetime.now(UTC), [Words.new() for _ in range(2)]
    return Task(new_id(), owner, assignee, project, in_project, number, words[0], now, new_id(), words[1])


def _task_row(task: Task) -> TaskRow:
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
        rank=whole(task.number) if task.number is not None else None,
        parent_id=None,
        subtask_count=0,
        done_subtask_count=0,
        version=task.version,
        comment_count=1,
        label_ids=[task.project.label_id] if task.project else [],
        created_at=task.created_at,
        updated_at=task.created_at,
    )


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
