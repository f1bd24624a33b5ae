"""The demo data: what each user sees, and that a start adds only what is missing."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from cli import demo_data
from cli.actor import actor_of
from cli.demo_projects import PROJECTS, DemoProject
from domain.actor import OPERATOR
from domain.events import MembershipEvent, TaskEvent
from domain.project import ProjectRole
from domain.task import FOLLOWERS, TaskStatus
from persistence.database import Database
from persistence.models import TaskRow
from services import task_creation
from services.import_export import snapshot_of_tasks
from services.project import get_project, list_projects
from services.task import count_tasks
from tests.support.builders import Builders
from tests.support.transactions import orm_session

PERSONAL = 240
IN_PROJECTS = sum(1 + len(task.subtasks) for project in PROJECTS for task in project.tasks)
BY_KEY = {project.key: project for project in PROJECTS}


async def same_hash(password: str) -> str:
    """A hash that takes no time."""
    return "!"


async def load(database: Database) -> list[str]:
    """Load the demo data; returns what was announced."""
    announced: list[str] = []
    assert await demo_data.load_once(database, same_hash, announce=lambda: announced.append("begins"))
    return announced


async def counts(database: Database) -> dict[str, int]:
    """The number of tasks that each demo user sees."""
    return {name: await count_tasks(database.unit_of_work(await actor_of(database, name))) for name in demo_data.USERS}


async def keys_of(database: Database, name: str) -> dict[str, ProjectRole | None]:
    """The projects that a user sees, with the user's roles."""
    uow = database.unit_of_work(await actor_of(database, name))
    return {each.key: each.viewer_role for each in await list_projects(uow)}


class TestFirstStart:
    async def test_users_see_different_things(self, build: Builders):
        """Members see their projects; a moderator and an admin see all."""
        assert await load(build.database) == ["begins"]
        seen = await counts(build.database)

        assert seen["admin"] == seen["moderator"] == PERSONAL + IN_PROJECTS
        assert seen["alice"] != seen["bob"]
        assert await keys_of(build.database, "alice") == {"SHOP": ProjectRole.MANAGER, "MOVE": ProjectRole.MEMBER}
        assert await keys_of(build.database, "bob") == {
            "SHOP": ProjectRole.VIEWER, "HELP": ProjectRole.MANAGER, "MOVE": ProjectRole.MEMBER
        }  # fmt: skip
        assert set(await keys_of(build.database, "admin")) == {"SHOP", "HELP", "MOVE"}

    async def test_projects_have_tasks_in_all_statuses(self, build: Builders):
        """With consecutive numbers in the order of their age; the office has moved."""
        await load(build.database)
        admin = await actor_of(build.database, "admin")
        statuses: Counter[TaskStatus] = Counter()
        for key, project in BY_KEY.items():
            stored = await get_project(build.as_(admin), key=key)
            rows = await _tasks_of(build, stored.id)
            statuses.update(row.status for row in rows)
            assert [row.number for row in rows] == list(range(1, len(rows) + 1))
            assert [row.title for row in rows if row.parent_id is None] == [task.title for task in project.tasks]
            assert sorted(row.created_at for row in rows) == [row.created_at for row in rows]
            assert stored.is_archived is (project.ended is not None)
            assert all(row.updated_at <= stored.updated_at for row in rows if stored.is_archived)
        assert set(statuses) == set(TaskStatus)

    async def test_tasks_have_labels_comments_and_subtasks(self, build: Builders):
        """As they are written down, with their counts."""
        await load(build.database)
        async with snapshot_of_tasks(build.as_(OPERATOR)) as snapshot:
            found = {each.task.title: each async for page in snapshot.pages() for each in page}
        for project in PROJECTS:
            for task in project.tasks:
                row = found[task.title].task
                assert found[task.title].labels == sorted(task.labels)
                assert [(each.author, each.text) for each in found[task.title].comments] == list(task.comments)
                assert row.comment_count == len(task.comments)
                below = [found[title].task for title, _ in task.subtasks]
                assert all(each.parent_id == row.id for each in below)
                done = sum(each.status is TaskStatus.DONE for each in below)
                assert (row.subtask_count, row.done_subtask_count) == (len(below), done)

    async def test_the_history_is_in_the_order_of_time(self, build: Builders):
        """Members join before the first task; each task has one event for each version."""
        await load(build.database)
        events = [e for e in await build.recorded_events() if isinstance(e, TaskEvent | MembershipEvent)]
        kinds = [type(event) for event in events]
        times = [event.at for event in events]

        assert kinds == sorted(kinds, key=lambda kind: kind is TaskEvent)
        assert times == sorted(times)
        assert len({event.task_id for event in events if isinstance(event, TaskEvent)}) == PERSONAL + IN_PROJECTS


class TestNextStart:
    async def test_it_adds_nothing(self, build: Builders):
        """And announces nothing."""
        await load(build.database)
        async with build.unchanged():
            assert await load(build.database) == []

    @pytest.mark.parametrize("after", [0, 1, 50, PERSONAL + IN_PROJECTS - 1])
    async def test_it_continues_after_an_interruption(
        self, build: Builders, monkeypatch: pytest.MonkeyPatch, after: int
    ):
        """No task, project or member is there twice."""
        create, created = task_creation.create_task, Counter[str]()

        async def interrupted(*arguments: Any, **values: Any) -> Any:
            if created.total() == after:
                raise KeyboardInterrupt
            created["tasks"] += 1
            return await create(*arguments, **values)

        with monkeypatch.context() as during:
            during.setattr(task_creation, "create_task", interrupted)
            with pytest.raises(KeyboardInterrupt):
                await load(build.database)
        await load(build.database)

        assert (await counts(build.database))["admin"] == PERSONAL + IN_PROJECTS
        for key, project in BY_KEY.items():
            stored = await get_project(build.as_(await actor_of(build.database, "admin")), key=key)
            roles = {name: (await actor_of(build.database, name)).user_id for name in project.members}
            assert await build.roles_in(stored.id) == {roles[name]: role for name, role in project.members.items()}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: str(project.key))
def test_the_texts_fit_the_rules(project: DemoProject):
    """Owners may create tasks, assignees are members, and statuses follow each other."""
    first, *_ = project.members.values()
    assert first is ProjectRole.MANAGER
    titles = [title for task in project.tasks for title in (task.title, *(title for title, _ in task.subtasks))]
    assert len(set(titles)) == len(titles)
    for task in project.tasks:
        for path in (task.path, *(path for _, path in task.subtasks)):
            assert all(
                later in FOLLOWERS[earlier] for earlier, later in zip((TaskStatus.TODO, *path), path, strict=False)
            )
        assert set(task.labels) <= set(project.labels)
        assert {author for author, _ in task.comments} <= set(project.members)
        assert project.members[task.owner] is not ProjectRole.VIEWER
        assert task.assignee is None or project.members[task.assignee] is not ProjectRole.VIEWER


async def _tasks_of(build: Builders, project_id: UUID) -> list[TaskRow]:
    async with orm_session(build.database) as session:
        query = select(TaskRow).where(TaskRow.project_id == project_id).order_by(TaskRow.number)
        return list(await session.scalars(query))
