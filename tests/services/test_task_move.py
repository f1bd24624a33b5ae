"""Moves of tasks: their place in the order of a project, to another project, and out of one."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from domain.actor import Actor
from domain.errors import Conflict, Forbidden, IdempotencyMismatch, Invalid, InvalidTransition, NotFound
from domain.events import ProjectChange, ProjectEvent, TaskChange, TaskEvent
from domain.idempotency import IdempotencyKey
from domain.project import ProjectRole
from domain.rank import LONG
from domain.task import TaskStatus
from persistence.models import ProjectRow, UserRow, VisibleTaskRow
from persistence.pagination import PageRequest
from persistence.queries import task as reads
from persistence.queries.task_list import TaskFilter, TaskOrder
from persistence.queries.task_page import task_page
from services.comment import create_comment
from services.project import archive_project
from services.reading import read_page, read_rows
from services.subtask import set_parent
from services.task import delete_task, update_task
from services.task_creation import create_task
from services.task_edit import TaskEdit
from services.task_move import Move, move_task
from services.task_order import Neighbour, Side
from tests.services.support import stored
from tests.support.builders import AnyTask, Builders


@dataclass
class Board:
    """A project with a manager and a member, and some tasks in it."""

    build: Builders
    project: ProjectRow
    manager: UserRow
    member: UserRow
    tasks: dict[str, VisibleTaskRow]

    @classmethod
    async def made(cls, build: Builders, titles: str = "") -> "Board":
        """A project with tasks of these titles, each a letter, in this order."""
        manager, member = await build.a_user(), await build.a_user()
        project = await build.a_project((manager, ProjectRole.MANAGER), (member, ProjectRole.MEMBER))
        board = cls(build, project, manager, member, {})
        for title in titles:
            await board.add(title)
        return board

    async def add(self, title: str, **values: Any) -> VisibleTaskRow:
        """A new task."""
        uow = self.build.as_(self.member)
        self.tasks[title] = await create_task(uow, title=title, project_id=self.project.id, **values)
        return self.tasks[title]

    async def move(self, title: str, *, by: Any = None, **values: Any) -> VisibleTaskRow:
        """Move a task after or before another one, or otherwise."""
        return await move(self.build, by or self.member, self.tasks[title], **self._known(values))

    async def order(self, **wanted: Any) -> str:
        """The titles of the tasks in the manual order."""
        wanted_filter = TaskFilter(project_id=self.project.id, **wanted)
        actor = self.build.actor(self.manager)
        request = PageRequest.of(100, order=TaskOrder.RANK.value)
        paged = task_page(actor, request, wanted_filter, TaskOrder.RANK)
        page = await read_page(self.build.as_(actor), VisibleTaskRow, paged)
        return "".join(row.title for row in page.rows)

    def _known(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: self.tasks[value].id if value in self.tasks else value for name, value in values.items()}


async def move(
    build: Builders, by: UserRow | Actor, task: AnyTask, *, key: IdempotencyKey | None = None, **values: Any
) -> VisibleTaskRow:
    """Move a task."""
    version = values.pop("expected_version", None)
    for side in Side:
        if (neighbour := values.pop(side.value, None)) is not None:
            values["neighbour"] = Neighbour(neighbour, side)
    return await move_task(build.as_(by, key=key), task_id=task.id, move=Move(**values), expected_version=version)


class TestOrder:
    async def test_new_tasks_are_last(self, build: Builders):
        """In every column."""
        board = await Board.made(build, "abc")
        assert await board.order() == "abc"
        assert await board.order(status=(TaskStatus.TODO,)) == "abc"

    @pytest.mark.parametrize(
        ("task", "place", "order"),
        [
            ("c", {"after": "a"}, "acbd"),
            ("a", {"after": "d"}, "bcda"),
            ("d", {"before": "a"}, "dabc"),
            ("a", {"before": "d"}, "bcad"),
            ("b", {"after": "a"}, "abcd"),
            ("b", {"before": "c"}, "abcd"),
            ("b", {"after": "b"}, "abcd"),
        ],
    )
    async def test_beside_another_task(self, build: Builders, task: str, place: dict[str, str], order: str):
        """One row changes; a task that is there already does not."""
        board = await Board.made(build, "abcd")
        events = len(await build.recorded_events())
        moved = await board.move(task, **place)

        assert await board.order() == order
        new = (await build.recorded_events())[events:]
        if order == "abcd":
            assert new == []
            assert moved.version == 1
        else:
            [event] = new
            assert isinstance(event, TaskEvent)
            assert (event.task_id, event.changes, event.version) == (moved.id, (TaskChange.RANK,), 2)

    async def test_status_and_place_are_one_version(self, build: Builders):
        """And one event."""
        board = await Board.made(build, "abc")
        moved = await board.move("c", status=TaskStatus.DONE, before="a")
        assert (moved.version, moved.status, moved.completed_at is not None) == (2, TaskStatus.DONE, True)
        event = (await build.recorded_events())[-1]
        assert isinstance(event, TaskEvent)
        assert event.changes == (TaskChange.STATUS, TaskChange.RANK)
        assert await board.order() == "cab"

    async def test_a_status_change_keeps_the_rank(self, build: Builders):
        """By `move_task`, too."""
        board = await Board.made(build, "abc")
        await update_task(build.as_(board.member), task_id=board.tasks["b"].id, edit=TaskEdit(status=TaskStatus.DONE))
        await board.move("a", status=TaskStatus.DONE)
        assert await board.order() == "abc"
        assert await board.order(status=(TaskStatus.DONE,)) == "ab"

    @pytest.mark.parametrize("side", ["after", "before"])
    async def test_beside_a_task_that_is_gone(self, build: Builders, side: str):
        """It is placed last: a deleted task, one of another project, and one that does not exist."""
        board, other = await Board.made(build, "abcd"), await Board.made(build, "x")
        await delete_task(build.as_(board.manager), task_id=board.tasks["d"].id)
        for title, neighbour in (("a", board.tasks["d"].id), ("b", other.tasks["x"].id), ("c", uuid4())):
            await board.move(title, **{side: neighbour})
        assert await board.order() == "abc"
        await board.move("a", **{side: uuid4()})
        await board.add("e")
        assert await board.order() == "bcae"

    async def test_a_personal_task_has_no_order(self, build: Builders):
        """The error says so."""
        owner = await build.a_user()
        one, two = await build.a_task(owner), await build.a_task(owner)
        async with build.unchanged():
            with pytest.raises(Invalid, match="no manual order") as caught:
                await move(build, owner, one, after=two.id)
        assert caught.value.path == ("after",)

    async def test_rights_versions_and_transitions(self, build: Builders):
        """As for any other change."""
        board = await Board.made(build, "ab")
        viewer, outsider = await build.a_user(), await build.a_user()
        await build.a_member(board.project, viewer, ProjectRole.VIEWER)
        await update_task(
            build.as_(board.member), task_id=board.tasks["b"].id, edit=TaskEdit(status=TaskStatus.CANCELLED)
        )
        async with build.unchanged():
            with pytest.raises(Forbidden):
                await board.move("b", after="a", by=viewer)
            with pytest.raises(NotFound):
                await board.move("b", after="a", by=outsider)
            with pytest.raises(Conflict):
                await board.move("b", before="a", expected_version=1)
            with pytest.raises(InvalidTransition):
                await board.move("b", before="a", status=TaskStatus.DONE)

    async def test_a_long_gap_gets_short_ranks(self, build: Builders):
        """A hundred tasks, each placed behind the first one: the order is right, and one event tells of new ranks."""
        board = await Board.made(build, "abc")
        for _ in range(150):
            await board.move("c", after="a")
            await board.move("b", after="a")
        rows = [await stored(build, task) for task in board.tasks.values()]
        assert await board.order() == "abc"
        assert all(row.rank is not None and len(row.rank) < LONG for row in rows)
        events = [each for each in await build.recorded_events() if isinstance(each, ProjectEvent)]
        assert {event.change for event in events} == {ProjectChange.RANKS}
        assert 1 <= len(events) <= 5

    async def test_many_at_once_into_one_gap(self, build: Builders):
        """Everyone sees one order, with all tasks, each once."""
        titles = "abcdefghijklmnopqrst"
        board = await Board.made(build, titles)
        chance = random.Random(1)
        moved = chance.sample(titles[2:], 18) * 3
        await asyncio.gather(*(board.move(title, after="a") for title in moved))
        order = await board.order()
        assert order[0] == "a"
        assert sorted(order) == list(titles)
        assert await board.order() == order

    async def test_a_key_makes_the_move_once(self, build: Builders):
        """Another request with the same key is refused."""
        board = await Board.made(build, "abc")
        key = IdempotencyKey("one")
        await board.move("c", before="a", key=key)
        await board.move("b", before="c")
        again = await board.move("c", before="a", key=key)
        assert (await board.order(), again.version) == ("bca", 2)
        with pytest.raises(IdempotencyMismatch):
            await board.move("c", after="a", key=key)


class TestAnotherProject:
    async def test_what_changes(self, build: Builders):
        """Project, number, key and rank; the assignee and labels stay where they exist in the other project."""
        here, there = await Board.made(build), await Board.made(build, "x")
        await build.a_member(there.project, here.member)
        own, same = await build.a_label(here.project, "Bug"), await build.a_label(there.project, "bug")
        only_here = await build.a_label(here.project, "Here")
        task = await here.add("a", assignee_id=here.manager.id, label_ids=[own.id, only_here.id])
        stays = await here.add("b", assignee_id=here.member.id)
        await create_comment(build.as_(here.manager), task_id=task.id, text="A comment")

        moved = await here.move("a", project_id=there.project.id)
        assert (moved.project_id, moved.number, moved.project_key) == (there.project.id, 2, there.project.key)
        assert (moved.assignee_id, moved.label_ids, moved.comment_count) == (None, [same.id], 1)
        assert (moved.owner_id, moved.version) == (here.member.id, 2)
        moved = await move(build, here.member, stays, project_id=there.project.id, before=there.tasks["x"].id)
        assert (moved.assignee_id, moved.number) == (here.member.id, 3)
        assert await there.order() == "bxa"
        assert await here.order() == ""

    async def test_the_event_names_both_projects(self, build: Builders):
        """So those who see only one of them learn of it."""
        here, there = await Board.made(build, "a"), await Board.made(build)
        await build.a_member(there.project, here.member)
        await here.move("a", project_id=there.project.id)
        event = (await build.recorded_events())[-1]
        assert isinstance(event, TaskEvent)
        assert event.changes == (TaskChange.PROJECT,)
        assert event.projects == {here.project.id, there.project.id}

    async def test_old_keys_lead_to_the_task(self, build: Builders):
        """Those of both projects, for users who see the task now; no other task gets them."""
        here, there = await Board.made(build, "a"), await Board.made(build)
        for board in (here, there):
            for user in (here.member, there.member):
                if user is not board.member:
                    await build.a_member(board.project, user)
        await here.move("a", project_id=there.project.id)
        back = await here.move("a", project_id=here.project.id)
        assert back.number == 2
        for key in (f"{here.project.key}-1", f"{here.project.key}-2", f"{there.project.key}-1"):
            rows = await read_rows(
                build.as_(here.member), VisibleTaskRow, reads.task_by_key(build.actor(here.member), key)
            )
            assert [row.id for row in rows] == [back.id], key
        hidden = reads.task_by_key(build.actor(there.manager), f"{there.project.key}-1")
        assert await read_rows(build.as_(there.manager), VisibleTaskRow, hidden) == []

    @pytest.mark.parametrize("role", [None, ProjectRole.VIEWER, ProjectRole.MEMBER])
    async def test_rights_in_the_other_project(self, build: Builders, role: ProjectRole | None):
        """Those of a creation."""
        here, there = await Board.made(build, "a"), await Board.made(build)
        if role is not None:
            await build.a_member(there.project, here.member, role)
        if role is ProjectRole.MEMBER:
            assert (await here.move("a", project_id=there.project.id)).number == 1
            return
        async with build.unchanged():
            with pytest.raises(Forbidden if role else NotFound) as caught:
                await here.move("a", project_id=there.project.id)
        assert caught.value.path == ("projectId",)

    async def test_not_into_or_out_of_an_archived_project(self, build: Builders):
        """It is read-only."""
        here, there = await Board.made(build, "a"), await Board.made(build, "x")
        await build.a_member(there.project, here.member)
        await archive_project(build.as_(there.manager), project_id=there.project.id, is_archived=True)
        async with build.unchanged():
            with pytest.raises(Forbidden, match="archived"):
                await here.move("a", project_id=there.project.id)
            with pytest.raises(Forbidden, match="archived"):
                await move(build, here.member, there.tasks["x"], project_id=here.project.id)

    async def test_a_personal_task_comes_to_a_project_and_leaves_it(self, build: Builders):
        """Only its owner can take it out; the assignee of a personal task cannot bring it in."""
        board, owner, assignee = await Board.made(build), await build.a_user(), await build.a_user()
        for user in (owner, assignee):
            await build.a_member(board.project, user)
        task = await build.a_task(owner, assignee_id=assignee.id)
        async with build.unchanged():
            with pytest.raises(Forbidden):
                await move(build, assignee, task, project_id=board.project.id)
        moved = await move(build, owner, task, project_id=board.project.id)
        assert (moved.number, moved.assignee_id) == (1, assignee.id)
        async with build.unchanged():
            with pytest.raises(Forbidden, match="Only the owner"):
                await move(build, assignee, task, project_id=None)
        label = await build.a_label(board.project, "bug")
        await update_task(build.as_(owner), task_id=task.id, edit=TaskEdit(label_ids=[label.id]))
        out = await move(build, owner, task, project_id=None)
        assert (out.project_id, out.number, out.rank, out.label_ids) == (None, None, None, [])

    async def test_fifty_at_once_get_different_numbers(self, build: Builders):
        """Also together with new tasks."""
        here, there = await Board.made(build), await Board.made(build)
        await build.a_member(there.project, here.member)
        tasks = [await build.a_task(here.member, project_id=here.project.id) for _ in range(25)]
        moves = [move(build, here.member, task, project_id=there.project.id) for task in tasks]
        creations = [create_task(build.as_(here.member), title="New", project_id=there.project.id) for _ in range(25)]
        rows = await asyncio.gather(*moves, *creations)
        assert sorted(row.number or 0 for row in rows) == list(range(1, 51))
        assert len({row.rank for row in rows}) == 50


class TestWithSubtasks:
    async def test_subtasks_move_with_their_task(self, build: Builders):
        """Each gets a number, and an event."""
        here, there = await Board.made(build, "a"), await Board.made(build)
        await build.a_member(there.project, here.member)
        for title in "bc":
            await here.add(title, parent_id=here.tasks["a"].id)
        events = len(await build.recorded_events())
        moved = await here.move("a", project_id=there.project.id)
        assert (moved.number, moved.subtask_count) == (1, 2)
        subtasks = [await stored(build, here.tasks[title]) for title in "bc"]
        assert {(row.project_id, row.parent_id) for row in subtasks} == {(there.project.id, moved.id)}
        assert {row.number for row in subtasks} == {2, 3}
        new = (await build.recorded_events())[events:]
        assert [each.changes for each in new if isinstance(each, TaskEvent)] == [(TaskChange.PROJECT,)] * 3

    async def test_a_subtask_that_moves_leaves_its_parent(self, build: Builders):
        """Which counts it no longer."""
        here, there = await Board.made(build, "a"), await Board.made(build)
        await build.a_member(there.project, here.member)
        await here.add("b", parent_id=here.tasks["a"].id)
        moved = await here.move("b", project_id=there.project.id, status=TaskStatus.DONE)
        assert moved.parent_id is None
        assert (await stored(build, here.tasks["a"])).subtask_count == 0
        event = (await build.recorded_events())[-1]
        assert isinstance(event, TaskEvent)
        assert event.changes == (TaskChange.PROJECT, TaskChange.STATUS, TaskChange.PARENT)

    async def test_a_task_with_subtasks_cannot_be_personal(self, build: Builders):
        """Personal tasks have none."""
        board = await Board.made(build, "a")
        await board.add("b", parent_id=board.tasks["a"].id)
        async with build.unchanged():
            with pytest.raises(Invalid, match="subtasks"):
                await board.move("a", project_id=None)

    async def test_subtasks_that_come_while_the_task_moves(self, build: Builders):
        """Afterwards all of them are in the project of their parent, whatever came first."""
        here, there = await Board.made(build, "a"), await Board.made(build)
        await build.a_member(there.project, here.member)
        parent = here.tasks["a"]
        others = [await here.add(title) for title in "bcdefgh"]
        outcomes = await asyncio.gather(
            move(build, here.member, parent, project_id=there.project.id),
            *(set_parent(build.as_(here.member), task_id=each.id, parent_id=parent.id) for each in others),
            return_exceptions=True,
        )
        unexpected = [each for each in outcomes if isinstance(each, BaseException) and not isinstance(each, NotFound)]
        assert unexpected == []
        after = await stored(build, parent)
        rows = [await stored(build, each) for each in others]
        mine = [row for row in rows if row.parent_id == parent.id]
        assert {row.project_id for row in mine} <= {after.project_id}
        assert after.subtask_count == len(mine)
