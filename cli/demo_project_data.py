"""Creates the projects of the demo data, their members and labels. It continues after an interruption."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from cli.demo_projects import PROJECTS, DemoProject, Subtasks
from cli.demo_task import DemoComment, DemoTask, days_before, full_hour, steps_of
from domain.actor import OPERATOR, Actor
from domain.errors import NotFound
from domain.label import folded
from domain.project import ProjectCreation
from persistence.database import Database
from persistence.models import VisibleProjectRow
from services import label as label_service
from services import membership as membership_service
from services import project as project_service
from services.import_export import labels_of

_CREATED: Final = 28.5
"""The age of the projects in days."""
_OLDEST: Final = 27.0
"""The age of their first tasks in days."""


async def create_projects(database: Database, users: Mapping[str, Actor], now: datetime) -> list[DemoTask]:
    """Create the projects with their members and labels; returns the tasks to create in them.

    An archived project is complete.
    """
    random = Random(11)
    tasks: list[DemoTask] = []
    for project in PROJECTS:
        stored = await _create(database, project, users, days_before(now, _CREATED))
        if not stored.is_archived:
            labels = await _create_labels(database, project, stored.id, users, days_before(now, _CREATED))
            tasks += _tasks(random, project, stored.id, labels, users, now)
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


async def _create_labels(
    database: Database, project: DemoProject, project_id: UUID, users: Mapping[str, Actor], at: datetime
) -> dict[str, UUID]:
    """The ids of the labels, some of which may exist, by name."""
    manager = _manager(project, users)
    known = await labels_of(database.unit_of_work(manager), project_id=project_id)
    found = {}
    for name, color in project.labels.items():
        if folded(name) in known:
            found[name] = known[folded(name)]
            continue
        uow = database.unit_of_work(manager, now=at)
        found[name] = (await label_service.create_label(uow, project_id=project_id, name=name, color=color)).id
    return found


def _manager(project: DemoProject, users: Mapping[str, Actor]) -> Actor:
    return users[next(iter(project.members))]


def _tasks(
    random: Random,
    project: DemoProject,
    project_id: UUID,
    labels: Mapping[str, UUID],
    users: Mapping[str, Actor],
    now: datetime,
) -> Iterator[DemoTask]:
    first, until = days_before(now, _OLDEST), days_before(now, project.ended or 0)
    between = (until - first) * 0.8 / len(project.tasks)
    for number, each in enumerate(project.tasks):
        start = first + between * (number + random.random())
        comments = [DemoComment(users[author], text) for author, text in each.comments]
        task = DemoTask(
            title=each.title,
            description=each.description,
            owner=users[each.owner],
            assignee_id=users[each.assignee].user_id if each.assignee is not None else None,
            priority=each.priority,
            due_at=full_hour(now + timedelta(days=each.due)) if each.due is not None else None,
            steps=steps_of(random, each.path, start=start, until=until, comments=comments),
            project_id=project_id,
            label_ids=[labels[name] for name in each.labels],
        )
        yield task
        yield from _subtasks(random, task, each.subtasks, start, until)


def _subtasks(
    random: Random, parent: DemoTask, subtasks: Subtasks, start: datetime, until: datetime
) -> Iterator[DemoTask]:
    for number, (title, path) in enumerate(subtasks, start=1):
        yield DemoTask(
            title=title,
            description="",
            owner=parent.owner,
            assignee_id=parent.assignee_id,
            priority=parent.priority,
            due_at=None,
            steps=steps_of(random, path, start=start + timedelta(minutes=2 * number), until=until),
            parent=parent,
        )
