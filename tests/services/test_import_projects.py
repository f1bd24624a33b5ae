"""Import of tasks into projects: the rules, the numbers, and the events are those of `create_task`."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.actor import Actor
from domain.errors import Forbidden, NotFound
from domain.events import TaskEvent
from domain.project import ProjectRole
from domain.user import Role
from persistence.models import ProjectRow
from services import import_export
from services.import_check import ImportCheck
from services.import_export import ImportedTask, find_project, import_tasks, snapshot_of_tasks
from services.membership import remove_member
from services.project import archive_project, update_project
from services.project_deletion import delete_project
from services.task import delete_task, update_task
from services.task_creation import create_task
from services.task_edit import TaskEdit
from tests.support.builders import Builders

INACTIVE = "The assignee is not an active user."
NO_MEMBER = "The assignee is not a member of the task's project; add the user to it, or assign nobody."
ARCHIVED = "The project is archived: make it active again before you change anything in it."
TOO_LOW = "You may create a task only with the role MEMBER in the project; ask a manager."
TAKEN = "Another task has this id."
ELSEWHERE = (
    "A task with this id exists already, in another project or in none. An import does not move tasks: give the new "
    "task another id."
)


@dataclass(frozen=True)
class Team:
    """A project with a member of each role."""

    project: ProjectRow
    manager: Actor
    member: Actor
    viewer: Actor


@pytest.fixture
async def team(build: Builders) -> Team:
    """A project with three members."""
    manager, member, viewer = [await build.an_actor() for _ in range(3)]
    roles = (ProjectRole.MANAGER, ProjectRole.MEMBER, ProjectRole.VIEWER)
    project = await build.a_project(*zip((manager, member, viewer), roles, strict=True), key="WEB")
    return Team(project, manager, member, viewer)


def arrivals(project: ProjectRow | None, count: int = 1, **values: Any) -> list[ImportedTask]:
    """Tasks for a project."""
    project_id = project.id if project is not None else None
    common: dict[str, Any] = {"project_id": project_id, **values}
    return [ImportedTask(**{"task_id": uuid4(), "title": f"Number {number}", **common}) for number in range(count)]


async def numbers(build: Builders, tasks: list[ImportedTask]) -> list[int | None]:
    """The numbers of the stored tasks."""
    rows = [await build.task(each.task_id) for each in tasks]
    return [row.number for row in rows if row is not None]


class TestRules:
    async def test_a_member_creates_tasks_with_numbers_and_events(self, build: Builders, team: Team):
        """In the order of the batch; the next task of the project has the next number."""
        batch = arrivals(team.project, 3, assignee_id=team.viewer.user_id)
        done = await import_tasks(build.as_(team.member), tasks=batch)
        events = [event for event in await build.recorded_events() if isinstance(event, TaskEvent)]
        following = await create_task(build.as_(team.member), title="Next", project_id=team.project.id)

        assert done.created == {each.task_id for each in batch}
        assert await numbers(build, batch) == [1, 2, 3]
        assert [event.task_id for event in events] == [each.task_id for each in batch]
        assert {event.after and event.after.project_id for event in events} == {team.project.id}
        assert following.number == 4

    async def test_a_batch_with_several_projects(self, build: Builders, team: Team):
        """Each project has its own numbers; personal tasks have none."""
        other = await build.a_project((team.member, ProjectRole.MANAGER))
        await create_task(build.as_(team.member), title="First", project_id=other.id)
        first, second = arrivals(team.project, 2), arrivals(other, 2)
        personal = arrivals(None)
        mixed = [first[0], second[0], personal[0], second[1], first[1]]
        done = await import_tasks(build.as_(team.member), tasks=mixed)

        assert len(done.created) == 5
        assert await numbers(build, first) == [1, 2]
        assert await numbers(build, second) == [2, 3]
        assert await numbers(build, personal) == [None]

    async def test_projects_in_which_the_actor_may_not_create_tasks(self, build: Builders, team: Team):
        """Only their tasks are refused; no number is used up."""
        hidden = await build.a_project()
        archived = await build.a_project((team.viewer, ProjectRole.MANAGER), is_archived=True)
        places = {
            TOO_LOW: team.project.id, "Project not found": hidden.id, ARCHIVED: archived.id
        }  # fmt: skip
        bad = {message: arrivals(None, project_id=project_id)[0] for message, project_id in places.items()}
        absent = arrivals(None, project_id=uuid4())[0]
        good = arrivals(None)[0]
        done = await import_tasks(build.as_(team.viewer), tasks=[*bad.values(), absent, good])

        assert done.created == {good.task_id}
        expected = {task.task_id: message for message, task in bad.items()}
        assert done.refused == expected | {absent.task_id: "Project not found"}
        following = arrivals(team.project)
        await import_tasks(build.as_(team.member), tasks=following)
        assert await numbers(build, following) == [1]

    @pytest.mark.parametrize(("role", "allowed"), [(Role.ADMIN, True), (Role.MODERATOR, False), (Role.USER, False)])
    async def test_users_who_are_no_members(self, build: Builders, team: Team, role: Role, allowed: bool):
        """An admin may create tasks in every project."""
        actor = await build.an_actor(role)
        batch = arrivals(team.project)
        done = await import_tasks(build.as_(actor), tasks=batch)

        assert (done.created == {batch[0].task_id}) is allowed
        assert bool(done.refused) is not allowed

    async def test_an_assignee_is_an_active_member(self, build: Builders, team: Team):
        """Of the task's project."""
        outsider, disabled = await build.a_user(), await build.a_user(is_active=False)
        await build.a_member(team.project, disabled)
        bad = {
            arrivals(team.project, assignee_id=user_id)[0]: message
            for user_id, message in ((outsider.id, NO_MEMBER), (disabled.id, INACTIVE), (uuid4(), INACTIVE))
        }
        good = arrivals(team.project, assignee_id=team.manager.user_id)
        done = await import_tasks(build.as_(team.member), tasks=[*bad, *good])

        assert done.created == {good[0].task_id}
        assert done.refused == {task.task_id: message for task, message in bad.items()}

    async def test_places_are_checked_without_a_change(self, build: Builders, team: Team):
        """The refusals are those of the import."""
        outsider = await build.a_user()
        batch = [*arrivals(team.project), *arrivals(team.project, assignee_id=outsider.id)]
        async with build.unchanged():
            found = await ImportCheck().take(build.as_(team.member), tasks=batch)
        assert found.refused == {batch[1].task_id: NO_MEMBER}
        assert found.created == {batch[0].task_id}


class TestFindProject:
    async def test_a_current_or_former_key(self, build: Builders, team: Team):
        """Ignoring case."""
        await build.a_key(team.project, "SITE")
        found = {await find_project(build.as_(team.member), key=key) for key in ("WEB", "web", " Site ")}
        assert found == {team.project.id}

    async def test_a_project_for_no_tasks(self, build: Builders, team: Team):
        """It is absent, or the actor's role is too low, or it is archived."""
        with pytest.raises(NotFound):
            await find_project(build.as_(await build.an_actor()), key="WEB")
        with pytest.raises(Forbidden, match="only with the role MEMBER"):
            await find_project(build.as_(team.viewer), key="WEB")
        await archive_project(build.as_(team.manager), project_id=team.project.id, is_archived=True)
        with pytest.raises(Forbidden, match="is archived"):
            await find_project(build.as_(team.member), key="WEB")


class TestRepetition:
    async def test_a_repeated_import_gives_no_second_number(self, build: Builders, team: Team):
        """Also if a task was changed or deleted since."""
        same, changed, deleted, new = arrivals(team.project, 4)
        await import_tasks(build.as_(team.member), tasks=[same, changed, deleted])
        await update_task(build.as_(team.member), task_id=changed.task_id, edit=TaskEdit(title="Mine now"))
        await delete_task(build.as_(team.manager), task_id=deleted.task_id)
        recorded = len(await build.recorded_events())
        done = await import_tasks(build.as_(team.member), tasks=[same, changed, deleted, new])

        assert done.created == {new.task_id}
        assert done.refused == {}
        assert done.known == {same.task_id, changed.task_id, deleted.task_id}
        assert len(await build.recorded_events()) == recorded + 1
        assert await numbers(build, [same, changed, new]) == [1, 2, 4]

    async def test_an_import_moves_no_task(self, build: Builders, team: Team):
        """A personal task, even one that was changed, is not the task of a project with the same id."""
        other = await build.a_project((team.member, ProjectRole.MEMBER))
        personal, changed = arrivals(None, 2)
        there = arrivals(other)[0]
        await import_tasks(build.as_(team.member), tasks=[personal, changed, there])
        await update_task(build.as_(team.member), task_id=changed.task_id, edit=TaskEdit(title="Mine now"))
        moved = [
            ImportedTask(each.task_id, each.title, project_id=team.project.id) for each in (personal, changed, there)
        ]
        done = await import_tasks(build.as_(team.member), tasks=moved)

        assert done.created == done.known == frozenset()
        assert done.refused == dict.fromkeys([each.task_id for each in moved], ELSEWHERE)

    async def test_a_file_that_names_no_projects(self, build: Builders, team: Team):
        """Its tasks are known, wherever they are by now."""
        batch = arrivals(team.project, 2)
        await import_tasks(build.as_(team.member), tasks=batch)
        async with build.unchanged():
            again = [ImportedTask(each.task_id, each.title) for each in batch]
            done = await import_tasks(build.as_(team.member), tasks=again)

        assert done.known == {each.task_id for each in batch}

    async def test_a_taken_id_uses_up_no_number(self, build: Builders, team: Team):
        """The tasks after it have consecutive numbers."""
        foreign = await build.a_task()
        batch = arrivals(team.project, 3)
        batch[1] = ImportedTask(foreign.id, "Other", project_id=team.project.id)
        done = await import_tasks(build.as_(team.member), tasks=batch)

        assert done.refused == {foreign.id: TAKEN}
        assert await numbers(build, [batch[0], batch[2]]) == [1, 2]


class TestConcurrency:
    async def test_concurrent_imports_share_the_numbers(self, build: Builders, team: Team):
        """Two imports into two projects, in opposite order, and single new tasks: numbers are unique and complete."""
        other = await build.a_project((team.manager, ProjectRole.MANAGER), (team.member, ProjectRole.MEMBER))
        batches = [
            [*arrivals(team.project, 40), *arrivals(other, 40)],
            [*arrivals(other, 40), *arrivals(team.project, 40)],
        ]
        singles = (
            create_task(build.as_(team.member), title=f"Single {number}", project_id=team.project.id)
            for number in range(10)
        )
        (first, second), _ = await asyncio.gather(
            asyncio.gather(
                import_tasks(build.as_(team.manager), tasks=batches[0]),
                import_tasks(build.as_(team.member), tasks=batches[1]),
            ),
            asyncio.gather(*singles),
        )

        assert (len(first.created), len(second.created)) == (80, 80)
        assert await self._numbers_in(build, team.project.id) == list(range(1, 91))
        assert await self._numbers_in(build, other.id) == list(range(1, 81))

    async def test_the_same_import_twice_at_a_time(self, build: Builders, team: Team):
        """Each task is created once; the numbers are complete."""
        batch = arrivals(team.project, 30)
        first, second = await asyncio.gather(
            *(import_tasks(build.as_(team.member), tasks=order) for order in (batch, batch[::-1]))
        )

        assert first.refused == second.refused == {}
        assert first.created | second.created == {each.task_id for each in batch}
        assert first.created & second.created == frozenset()
        assert await self._numbers_in(build, team.project.id) == list(range(1, 31))

    async def test_a_member_who_leaves(self, build: Builders, team: Team):
        """The whole batch is created, or refused."""
        batch = arrivals(team.project, 20)
        done, _ = await asyncio.gather(
            import_tasks(build.as_(team.member), tasks=batch),
            remove_member(build.as_(team.manager), project_id=team.project.id, user_id=team.member.user_id),
        )

        assert len(done.created) in (0, 20)
        assert set(done.refused.values()) <= {"Project not found"}
        assert len(done.created) + len(done.refused) == 20
        again = await import_tasks(build.as_(team.member), tasks=arrivals(team.project))
        assert again.created == frozenset()

    async def test_a_project_that_is_deleted(self, build: Builders, team: Team):
        """Nothing of it remains."""
        batch = arrivals(team.project, 20)
        done, _ = await asyncio.gather(
            import_tasks(build.as_(team.member), tasks=batch),
            delete_project(build.as_(team.manager), project_id=team.project.id, confirm_key="WEB"),
        )

        assert len(done.created) + len(done.refused) == 20
        assert await numbers(build, batch) == []

    async def _numbers_in(self, build: Builders, project_id: UUID) -> list[int]:
        query = "SELECT number FROM tasks WHERE project_id = $1 ORDER BY number"
        async with build.as_(None) as uow:
            return [number for (number,) in await uow.transaction.fetch(query, project_id)]


class TestSnapshot:
    async def test_keys_are_those_of_the_moment(self, build: Builders, team: Team, monkeypatch: pytest.MonkeyPatch):
        """Another key, and new tasks, during the export do not change it."""
        monkeypatch.setattr(import_export, "BATCH_SIZE", 2)
        await import_tasks(build.as_(team.member), tasks=arrivals(team.project, 5))
        seen: list[tuple[str | None, int | None]] = []
        async with snapshot_of_tasks(build.as_(team.viewer)) as snapshot:
            async for page in snapshot.pages():
                if not seen:
                    await update_project(build.as_(team.manager), project_id=team.project.id, key="SITE")
                    await import_tasks(build.as_(team.member), tasks=arrivals(team.project, 3))
                    await remove_member(
                        build.as_(team.manager), project_id=team.project.id, user_id=team.viewer.user_id
                    )  # fmt: skip
                seen += [(each.task.project_key, each.task.number) for each in page]

        assert sorted(seen) == [("WEB", number) for number in range(1, 6)]
