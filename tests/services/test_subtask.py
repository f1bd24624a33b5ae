"""Subtasks: created, assigned to a parent, counted, and deleted with it."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.events import TaskChange, TaskEvent
from domain.idempotency import IdempotencyKey
from domain.project import ProjectRole
from domain.task import MAX_SUBTASKS, TaskStatus
from persistence.models import UserRow, VisibleTaskRow
from services.subtask import set_parent
from services.task import delete_task, update_task
from services.task_creation import create_task
from services.task_edit import TaskEdit
from tests.services.support import stored
from tests.services.test_task_move import Board
from tests.support.builders import AnyTask, Builders

DONE, TODO, IN_PROGRESS = TaskStatus.DONE, TaskStatus.TODO, TaskStatus.IN_PROGRESS


async def with_subtasks(build: Builders, titles: str = "bc") -> Board:
    """A project with a task a, whose subtasks have these titles."""
    board = await Board.made(build, "a")
    for title in titles:
        await board.add(title, parent_id=board.tasks["a"].id)
    return board


async def counts(build: Builders, task: AnyTask) -> tuple[int, int]:
    """The numbers of subtasks that the task stores: all, and those that are DONE."""
    row = await stored(build, task)
    return row.subtask_count, row.done_subtask_count


async def parent(build: Builders, by: UserRow, task: AnyTask, of: AnyTask | None, **values: Any) -> VisibleTaskRow:
    """Set the parent of a task."""
    return await set_parent(build.as_(by), task_id=task.id, parent_id=of.id if of else None, **values)


async def set_status(build: Builders, by: UserRow, task: AnyTask, status: TaskStatus) -> None:
    """Change the status of a task."""
    await update_task(build.as_(by), task_id=task.id, edit=TaskEdit(status=status))


class TestCreate:
    async def test_it_is_in_the_project_of_its_parent(self, build: Builders):
        """Also without a project; the parent counts it without a new version."""
        board = await Board.made(build, "a")
        made = await create_task(build.as_(board.member), title="b", parent_id=board.tasks["a"].id)
        assert (made.project_id, made.parent_id, made.number) == (board.project.id, board.tasks["a"].id, 2)
        after = await stored(build, board.tasks["a"])
        assert (after.version, after.subtask_count, after.done_subtask_count) == (1, 1, 0)

    async def test_a_parent_that_cannot_have_it(self, build: Builders):
        """A subtask, a personal task, a task of another project, and one that does not exist."""
        board, other = await with_subtasks(build, "b"), await Board.made(build, "x")
        personal = await build.a_task(board.member)
        refused: list[tuple[Any, type[Exception]]] = [
            (board.tasks["b"].id, Invalid),
            (personal.id, Invalid),
            (other.tasks["x"].id, NotFound),
            (uuid4(), NotFound),
        ]
        for parent_id, error in refused:
            async with build.unchanged():
                with pytest.raises(error) as caught:
                    await create_task(build.as_(board.member), title="No", parent_id=parent_id)
            assert getattr(caught.value, "path", None) == ("parentId",)
        async with build.unchanged():
            with pytest.raises(NotFound):
                await board.add("No", parent_id=other.tasks["x"].id)

    async def test_there_is_a_limit(self, build: Builders):
        """Of the parent."""
        board = await Board.made(build)
        full = await build.a_task(board.member, project_id=board.project.id, subtask_count=MAX_SUBTASKS)
        async with build.unchanged():
            with pytest.raises(Invalid, match="100 subtasks"):
                await create_task(build.as_(board.member), title="No", parent_id=full.id)

    async def test_fifty_at_once_are_all_counted(self, build: Builders):
        """Half of them under keys, which cannot be written together with others."""
        board = await Board.made(build, "a")
        keys = [IdempotencyKey(f"key {number}") if number % 2 else None for number in range(50)]
        await asyncio.gather(
            *(create_task(build.as_(board.member, key=key), title="b", parent_id=board.tasks["a"].id) for key in keys)
        )
        assert await counts(build, board.tasks["a"]) == (50, 0)


class TestParent:
    async def test_it_is_one_version_of_the_subtask(self, build: Builders):
        """With one event; the same parent again changes nothing."""
        board = await Board.made(build, "ab")
        made = await parent(build, board.member, board.tasks["b"], board.tasks["a"])
        again = await parent(build, board.member, board.tasks["b"], board.tasks["a"])
        assert (made.parent_id, made.version, again.version) == (board.tasks["a"].id, 2, 2)
        event = (await build.recorded_events())[-1]
        assert isinstance(event, TaskEvent)
        assert (event.task_id, event.changes) == (made.id, (TaskChange.PARENT,))
        assert await counts(build, board.tasks["a"]) == (1, 0)

    async def test_another_parent_and_none(self, build: Builders):
        """Both count; a subtask that is DONE counts as such."""
        board = await Board.made(build, "axb")
        await set_status(build, board.member, board.tasks["b"], DONE)
        await parent(build, board.member, board.tasks["b"], board.tasks["a"])
        assert await counts(build, board.tasks["a"]) == (1, 1)
        await parent(build, board.member, board.tasks["b"], board.tasks["x"])
        assert (await counts(build, board.tasks["a"]), await counts(build, board.tasks["x"])) == ((0, 0), (1, 1))
        assert (await parent(build, board.member, board.tasks["b"], None)).parent_id is None
        assert await counts(build, board.tasks["x"]) == (0, 0)

    async def test_only_one_level(self, build: Builders):
        """Not under a subtask, not a task with subtasks, not under itself."""
        board = await with_subtasks(build, "b")
        other = await board.add("c")
        for task, of in (("c", "b"), ("a", "c"), ("c", "c")):
            async with build.unchanged():
                with pytest.raises(Invalid):
                    await parent(build, board.member, board.tasks[task], board.tasks[of])
        assert (await parent(build, board.member, other, board.tasks["a"])).parent_id is not None

    async def test_only_in_one_project(self, build: Builders):
        """Not personal tasks, and nothing of a project that the actor sees or does not see."""
        board, other = await Board.made(build, "a"), await Board.made(build, "x")
        await build.a_member(other.project, board.member)
        personal = await build.a_task(board.member)
        for task, of, error in (
            (board.tasks["a"], other.tasks["x"], NotFound),
            (personal, board.tasks["a"], Invalid),
            (board.tasks["a"], personal, NotFound),
        ):
            async with build.unchanged():
                with pytest.raises(error):
                    await parent(build, board.member, task, of)

    async def test_rights_and_versions(self, build: Builders):
        """As for any other change."""
        board = await Board.made(build, "ab")
        viewer = await build.a_user()
        await build.a_member(board.project, viewer, ProjectRole.VIEWER)
        async with build.unchanged():
            with pytest.raises(Forbidden):
                await parent(build, viewer, board.tasks["b"], board.tasks["a"])
            with pytest.raises(Conflict):
                await parent(build, board.member, board.tasks["b"], board.tasks["a"], expected_version=7)

    async def test_two_tasks_cannot_become_subtasks_of_each_other(self, build: Builders):
        """Whatever comes first."""
        board = await Board.made(build, "ab")
        for _ in range(5):
            await asyncio.gather(
                parent(build, board.member, board.tasks["a"], board.tasks["b"]),
                parent(build, board.member, board.tasks["b"], board.tasks["a"]),
                return_exceptions=True,
            )
            rows = {title: await stored(build, board.tasks[title]) for title in "ab"}
            assert sum(row.parent_id is not None for row in rows.values()) == 1
            for row in rows.values():
                await parent(build, board.member, row, None)


class TestCounts:
    async def test_done_subtasks_are_counted(self, build: Builders):
        """When they become DONE and when they are reopened; other changes count nothing."""
        board = await with_subtasks(build)
        expected = []
        for title, status in (("b", IN_PROGRESS), ("b", DONE), ("c", DONE), ("b", TODO), ("b", DONE)):
            await set_status(build, board.member, board.tasks[title], status)
            expected.append(await counts(build, board.tasks["a"]))
        assert expected == [(2, 0), (2, 1), (2, 2), (2, 1), (2, 2)]
        await board.move("c", status=TODO)
        await delete_task(build.as_(board.manager), task_id=board.tasks["b"].id)
        assert await counts(build, board.tasks["a"]) == (1, 0)
        assert (await stored(build, board.tasks["a"])).version == 1

    async def test_a_process_that_has_not_seen_the_subtask(self, build: Builders):
        """It finds the parent, with and without a key."""
        board = await with_subtasks(build)
        build.database._task_places._places.clear()
        await set_status(build, board.member, board.tasks["b"], DONE)
        build.database._task_places._places.clear()
        uow = build.as_(board.member, key=IdempotencyKey("one"))
        await update_task(uow, task_id=board.tasks["c"].id, edit=TaskEdit(completed=True))
        assert await counts(build, board.tasks["a"]) == (2, 2)

    async def test_everything_at_once(self, build: Builders):
        """The parent counts what is there in the end, and keeps its own changes."""
        board = await with_subtasks(build, "bcdefghij")
        member, tasks = board.member, board.tasks

        async def change(title: str) -> None:
            await set_status(build, member, tasks[title], DONE)
            await set_status(build, member, tasks[title], IN_PROGRESS)
            if title in "bcd":
                await set_status(build, member, tasks[title], DONE)
            elif title in "ef":
                await delete_task(build.as_(board.manager), task_id=tasks[title].id)
            elif title in "gh":
                await parent(build, member, tasks[title], None)

        async def retitle(number: int) -> None:
            await update_task(build.as_(member), task_id=tasks["a"].id, edit=TaskEdit(title=f"a{number}"))

        await asyncio.gather(*map(change, "bcdefghij"), *map(retitle, range(10)))
        assert await counts(build, tasks["a"]) == (5, 3)
        assert (await stored(build, tasks["a"])).version == 11


class TestDelete:
    async def test_subtasks_are_deleted_with_their_parent(self, build: Builders):
        """Each with its event."""
        board = await with_subtasks(build)
        await delete_task(build.as_(board.manager), task_id=board.tasks["a"].id)
        assert [await build.task(task.id) for task in board.tasks.values()] == [None, None, None]
        events = [each for each in await build.recorded_events() if isinstance(each, TaskEvent) and each.deleted]
        assert {event.task_id for event in events} == {task.id for task in board.tasks.values()}

    async def test_with_a_key(self, build: Builders):
        """The repeated request has the same result."""
        board = await with_subtasks(build)
        for _ in range(2):
            uow = build.as_(board.manager, key=IdempotencyKey("one"))
            assert await delete_task(uow, task_id=board.tasks["a"].id) == board.tasks["a"].id
        assert await board.order() == ""

    async def test_subtasks_that_come_at_the_same_time(self, build: Builders):
        """Each is deleted with its parent, or refused, or was never its subtask: none is left without a parent."""
        board = await Board.made(build, "a")
        task = board.tasks["a"]
        outcomes = await asyncio.gather(
            *(create_task(build.as_(board.member), title="b", parent_id=task.id) for _ in range(10)),
            delete_task(build.as_(board.manager), task_id=task.id),
            *(create_task(build.as_(board.member), title="b", parent_id=task.id) for _ in range(10)),
            return_exceptions=True,
        )
        unexpected = [each for each in outcomes if isinstance(each, BaseException) and not isinstance(each, NotFound)]
        assert unexpected == []
        assert await board.order() == ""
