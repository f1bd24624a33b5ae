"""Import of subtasks, and of the places of tasks in the manual order: the rules, the counts, and the ranks."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import Invalid
from domain.project import ProjectRole
from domain.rank import MOST, whole
from domain.task import MAX_SUBTASKS, TaskStatus
from persistence.repositories.task import TaskRepository
from services import import_export
from services.import_check import ImportCheck
from services.import_export import ImportedTask, import_tasks, snapshot_of_tasks
from services.subtask import set_parent
from services.task import delete_task
from services.task_creation import create_task
from services.task_move import Move, move_task
from services.task_order import Neighbour, Side
from services.trash import restore_task
from tests.services.test_import_projects import Team, arrivals, team
from tests.support.builders import Builders

__all__ = ["team"]

NO_PARENT = (
    "The project has no task with the id of the parent. A parent must be on an earlier line, or be imported before."
)
TWO_LEVELS = "The parent is a subtask, and subtasks have no subtasks."


def below(parent: UUID, team: Team, count: int = 1, **values: Any) -> list[ImportedTask]:
    """New subtasks of a task."""
    return arrivals(team.project, count, parent_id=parent, **values)


def placed(team: Team, *ranks: str | None) -> list[ImportedTask]:
    """New tasks with these ranks."""
    return [arrivals(team.project, rank=rank)[0] for rank in ranks]


async def family(build: Builders, parent: UUID) -> tuple[int, int, int]:
    """The numbers of subtasks of a task, all and DONE, as it has them; and the number of stored ones."""
    task = await build.task(parent)
    assert task is not None
    async with build.as_(None) as uow:
        stored = await uow.tasks.subtasks_of(parent)
    return task.subtask_count, task.done_subtask_count, len(stored)


async def order(build: Builders, team: Team) -> list[UUID]:
    """The tasks of the project in their manual order."""
    async with snapshot_of_tasks(build.as_(team.member)) as snapshot:
        tasks = [each.task async for page in snapshot.pages() for each in page]
    return [task.id for task in sorted(tasks, key=lambda task: (task.rank, task.id))]


async def ranks(build: Builders, tasks: Iterable[ImportedTask]) -> list[str | None]:
    """The stored ranks of tasks."""
    return [row.rank for each in tasks if (row := await build.task(each.task_id)) is not None]


class TestSubtasks:
    async def test_in_the_batch_of_their_parent(self, build: Builders, team: Team):
        """They count, have numbers in the order of the batch, and one event each."""
        (parent,) = arrivals(team.project)
        done = below(parent.task_id, team, 2, status=TaskStatus.DONE)
        batch = [*done, parent, *below(parent.task_id, team, 3)]
        result = await import_tasks(build.as_(team.member), tasks=batch)

        assert result.created == {each.task_id for each in batch}
        assert result.refused == {}
        assert await family(build, parent.task_id) == (5, 2, 5)
        rows = [row for each in batch if (row := await build.task(each.task_id)) is not None]
        assert [row.number for row in rows] == [1, 2, 3, 4, 5, 6]
        assert [row.parent_id for row in rows] == [each.parent_id for each in batch]
        assert {row.version for row in rows} == {1}
        assert len(await build.recorded_events()) == 6

    async def test_of_a_task_that_exists(self, build: Builders, team: Team):
        """The parent counts them without a new version; a repetition counts nothing."""
        task = await create_task(build.as_(team.manager), title="Parent", project_id=team.project.id)
        await create_task(build.as_(team.manager), title="Child", parent_id=task.id)
        batch = below(task.id, team, 2, status=TaskStatus.DONE)
        for _ in range(2):
            result = await import_tasks(build.as_(team.member), tasks=batch)
        assert not result.created
        assert result.known == {each.task_id for each in batch}
        assert await family(build, task.id) == (3, 2, 3)
        row = await build.task(task.id)
        assert row is not None
        assert row.version == 1

    async def test_what_cannot_be_a_parent(self, build: Builders, team: Team):
        """Each subtask is refused with the reason, and the others are created."""
        member = build.as_(team.member)
        other = await build.a_project((team.member, ProjectRole.MANAGER))
        elsewhere = await create_task(build.as_(team.member), title="x", project_id=other.id)
        personal = await create_task(build.as_(team.member), title="x")
        task = await create_task(build.as_(team.member), title="x", project_id=team.project.id)
        child = await create_task(build.as_(team.member), title="x", parent_id=task.id)
        deleted = await create_task(build.as_(team.member), title="x", project_id=team.project.id)
        await delete_task(build.as_(team.manager), task_id=deleted.id)
        roots = arrivals(team.project, 2)
        (new_child,) = below(roots[0].task_id, team)
        bad = {
            below(parent, team)[0]: problem
            for parent, problem in (
                (uuid4(), NO_PARENT),
                (deleted.id, NO_PARENT),
                (elsewhere.id, NO_PARENT),
                (personal.id, NO_PARENT),
                (child.id, TWO_LEVELS),
                (new_child.task_id, TWO_LEVELS),
            )
        }
        expected = {each.task_id: problem for each, problem in bad.items()}
        batch = [*roots, *bad, new_child]
        async with build.unchanged():
            found = await ImportCheck().take(member, tasks=batch)

        result = await import_tasks(member, tasks=batch)
        assert found == result
        assert result.refused == expected
        assert result.created == {each.task_id for each in (*roots, new_child)}
        assert await family(build, roots[0].task_id) == (1, 0, 1)
        assert [await build.task(each) for each in expected] == [None] * len(bad)
        numbers = [row.number for each in (*roots, new_child) if (row := await build.task(each.task_id)) is not None]
        assert numbers == [4, 5, 6], "a refused task uses up no number"

    async def test_a_personal_task_has_no_parent(self, build: Builders, team: Team):
        """Also not one of the same owner."""
        personal = await create_task(build.as_(team.member), title="x")
        (child,) = arrivals(None, parent_id=personal.id)
        result = await import_tasks(build.as_(team.member), tasks=[child])
        assert result.refused == {child.task_id: NO_PARENT}

    async def test_a_task_is_not_its_own_subtask(self, build: Builders, team: Team):
        """It is found before anything is created."""
        task_id = uuid4()
        with pytest.raises(Invalid, match="cannot be its own subtask"):
            await import_tasks(build.as_(team.member), tasks=below(task_id, team, task_id=task_id))

    @pytest.mark.parametrize("before", [0, 60])
    async def test_the_most_subtasks(self, build: Builders, team: Team, before: int):
        """Those beyond it are refused; the parent is new or had some before."""
        (parent,) = arrivals(team.project)
        first = below(parent.task_id, team, before)
        if before:
            await import_tasks(build.as_(team.member), tasks=[parent, *first])
        more = below(parent.task_id, team, MAX_SUBTASKS - before + 2)
        batch = more if before else [parent, *more]
        result = await import_tasks(build.as_(team.member), tasks=batch)
        problem = f"The parent has {MAX_SUBTASKS} subtasks, the maximum."
        assert result.refused == {each.task_id: problem for each in more[-2:]}
        assert await family(build, parent.task_id) == (MAX_SUBTASKS, 0, MAX_SUBTASKS)

    async def test_the_same_import_twice_at_a_time(self, build: Builders, team: Team):
        """Each task is created once, and counted once."""
        parents = arrivals(team.project, 5)
        batch = [*parents, *(each for parent in parents for each in below(parent.task_id, team, 3))]
        results = await asyncio.gather(*(import_tasks(build.as_(team.member), tasks=batch) for _ in range(4)))
        assert sum(len(each.created) for each in results) == len(batch)
        assert [each.refused for each in results] == [{}] * 4
        assert {await family(build, parent.task_id) for parent in parents} == {(3, 0, 3)}

    async def test_a_parent_that_another_transaction_creates_at_this_moment(
        self, build: Builders, team: Team, monkeypatch: pytest.MonkeyPatch
    ):
        """After the locks, and before or after the ids are looked up: the import begins again."""
        for at in ("taken_among", "add_many"):
            (parent,) = arrivals(team.project)
            children = below(parent.task_id, team, 2)
            right, others = getattr(TaskRepository, at), [parent]

            async def first_another(self: TaskRepository, given: Any, right: Any = right, others: Any = others) -> Any:
                if others:
                    values: dict[str, Any] = {"id": others[0].task_id, "title": others.pop().title}
                    await build.a_task(team.member, project_id=team.project.id, version=1, **values)
                return await right(self, given)

            with monkeypatch.context() as patch:
                patch.setattr(TaskRepository, at, first_another)
                result = await import_tasks(build.as_(team.member), tasks=[parent, *children])
            assert others == []
            assert result.known == {parent.task_id}, at
            assert result.refused == {}, at
            assert await family(build, parent.task_id) == (2, 0, 2)

    async def test_a_parent_in_the_trash(self, build: Builders, team: Team):
        """It is skipped, as every deleted task, and its subtasks are refused; also if its events were removed."""
        (parent,) = arrivals(team.project)
        await import_tasks(build.as_(team.member), tasks=[parent])
        await delete_task(build.as_(team.manager), task_id=parent.task_id)
        (child,) = below(parent.task_id, team)
        result = await import_tasks(build.as_(team.member), tasks=[parent, child])
        assert result.known == {parent.task_id}
        assert result.refused == {child.task_id: NO_PARENT}
        async with build.database.engine.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM events")
        result = await import_tasks(build.as_(team.member), tasks=[parent, child])
        assert result.refused[child.task_id] == NO_PARENT
        assert not result.created

    async def test_imported_subtasks_are_like_others(self, build: Builders, team: Team):
        """They leave their parent, and are deleted and restored with it."""
        (parent,) = arrivals(team.project)
        first, second = below(parent.task_id, team, 2)
        await import_tasks(build.as_(team.member), tasks=[parent, first, second])
        await set_parent(build.as_(team.member), task_id=first.task_id, parent_id=None)
        assert await family(build, parent.task_id) == (1, 0, 1)
        await delete_task(build.as_(team.manager), task_id=parent.task_id)
        assert await build.task(second.task_id) is None
        await restore_task(build.as_(team.manager), task_id=parent.task_id)
        assert await family(build, parent.task_id) == (1, 0, 1)


class TestRanks:
    async def test_they_are_kept(self, build: Builders, team: Team):
        """In an order that is not that of the batch. The next task is the last one, and tasks can be moved."""
        given = [whole(5), whole(-3), whole(5) + "V", whole(2)]
        batch = placed(team, *given)
        await import_tasks(build.as_(team.member), tasks=batch)
        assert await ranks(build, batch) == given
        ids = [each.task_id for each in batch]
        following = await create_task(build.as_(team.member), title="Next", project_id=team.project.id)
        assert following.number == 5
        assert await order(build, team) == [ids[1], ids[3], ids[0], ids[2], following.id]
        place = Move(neighbour=Neighbour(ids[0], Side.AFTER))
        await move_task(build.as_(team.member), task_id=following.id, move=place)
        assert await order(build, team) == [ids[1], ids[3], ids[0], following.id, ids[2]]

    async def test_a_task_without_a_rank_is_the_last(self, build: Builders, team: Team):
        """After those that have one, in the batch and before."""
        first = placed(team, whole(9), None, whole(3), None)
        await import_tasks(build.as_(team.member), tasks=first)
        second = placed(team, None)
        await import_tasks(build.as_(team.member), tasks=second)
        wanted = [first[2], first[0], first[1], first[3], second[0]]
        assert await order(build, team) == [each.task_id for each in wanted]

    async def test_ranks_that_other_tasks_have(self, build: Builders, team: Team):
        """Each imported task is directly behind the task with its rank, and they keep their order."""
        old = [await create_task(build.as_(team.member), title="x", project_id=team.project.id) for _ in range(3)]
        taken = [task.rank for task in old]
        batch = placed(team, taken[2], taken[0], str(taken[0]) + "V", taken[1])
        await import_tasks(build.as_(team.member), tasks=batch)
        third, first, between, second = [each.task_id for each in batch]
        assert await order(build, team) == [old[0].id, first, between, old[1].id, second, old[2].id, third]
        assert len({*await ranks(build, batch), *taken}) == 7

    async def test_equal_ranks_in_a_batch(self, build: Builders, team: Team):
        """No two tasks have the same one afterwards, so that a task can be placed between them."""
        batch = placed(team, *[whole(4)] * 3, whole(5))
        await import_tasks(build.as_(team.member), tasks=batch)
        found = await ranks(build, batch)
        assert len(set(found)) == 4
        assert found == sorted(str(each) for each in found)
        assert found[3] == whole(5)

    async def test_later_batches_keep_the_order(self, build: Builders, team: Team):
        """A task behind one with its rank is before the tasks of the next ranks, also if these come later."""
        there = placed(team, whole(1), whole(100))
        await import_tasks(build.as_(team.member), tasks=there)
        first, second, third = placed(team, whole(1), whole(2), whole(3))
        for each in (first, third, second):
            await import_tasks(build.as_(team.member), tasks=[each])
        expected = [there[0], first, second, third, there[1]]
        assert await order(build, team) == [each.task_id for each in expected]

    async def test_many_equal_ranks(self, build: Builders, team: Team):
        """When there is no short rank behind one, the task is the last."""
        batch = placed(team, *[whole(4)] * 400, whole(5))
        await import_tasks(build.as_(team.member), tasks=batch)
        assert len(set(await ranks(build, batch))) == 401

    async def test_each_project_has_its_own(self, build: Builders, team: Team):
        """A personal task has none."""
        other = await build.a_project((team.member, ProjectRole.MEMBER))
        batch = [arrivals(project, rank=whole(7))[0] for project in (team.project, other, None)]
        result = await import_tasks(build.as_(team.member), tasks=batch)
        assert result.refused == {}
        assert await ranks(build, batch) == [whole(7), whole(7), None]

    @pytest.mark.parametrize(
        "rank",
        ["", "1", "V000000", whole(1) + "0", whole(MOST + 1), whole(-MOST - 1), whole(1) + "V" * 24, "V000000\u00e9"],
    )
    async def test_a_malformed_rank(self, build: Builders, team: Team, rank: str):
        """It is found before anything is created."""
        with pytest.raises(Invalid, match="rank must be that of an export, such as V0000001"):
            await import_tasks(build.as_(team.member), tasks=placed(team, whole(1), rank))
        assert await build.recorded_events() == []

    @pytest.mark.parametrize("number", [MOST, -MOST])
    async def test_the_furthest_ranks(self, build: Builders, team: Team, number: int):
        """Tasks can still be placed at both ends."""
        (far,) = placed(team, whole(number))
        await import_tasks(build.as_(team.member), tasks=[far])
        last = await create_task(build.as_(team.member), title="Last", project_id=team.project.id)
        first = await create_task(build.as_(team.member), title="First", project_id=team.project.id)
        place = Move(neighbour=Neighbour(far.task_id, Side.BEFORE))
        await move_task(build.as_(team.member), task_id=first.id, move=place)
        assert await order(build, team) == [first.id, far.task_id, last.id]


class TestExport:
    async def test_parents_come_first(self, build: Builders, team: Team, monkeypatch: pytest.MonkeyPatch):
        """Also if a subtask has a smaller id; both parts are in the order of their ids."""
        monkeypatch.setattr(import_export, "BATCH_SIZE", 2)
        small, large = sorted([uuid4() for _ in range(6)])[:3], sorted([uuid4() for _ in range(6)])[3:]
        parents = [
            arrivals(team.project, task_id=max(task_id, other))[0] for task_id, other in zip(small, large, strict=True)
        ]
        children = [
            arrivals(team.project, task_id=min(small[n], large[n]), parent_id=parents[n].task_id)[0] for n in range(3)
        ]
        await import_tasks(build.as_(team.member), tasks=[*parents, *children])
        async with snapshot_of_tasks(build.as_(team.viewer)) as snapshot:
            found = [each.task.id async for page in snapshot.pages() for each in page]
        expected = [sorted(each.task_id for each in part) for part in (parents, children)]
        assert found == [*expected[0], *expected[1]]
