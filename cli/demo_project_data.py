"""Creates the projects of the demo data and their members. It continues after an interruption."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from cli.demo_projects import PROJECTS, DemoProject
from cli.demo_task import DemoTask, days_before, full_hour, steps_of
from domain.actor import OPERATOR, Actor
from domain.errors import NotFound
from domain.project import ProjectCreation
from persistence.database import Database
from persistence.models import VisibleProjectRow
from services import membership as membership_service
from services import project as project_service

_CREATED: Final = 28.5
"""The age of the projects in days."""
_OLDEST: Final = 27.0
"""The age of their first tasks in days."""


async def create_projects(database: Database, users: Mapping[str, Actor], now: datetime) -> list[DemoTask]:
    """Create the projects with their members; returns the tasks to create in them. An archived project is complete."""
    random = Random(11)
    tasks: list[DemoTask] = []
    for project in PROJECTS:
        stored = await _create(database, project, users, days_before(now, _CREATED))
        if not stored.is_archived:
            tasks += _tasks(random, project, stored.id, users, now)
    return tasks


async def archive_projects(database: Database, users: Mapping[str, Actor], now: datetime) -> None:
    """Archive the projects that have ended; call this when their tasks are complete."""
    for project in PROJECTS:
        if project.ended is not None:
            uow = database.unit_of_work(_manager(project, users), now=days_before(now, project.ended))
            stored = await project_service.get_project(database.unit_of_work(OPERATOR), key=project.key)
            await project_service.archive_project(uow, project_id=stored.id, is_archived=True)


async def _create(
    database: Database, project: DemoProject, users: Mapping[str, Actor], at: datetime
) -> VisibleProjectRow:
    """The project, which may exist."""
    manager = _manager(project, users)
    try:
        stored = await project_service.get_project(database.unit_of_work(OPERATOR), key=project.key)
    except NotFound:
        stored = await project_service.create_project(
            database.unit_of_work(manager, now=at),
            creation=ProjectCreation.EVERYONE,
            key=project.key,
            name=project.name,
            description=project.description,
        )
    if not stored.is_archived:
        for name, role in project.members.items():
            uow = database.unit_of_work(manager, now=at)
            await membership_service.put_member(uow, project_id=stored.id, user_id=users[name].user_id, role=role)
    return stored


def _manager(project: DemoProject, users: Mapping[str, Actor]) -> Actor:
    return users[next(iter(project.members))]


def _tasks(
    random: Random, project: DemoProject, project_id: UUID, users: Mapping[str, Actor], now: datetime
) -> Iterator[DemoTask]:
    first, until = days_before(now, _OLDEST), days_before(now, project.ended or 0)
    between = (until - first) * 0.8 / len(project.tasks)
    for number, task in enumerate(project.tasks):
        start = first + between * (number + random.random())
        yield DemoTask(
            title=task.title,
            description=task.description,
            owner=users[task.owner],
            assignee_id=users[task.assignee].user_id if task.assignee is not None else None,
            priority=task.priority,
            due_at=full_hour(now + timedelta(days=task.due)) if task.due is not None else None,
            steps=steps_of(random, task.path, start=start, until=until),
            project_id=project_id,
        )
