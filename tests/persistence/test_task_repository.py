"""What one actor sees of the tasks, and in which order."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from domain.actor import OPERATOR, Actor
from domain.errors import BadRequest, NotFound
from domain.policy import Action, may
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from persistence.models import TaskRow
from persistence.pagination import PageCursor, PageRequest, Part
from persistence.queries.task_list import EVERYTHING, TaskFilter, TaskOrder
from persistence.queries.task_list import KEYS as ORDERS
from tests.persistence.expected_pages import Expected, expected, some_pages
from tests.support.builders import Builders
from tests.support.reads import task_page
from tests.support.transactions import lock_row, orm_session

NOON: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
FARTHEST: Final = datetime.max.replace(tzinfo=UTC)
EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
ALL: Final = frozenset(Part) - {Part.HEAD}

# The documented orders, said in Python.
PLACE: Final[dict[str, Callable[[TaskRow], Any]]] = {
    "CREATED": lambda task: task.created_at,
    "UPDATED": lambda task: task.updated_at,
    "PRIORITY": lambda task: task.priority,
}
IN_ALL_PROJECTS: Final = [order for order in TaskOrder if order is not TaskOrder.RANK]
"""The orders of lists with tasks of all projects."""
KEYS: Final[dict[TaskOrder, Callable[[TaskRow], Any]]] = {
    order: PLACE.get(order.value.split("_")[0], lambda task: None) for order in IN_ALL_PROJECTS
} | {
    TaskOrder.DUE_ASC: lambda task: task.due_at or FARTHEST,
    TaskOrder.DUE_DESC: lambda task: task.due_at or EARLIEST,
}


async def many_tasks(build: Builders, people: list[Actor], chance: random.Random, count: int = 40) -> list[TaskRow]:
    """Tasks of these users with few different values, so that many are equal."""

    def instant() -> datetime:
        return NOON + timedelta(hours=chance.randrange(4), microseconds=chance.randrange(2))

    rows = [
        TaskRow(
            id=UUID(int=chance.getrandbits(128)),
            title="Task",
            description="",
            status=chance.choice(list(TaskStatus)),
            priority=chance.choice(list(TaskPriority)),
            due_at=chance.choice([None, None, instant()]),
            owner_id=chance.choice(people).user_id,
            assignee_id=chance.choice([None, chance.choice(people).user_id]),
            version=1,
            created_at=instant(),
            updated_at=instant(),
            completed_at=None,
        )
        for _ in range(count)
    ]
    async with orm_session(build.database) as session:
        session.add_all(rows)
        await session.commit()
    return rows


async def walk(
    build: Builders, actor: Actor, order: TaskOrder, first: int, between: Callable[[], Any] | None = None
) -> list[UUID]:
    """The ids on consecutive pages."""
    met: list[UUID] = []
    after: str | None = None
    while True:
        async with build.as_(actor) as uow:
            page = await task_page(uow, PageRequest.of(first, after, order=order.value), wanted=EVERYTHING, order=order)
        assert page.has_previous == bool(met)
        assert len(page.rows) == len(page.cursors) <= first
        met += [row.id for row in page.rows]
        if not page.has_next:
            return met
        after = page.cursors[-1]
        if between is not None:
            await between()


def cursor_of(order: TaskOrder, task: TaskRow) -> PageCursor:
    """The cursor of a task in an order."""
    key = ORDERS[order]
    return PageCursor(order.value, key.write(key.of(task)), task.id)


async def found(build: Builders, actor: Actor, wanted: TaskFilter) -> list[str]:
    """The titles of the tasks that are wanted, by age; counting agrees."""
    order = TaskOrder.CREATED_ASC
    async with build.as_(actor) as uow:
        page = await task_page(uow, PageRequest(100), wanted=wanted, order=order)
        assert await uow.tasks.count(wanted) == len(page.rows)
    return [row.title for row in page.rows]


class TestVisibility:
    @pytest.mark.parametrize("role", Role)
    async def test_the_condition_and_the_policy_agree(self, build: Builders, role: Role):
        """For every relation to a task, each way to load it finds it exactly if the policy lets the actor read it."""
        actor, other = await build.an_actor(role), await build.an_actor()
        tasks = [
            await build.a_task(owner, assignee_id=assignee.user_id if assignee else None)
            for owner in (actor, other)
            for assignee in (None, actor, other)
        ]
        readable = {task.id for task in tasks if may(actor, Action.READ_TASK, task)}

        async with build.as_(actor) as uow:
            assert {task.id for task in tasks if await uow.tasks.find(task.id)} == readable
            assert set(await uow.tasks.find_many([task.id for task in tasks])) == readable
            assert {row.id for row in await uow.tasks.slice(skip=0, limit=100)} == readable
            assert await uow.tasks.count(EVERYTHING) == len(readable)
        for order in IN_ALL_PROJECTS:
            assert set(await walk(build, actor, order, 100)) == readable

    async def test_an_anonymous_reader_sees_nothing_and_the_operator_everything(self, build: Builders):
        """The operator reads like an admin."""
        task = await build.a_task()
        async with build.as_(None) as uow:
            assert await uow.tasks.find_many([task.id]) == {}
            assert await uow.tasks.count(EVERYTHING) == 0
            with pytest.raises(NotFound):
                await uow.tasks.get(task.id)
        async with build.as_(OPERATOR) as uow:
            assert (await uow.tasks.get(task.id)).id == task.id

    async def test_any_number_of_ids_can_be_read(self, build: Builders):
        """None, duplicates, and more than a statement may have parameters."""
        task = await build.a_task()
        async with build.as_(OPERATOR) as uow:
            assert await uow.tasks.find_many([]) == {}
            assert list(await uow.tasks.find_many([task.id, task.id])) == [task.id]
            assert list(await uow.tasks.find_many([*(uuid4() for _ in range(40_000)), task.id])) == [task.id]


class TestPage:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("order", IN_ALL_PROJECTS)
    async def test_pages_contain_each_task_once_in_order(self, build: Builders, order: TaskOrder, seed: int):
        """For every page size and role; equal values are ordered by id."""
        chance = random.Random(seed)
        people = [await build.an_actor(role) for role in (*Role, Role.USER)]
        tasks = await many_tasks(build, people, chance)
        for actor in people:
            visible = [task for task in tasks if may(actor, Action.READ_TASK, task)]
            expected = sorted(visible, key=lambda task: (KEYS[order](task), task.id.int), reverse=order.descending)

            assert await walk(build, actor, order, chance.randrange(1, 20)) == [task.id for task in expected]

    @pytest.mark.parametrize("role", [Role.USER, Role.ADMIN])
    @pytest.mark.parametrize("order", IN_ALL_PROJECTS)
    async def test_every_window_in_both_directions(self, build: Builders, order: TaskOrder, role: Role):
        """Rows and both ends are exact, with ties, without due dates, and from cursors of deleted tasks."""
        chance = random.Random(order.value)
        people = [await build.an_actor(role), await build.an_actor()]
        tasks = await many_tasks(build, people, chance, 14)
        visible = [task for task in tasks if may(people[0], Action.READ_TASK, task)]
        places = sorted(visible, key=lambda task: (KEYS[order](task), task.id.int), reverse=order.descending)
        cursors = [cursor_of(order, task) for task in places]
        gone = chance.sample(places, 3)
        for task in gone:
            async with build.as_(OPERATOR) as uow:
                uow.tasks.remove(await lock_row(uow, TaskRow, task.id))
                await uow.commit()
        ids, existing = [task.id for task in places], {task.id for task in places if task not in gone}
        async with build.as_(people[0]) as uow:
            for wanted in some_pages(places, chance):
                after, before = (None if index is None else cursors[index] for index in (wanted.after, wanted.before))
                request = PageRequest(wanted.size, after, before, wanted.backward)
                page = await task_page(uow, request, wanted=EVERYTHING, order=order)
                found = Expected([row.id for row in page.rows], page.has_previous, page.has_next)
                assert found == expected(ids, existing, wanted), wanted
                assert page.cursors == [cursors[ids.index(row.id)].encode() for row in page.rows]

    async def test_the_ends_of_a_filtered_list(self, build: Builders):
        """What the filter leaves out is neither before a page nor behind it, and is not counted."""
        actor = await build.an_actor()
        done, todo = TaskStatus.DONE, TaskStatus.TODO
        tasks = [await build.a_task(actor, status=status) for status in (todo, done, done, todo)]
        cursors = [cursor_of(TaskOrder.CREATED_ASC, task) for task in tasks]
        async with build.as_(actor) as uow:
            for request in (PageRequest(5, cursors[0], cursors[3], parts=ALL), PageRequest(2, None, None, True, ALL)):
                page = await task_page(uow, request, wanted=TaskFilter(status=(done,)), order=TaskOrder.CREATED_ASC)
                assert [row.id for row in page.rows] == [tasks[1].id, tasks[2].id]
                assert (page.has_previous, page.has_next, page.facts["total"]) == (False, False, 2)

    @pytest.mark.parametrize("order", IN_ALL_PROJECTS)
    async def test_new_tasks_do_not_change_other_pages(self, build: Builders, order: TaskOrder):
        """No task appears twice or is left out."""
        chance = random.Random(order.value)
        people = [await build.an_actor(Role.ADMIN)]
        before = [task.id for task in await many_tasks(build, people, chance, 25)]

        async def more() -> None:
            await many_tasks(build, people, chance, 3)

        met = await walk(build, people[0], order, 7, between=more)

        assert len(met) == len(set(met))
        assert set(before) <= set(met)

    @pytest.mark.parametrize("order", IN_ALL_PROJECTS)
    async def test_a_cursor_that_was_made_up_is_a_bad_request(self, build: Builders, order: TaskOrder):
        """A value of the wrong kind, or an impossible one, is a bad request or a place in the order, never a crash."""
        values = [
            None,
            "",
            "x",
            "0",
            "5",
            "2",
            "-1",
            "1e9",
            "9" * 500,
            "2\x00",
            "\x00",
            "１",
            "true",
            "infinity",
            "NaN",
        ]
        values += ["0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59"]
        values += ["9999-12-31T23:59:59.999999Z", "2026-01-01T00:00:00", "2026-W01-1T00:00:00Z", "2026-13-01T00:00:00Z"]
        actor = await build.an_actor()
        for value in values:
            cursor = PageCursor(order.value, value, UUID(int=2**128 - 1)).encode()
            async with build.as_(actor) as uow:
                try:
                    request = PageRequest.of(5, cursor, order=order.value)
                    page = await task_page(uow, request, wanted=EVERYTHING, order=order)
                except BadRequest:
                    continue
                assert page.rows == []

    async def test_a_cursor_of_another_order_is_a_bad_request(self, build: Builders):
        """Even one that passed by the check of the request."""
        cursor = PageCursor("UPDATED_ASC", NOON.isoformat(), UUID(int=1))
        async with build.as_(await build.an_actor()) as uow:
            with pytest.raises(BadRequest):
                await task_page(uow, PageRequest(5, cursor), wanted=EVERYTHING, order=TaskOrder.CREATED_ASC)


class TestSlice:
    async def test_an_offset_and_a_length(self, build: Builders):
        """By age, from an offset on; beyond the end there is nothing, however far."""
        actor = await build.an_actor()
        tasks = [await build.a_task(actor, created_at=NOON + timedelta(hours=hour)) for hour in range(4)]
        async with build.as_(actor) as uow:
            assert [row.id for row in await uow.tasks.slice(skip=1, limit=2)] == [tasks[1].id, tasks[2].id]
            assert await uow.tasks.slice(skip=2**70, limit=2**70) == []
            assert await uow.tasks.slice(skip=0, limit=0) == []

    @pytest.mark.parametrize(("skip", "limit"), [(-1, 1), (0, -1)])
    async def test_negative_numbers_are_a_bad_request(self, build: Builders, skip: int, limit: int):
        """Neither can be negative."""
        async with build.as_(await build.an_actor()) as uow:
            with pytest.raises(BadRequest, match="negative"):
                await uow.tasks.slice(skip=skip, limit=limit)


class TestFilter:
    async def test_lists_are_or_and_fields_are_and(self, build: Builders):
        """An empty list matches nothing."""
        actor = await build.an_actor()
        for status in (TaskStatus.TODO, TaskStatus.DONE):
            for priority in (TaskPriority.LOW, TaskPriority.URGENT):
                await build.a_task(actor, title=f"{status.name} {priority.name}", status=status, priority=priority)

        both = (TaskStatus.TODO, TaskStatus.DONE)
        low = (TaskPriority.LOW,)
        assert await found(build, actor, TaskFilter(status=both, priority=low)) == ["TODO LOW", "DONE LOW"]
        assert await found(build, actor, TaskFilter(status=(TaskStatus.CANCELLED,))) == []
        assert await found(build, actor, TaskFilter(status=())) == []

    async def test_owner_and_assignee_filters(self, build: Builders):
        """A filter never makes hidden tasks visible."""
        actor, other = await build.an_actor(), await build.an_actor()
        await build.a_task(actor, title="mine for them", assignee_id=other.user_id)
        await build.a_task(other, title="theirs for me", assignee_id=actor.user_id)
        await build.a_task(other, title="theirs")

        assert await found(build, actor, TaskFilter(owner_id=other.user_id)) == ["theirs for me"]
        assert await found(build, actor, TaskFilter(assignee_id=other.user_id)) == ["mine for them"]
        assert await found(build, actor, TaskFilter(owner_id=uuid4())) == []

    @pytest.mark.parametrize("order", IN_ALL_PROJECTS)
    async def test_due_from_and_to_before(self, build: Builders, order: TaskOrder):
        """The beginning belongs to the span, the end does not, and what is never due is in none, in every order."""
        actor = await build.an_actor()
        for hour in range(3):
            await build.a_task(actor, title=str(hour), due_at=NOON + timedelta(hours=hour))
        await build.a_task(actor, title="never")

        spans = {
            (NOON, None): {"0", "1", "2"},
            (None, NOON + timedelta(hours=2)): {"0", "1"},
            (NOON + timedelta(hours=1), NOON + timedelta(hours=2)): {"1"},
            (NOON, NOON): set(),
            (EARLIEST, FARTHEST): {"0", "1", "2"},
        }
        for (after, before), titles in spans.items():
            wanted = TaskFilter(due_after=after, due_before=before)
            async with build.as_(actor) as uow:
                page = await task_page(uow, PageRequest(10), wanted=wanted, order=order)
                assert {row.title for row in page.rows} == titles
                assert await uow.tasks.count(wanted) == len(titles)

    async def test_search_takes_every_character_as_it_is(self, build: Builders):
        """Title and description are searched, ignoring case, and no character stands for another one."""
        actor = await build.an_actor()
        for title, description in (("100% wool", ""), ("snake_case", ""), (r"C:\temp", ""), ("Boat", "Paint the HULL")):
            await build.a_task(actor, title=title, description=description)

        assert await found(build, actor, TaskFilter(search="0%x")) == []
        assert await found(build, actor, TaskFilter(search="00%")) == ["100% wool"]
        assert await found(build, actor, TaskFilter(search="___")) == []
        assert await found(build, actor, TaskFilter(search="E_C")) == ["snake_case"]
        assert await found(build, actor, TaskFilter(search=r":\t")) == [r"C:\temp"]
        assert await found(build, actor, TaskFilter(search=" hull ")) == ["Boat"]
        assert await found(build, actor, TaskFilter(search="'; --")) == []

    @pytest.mark.parametrize(
        "wanted",
        [
            TaskFilter(search="ab"),
            TaskFilter(search="abc\x00"),
            TaskFilter(search="x" * 201),
            TaskFilter(due_after=datetime(2026, 1, 1)),  # noqa: DTZ001
            TaskFilter(due_before=datetime(2026, 1, 1)),  # noqa: DTZ001
        ],
    )
    async def test_invalid_filters_are_bad_requests(self, build: Builders, wanted: TaskFilter):
        """Too short or too long texts, NUL, and times without an offset, for a page and for a count."""
        async with build.as_(await build.an_actor()) as uow:
            with pytest.raises(BadRequest):
                await task_page(uow, PageRequest(1), wanted=wanted, order=TaskOrder.CREATED_ASC)
            with pytest.raises(BadRequest):
                await uow.tasks.count(wanted)
