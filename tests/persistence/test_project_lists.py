"""Lists of personal tasks and of tasks of projects have the tasks that a model in Python has, page by page."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.project import ProjectRole
from domain.rank import whole
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from persistence.database import Database
from persistence.models import TaskRow
from persistence.models.base import new_id
from persistence.pagination import PageCursor, PageRequest, Part
from persistence.queries.task_list import KEYS, TaskFilter, TaskOrder
from services.label import delete_label
from tests.persistence.expected_pages import Expected, Wanted, expected, some_pages
from tests.persistence.large_dataset import LargeDataset
from tests.support.amount import cases
from tests.support.builders import Builders
from tests.support.reads import task_page
from tests.support.transactions import orm_session

NOON: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
FARTHEST: Final = datetime.max.replace(tzinfo=UTC)
EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
ALL: Final = frozenset(Part) - {Part.HEAD}
TASKS: Final = 1500
LISTS: Final = 80
WORDS: Final = ("boat", "Hull", "oakum", "100%", "Straße", "sail_cloth")


@dataclass
class World:
    """Users, projects, and tasks. Project 0 has most of the tasks; user 0 is in all projects except project 3."""

    build: Builders
    users: list[Actor]
    projects: list[UUID]
    labels: dict[UUID, list[UUID]]
    tasks: list[TaskRow]

    def sees(self, actor: Actor, task: TaskRow) -> bool:
        """Whether the actor may read the task."""
        if actor.role is Role.MODERATOR:
            return True
        if task.project_id is not None:
            return actor == self.users[0] and task.project_id != self.projects[3]
        return actor.user_id in (task.owner_id, task.assignee_id)


@pytest.fixture(scope="module")
async def world(new_database: Callable[[], str]) -> AsyncIterator[World]:
    """The world; no test changes these rows."""
    database = Database(new_database(), pool_size=2)
    build, chance = Builders(database), random.Random(5)
    users = [await build.an_actor() for _ in range(3)] + [await build.an_actor(Role.MODERATOR)]
    roles = (ProjectRole.MANAGER, ProjectRole.VIEWER, ProjectRole.MEMBER)
    projects = [await build.a_project((users[0], role)) for role in roles] + [await build.a_project()]
    labels = {
        each.id: [(await build.a_label(each, name)).id for name in ("often", "seldom", "never")] for each in projects
    }
    ids = [each.id for each in projects]
    tasks = [a_task(number, chance, users, ids, labels) for number in range(TASKS)]
    async with orm_session(database) as session:
        session.add_all(tasks)
        await session.commit()
    yield World(build, users, ids, labels, tasks)
    await database.close()


def a_task(
    number: int, chance: random.Random, users: Sequence[Actor], projects: Sequence[UUID], labels: dict[UUID, list[UUID]]
) -> TaskRow:
    """A task; several were created at the same time."""
    project_id = chance.choice((None, projects[0], projects[0], *projects))
    often, seldom, _ = labels.get(project_id, (None, None, None)) if project_id is not None else (None, None, None)
    marked = [each for each, share in ((often, 0.3), (seldom, 0.01)) if each is not None and chance.random() < share]
    words = " ".join(chance.choices(WORDS, k=3))
    return TaskRow(
        id=new_id(),
        title=words,
        description=chance.choice(("", f"About {chance.choice(WORDS)} {number}")),
        status=chance.choice(list(TaskStatus)),
        priority=chance.choice(list(TaskPriority)),
        due_at=chance.choice((None, NOON + timedelta(days=chance.randrange(9)))),
        owner_id=chance.choice(users).user_id,
        assignee_id=chance.choice((None, *(user.user_id for user in users))),
        version=1,
        created_at=NOON + timedelta(minutes=number // 3),
        updated_at=NOON + timedelta(minutes=chance.randrange(TASKS)),
        project_id=project_id,
        number=number + 1 if project_id is not None else None,
        rank=whole(chance.randrange(TASKS)) if project_id is not None else None,
        label_ids=sorted(marked),
        comment_count=0,
        subtask_count=0,
        done_subtask_count=0,
    )


def a_filter(world: World, chance: random.Random) -> TaskFilter:
    """Some conditions."""
    project_id = chance.choice((None, None, *world.projects[:1], *world.projects[:1], *world.projects))
    labels = world.labels[project_id or chance.choice(world.projects)]
    people = [*[None] * 8, *(user.user_id for user in world.users[:3])]
    return TaskFilter(
        status=chance.choice((None, None, None, None, (TaskStatus.TODO,), (TaskStatus.DONE, TaskStatus.CANCELLED))),
        priority=chance.choice((None, None, None, None, None, (TaskPriority.HIGH,))),
        owner_id=chance.choice(people),
        assignee_id=chance.choice(people),
        due_after=chance.choice((None, None, None, None, None, NOON + timedelta(days=2))),
        due_before=chance.choice((None, None, None, None, None, NOON + timedelta(days=6))),
        search=chance.choice((*[None] * 6, "boat", "hull o", "0% b", "l_c", "STRASSE", "straße", "submarine")),
        project_id=project_id,
        label_ids=chance.choice((None, None, tuple(labels[:1]), tuple(labels[1:2]), tuple(labels[2:]), tuple(labels))),
    )


def matches(task: TaskRow, wanted: TaskFilter) -> bool:
    """Whether a task fits a filter."""
    text = wanted.search
    texts = (task.title.lower(), task.description.lower())
    return (
        (wanted.status is None or task.status in wanted.status)
        and (wanted.priority is None or task.priority in wanted.priority)
        and (wanted.owner_id is None or task.owner_id == wanted.owner_id)
        and (wanted.assignee_id is None or task.assignee_id == wanted.assignee_id)
        and (wanted.due_after is None or (task.due_at is not None and task.due_at >= wanted.due_after))
        and (wanted.due_before is None or (task.due_at is not None and task.due_at < wanted.due_before))
        and (text is None or any(text.lower() in each for each in texts))
        and (wanted.project_id is None or task.project_id == wanted.project_id)
        and (wanted.label_ids is None or not set(wanted.label_ids).isdisjoint(task.label_ids))
    )


def place_in(order: TaskOrder, task: TaskRow) -> tuple[Any, int]:
    """The documented place of a task in an order."""
    none = FARTHEST if order is TaskOrder.DUE_ASC else EARLIEST
    value = {
        "CREATED": task.created_at,
        "UPDATED": task.updated_at,
        "PRIORITY": task.priority,
        "DUE": task.due_at or none,
        "RANK": task.rank,
    }[order.value.split("_")[0]]
    return value, task.id.int


def cursor_of(order: TaskOrder, task: TaskRow) -> PageCursor:
    """The cursor of a task."""
    key = KEYS[order]
    return PageCursor.decode(key.cursor_of(order)(key.of(task), task.id))


@pytest.mark.parametrize("part", range(5))
async def test_pages_of_random_lists(world: World, part: int):
    """For a member of some projects, a member of none, and a moderator, with all filters and orders."""
    chance = random.Random(part)
    found_some = 0
    for _ in range(cases(LISTS) // 5):
        actor = chance.choice((world.users[0], world.users[0], world.users[1], world.users[3]))
        wanted = a_filter(world, chance)
        order = chance.choice([each for each in TaskOrder if each is not TaskOrder.RANK or wanted.project_id])
        found_some += await check_list(world, chance, actor, wanted, order)
    assert found_some or cases(LISTS) < LISTS


async def check_list(world: World, chance: random.Random, actor: Actor, wanted: TaskFilter, order: TaskOrder) -> bool:
    """Compare some pages of a list; returns whether it has tasks."""
    listed = [task for task in world.tasks if world.sees(actor, task) and matches(task, wanted)]
    listed.sort(key=lambda task: place_in(order, task), reverse=order.descending)
    ids = [task.id for task in listed]
    chosen = sorted(chance.sample(range(len(ids)), min(len(ids), 9)))
    places = [ids[index] for index in chosen]
    async with world.build.as_(actor) as uow:
        assert await uow.tasks.count(wanted) == len(ids), (actor.role, wanted)
        for each in some_pages(places, chance, many=min(5, 6 * (len(places) + 1) ** 2)):
            after = None if each.after is None else chosen[each.after]
            before = None if each.before is None else chosen[each.before]
            page_wanted = Wanted(each.size * 4, after, before, each.backward)
            request = PageRequest(
                page_wanted.size,
                None if after is None else cursor_of(order, listed[after]),
                None if before is None else cursor_of(order, listed[before]),
                each.backward,
                ALL,
            )
            page = await task_page(uow, request, wanted=wanted, order=order)
            found = Expected([row.id for row in page.rows], page.has_previous, page.has_next)
            assert found == expected(ids, set(ids), page_wanted), (actor.role, wanted, order, page_wanted)
            assert page.facts["total"] == len(ids)
    return bool(ids)


@pytest.mark.parametrize("is_in_project", [True, False])
async def test_a_deleted_label_is_no_filter(build: Builders, is_in_project: bool):
    """Tasks may still have its id, and do not match."""
    owner = await build.an_actor()
    project = await build.a_project((owner, ProjectRole.MANAGER))
    label = await build.a_label(project, "Gone")
    await build.a_task(owner, project_id=project.id, label_ids=[label.id])
    wanted = TaskFilter(label_ids=(label.id,), project_id=project.id if is_in_project else None)

    async def found() -> int:
        async with build.as_(owner) as uow:
            page = await task_page(uow, PageRequest(20), wanted=wanted)
            assert await uow.tasks.count(wanted) == len(page.rows)
            return len(page.rows)

    assert await found() == 1
    await delete_label(build.as_(owner), label_id=label.id)
    assert await found() == 0


async def test_a_search_in_a_small_database_uses_the_index(world: World):
    """Calculating the keys of each row would take seconds. The tables have no statistics yet."""
    wanted = TaskFilter(project_id=world.projects[0], search="boat")
    dataset = LargeDataset(world.build.database)
    for ask in (lambda uow: task_page(uow, PageRequest(20), wanted=wanted), lambda uow: uow.tasks.count(wanted)):
        plan = await dataset.plan(world.users[0], ask)
        assert "ix_task_texts_search_keys" in plan.indexes
        assert not plan.reads_all_of("task_texts")
