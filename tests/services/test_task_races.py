"""Moves, comments, deletions and exports of a project's tasks at the same time."""

import asyncio
import random
from uuid import UUID

from domain.errors import Conflict, Forbidden, NotFound
from domain.project import ProjectRole
from domain.task import TaskStatus
from persistence.models import MembershipRow, ProjectRow, membership_id
from persistence.models.base import new_id
from persistence.models.rows import new_row
from persistence.pagination import PageRequest
from persistence.queries.task_list import EVERYTHING, TaskFilter, TaskOrder
from services.comment import create_comment, delete_comment
from services.import_export import snapshot_of_tasks
from services.membership import remove_member
from services.project import list_projects
from services.task import count_tasks, delete_task
from services.trash import restore_task
from tests.services.support import stored
from tests.services.test_task_move import Board, move
from tests.support.builders import Builders
from tests.support.reads import task_page

CLIENTS, DRAGS = 12, 12
MANY_PROJECTS = 1_000


async def test_many_drags_into_one_gap(build: Builders):
    """Each client places its task behind the first one, again and again: one order, and no two ranks are equal."""
    titles = "abcdefghijklm"
    board = await Board.made(build, titles)

    async def drag(title: str) -> None:
        for _ in range(DRAGS):
            await board.move(title, after="a")

    await asyncio.gather(*(drag(title) for title in titles[1 : CLIENTS + 1]))
    order = await board.order()
    rows = [await stored(build, task) for task in board.tasks.values()]
    assert (order[0], sorted(order)) == ("a", list(titles))
    assert len({row.rank for row in rows}) == len(rows)
    assert "".join(row.title for row in sorted(rows, key=lambda row: row.rank or "")) == order


async def test_a_member_who_is_removed_while_they_drag_and_comment(build: Builders):
    """Each request is done, or refused as for one who is not a member; nothing of it is half done."""
    board = await Board.made(build, "abcdef")
    events = len(await build.recorded_events())
    outcomes = await asyncio.gather(
        *(board.move(title, before="a", status=TaskStatus.DONE) for title in "bcd"),
        *(create_comment(build.as_(board.member), task_id=board.tasks[title].id, text="Mine") for title in "ae"),
        remove_member(build.as_(board.manager), project_id=board.project.id, user_id=board.member.id),
        *(board.move(title, before="a", status=TaskStatus.DONE) for title in "ef"),
        *(create_comment(build.as_(board.member), task_id=board.tasks[title].id, text="Mine") for title in "bf"),
        return_exceptions=True,
    )
    refused = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, NotFound) for each in refused)
    assert len(await build.recorded_events()) - events == len(outcomes) - len(refused)
    done = [row for row in [await stored(build, task) for task in board.tasks.values()] if row.version > 1]
    assert all(row.status is TaskStatus.DONE for row in done)


async def test_a_comment_whose_task_is_gone(build: Builders):
    """Its task is in the trash, or in a project that its author does not see: it is not found, and nothing changes."""
    board, other = await Board.made(build, "ab"), await Board.made(build)
    await build.a_member(other.project, board.manager)
    written = [
        await create_comment(build.as_(board.member), task_id=board.tasks[title].id, text="Mine") for title in "ab"
    ]
    await delete_task(build.as_(board.manager), task_id=board.tasks["a"].id)
    await move(build, board.manager, board.tasks["b"], project_id=other.project.id)
    async with build.unchanged():
        for comment, task in written:
            for refused in (
                create_comment(build.as_(board.member), task_id=task.id, text="More"),
                delete_comment(build.as_(board.member), comment_id=comment.id),
            ):
                outcome = (await asyncio.gather(refused, return_exceptions=True))[0]
                assert isinstance(outcome, NotFound)
    restored = await restore_task(build.as_(board.manager), task_id=board.tasks["a"].id)
    assert restored.comment_count == 1


async def test_deleting_restoring_and_commenting_at_the_same_time(build: Builders):
    """In the end the number of comments is right, and the versions have no gaps."""
    board = await Board.made(build, "a")
    task = board.tasks["a"]

    async def to_and_fro() -> None:
        for _ in range(4):
            await delete_task(build.as_(board.manager), task_id=task.id)
            await restore_task(build.as_(board.manager), task_id=task.id)

    async def comment() -> bool:
        try:
            await create_comment(build.as_(board.member), task_id=task.id, text="A comment")
        except NotFound:
            return False
        return True

    written, _ = await asyncio.gather(asyncio.gather(*(comment() for _ in range(20))), to_and_fro())
    after = await stored(build, task)
    assert (after.version, after.comment_count) == (9, sum(written))
    versions = [getattr(each, "version", 0) for each in await build.recorded_events(of=task.id)]
    assert [each for each in versions if each > 1] == list(range(2, 10))


async def test_two_restorations_at_the_same_time(build: Builders):
    """One of them restores the task."""
    board = await Board.made(build, "a")
    await delete_task(build.as_(board.manager), task_id=board.tasks["a"].id)
    outcomes = await asyncio.gather(
        *(restore_task(build.as_(board.manager), task_id=board.tasks["a"].id) for _ in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, NotFound) for each in outcomes) == 2
    assert (await stored(build, board.tasks["a"])).version == 3


async def test_an_export_during_all_of_this(build: Builders):
    """It has each task once, as it was at one moment."""
    here, there = await Board.made(build), await Board.made(build)
    await build.a_member(there.project, here.member)
    tasks = [await here.add(f"Task {number}") for number in range(12)]
    chance = random.Random(3)
    ended = asyncio.Event()

    async def change() -> None:
        while not ended.is_set():
            task = chance.choice(tasks)
            target = chance.choice((here, there)).project.id
            try:
                await move(build, here.member, task, project_id=target)
            except (Conflict, Forbidden, NotFound):
                continue

    changing = [asyncio.create_task(change()) for _ in range(3)]
    try:
        for _ in range(10):
            async with snapshot_of_tasks(build.as_(here.member)) as snapshot:
                exported = [each.task.id async for page in snapshot.pages() for each in page]
            assert sorted(exported) == sorted(task.id for task in tasks)
    finally:
        ended.set()
        await asyncio.gather(*changing)


async def test_a_user_with_a_thousand_projects(build: Builders):
    """Lists, pages and counts work."""
    user = await build.a_user()
    numbers = range(MANY_PROJECTS)
    now = build.as_(user).now
    async with build.database.unit_of_work(None) as uow:
        ids: list[UUID] = [new_id() for _ in numbers]
        for number, project_id in zip(numbers, ids, strict=True):
            uow.write_set.insert(
                new_row(
                    ProjectRow,
                    id=project_id,
                    key=f"K{number}",
                    name="A project",
                    description="",
                    is_archived=False,
                    version=1,
                    created_at=now,
                    updated_at=now,
                )
            )
            uow.write_set.insert(
                new_row(
                    MembershipRow,
                    id=membership_id(project_id, user.id),
                    project_id=project_id,
                    user_id=user.id,
                    role=ProjectRole.MEMBER,
                    created_at=now,
                )
            )
        await uow.commit()
    newest = [await build.a_task(user, project_id=project_id) for project_id in ids[::100]]
    assert len(await list_projects(build.as_(user))) == MANY_PROJECTS
    assert await count_tasks(build.as_(user)) == len(newest)
    async with build.as_(user) as uow:
        for wanted in (EVERYTHING, TaskFilter(assignee_id=user.id), TaskFilter(search="Task")):
            page = await task_page(uow, PageRequest(5), wanted=wanted, order=TaskOrder.CREATED_DESC)
            expected = [] if wanted.assignee_id is not None else [task.id for task in reversed(newest)][:5]
            assert [row.id for row in page.rows] == expected
