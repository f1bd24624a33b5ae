"""Changes of a task that another process has moved: they succeed at once, with an idempotency key and without."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from domain.errors import NotFound, Unavailable
from domain.events import TaskChange, TaskEvent
from domain.idempotency import IdempotencyKey
from domain.project import ProjectRole
from domain.task import TaskStatus
from persistence.models import ProjectRow, UserRow, VisibleTaskRow
from persistence.models.base import new_id
from persistence.repositories.task import TaskPlace, TaskRepository
from persistence.unit_of_work import MAX_TRIES, OtherRows, UnitOfWork, repeated_for_other_rows
from services.comment import create_comment, delete_comment, update_comment
from services.subtask import set_parent
from services.task import delete_task, update_task
from services.task_creation import create_task
from services.task_edit import TaskEdit
from services.task_move import Move, move_task
from tests.services.support import stored
from tests.support.builders import Builders

Change = Callable[[UnitOfWork, UUID, UUID], Awaitable[object]]
"""Makes a change of a task; the last argument is the id of a comment on it."""

CHANGES: dict[str, Change] = {
    "updateTask": lambda uow, task, _: update_task(uow, task_id=task, edit=TaskEdit(status=TaskStatus.DONE)),
    "deleteTask": lambda uow, task, _: delete_task(uow, task_id=task),
    "setTaskParent": lambda uow, task, _: set_parent(uow, task_id=task, parent_id=None),
    "moveTask": lambda uow, task, _: move_task(uow, task_id=task, move=Move(status=TaskStatus.DONE)),
    "createComment": lambda uow, task, _: create_comment(uow, task_id=task, text="Another"),
    "updateComment": lambda uow, _, comment: update_comment(uow, comment_id=comment, text="Changed"),
    "deleteComment": lambda uow, _, comment: delete_comment(uow, comment_id=comment),
}


async def team(build: Builders) -> tuple[UserRow, ProjectRow]:
    """A project and its manager."""
    manager = await build.a_user()
    return manager, await build.a_project((manager, ProjectRole.MANAGER))


def forget(build: Builders, *tasks: VisibleTaskRow, place: TaskPlace) -> None:
    """Let this process take the tasks for tasks of this place, as if another process had moved them from there."""
    for task in tasks:
        build.as_(None).tasks.note_place(task.id, place)


@pytest.mark.parametrize("has_key", [True, False], ids=["with a key", "without a key"])
@pytest.mark.parametrize("name", CHANGES)
async def test_the_change_is_made_once(build: Builders, name: str, has_key: bool):
    """The task was in another project, or had another parent, when this process saw it last."""
    manager, project = await team(build)
    _, other = await team(build)
    parent = await create_task(build.as_(manager), title="Parent", project_id=project.id)
    for place in (TaskPlace(), TaskPlace(other.id, None), TaskPlace(project.id, None), TaskPlace(project.id, new_id())):
        task = await create_task(build.as_(manager), title="Moved", parent_id=parent.id)
        comment = (await create_comment(build.as_(manager), task_id=task.id, text="A comment")).comment
        forget(build, task, place=place)
        before = len(await build.recorded_events())
        key = IdempotencyKey(f"{name} {place}") if has_key else None

        await CHANGES[name](build.as_(manager, key=key), task.id, comment.id)

        assert len(await build.recorded_events()) == before + 1
        if key is not None:
            await CHANGES[name](build.as_(manager, key=key), task.id, comment.id)
            assert len(await build.recorded_events()) == before + 1


@pytest.mark.parametrize("has_key", [True, False], ids=["with a key", "without a key"])
async def test_subtasks_that_come_during_a_deletion(build: Builders, monkeypatch: pytest.MonkeyPatch, has_key: bool):
    """They are deleted, too."""
    manager, project = await team(build)
    parent = await create_task(build.as_(manager), title="Parent", project_id=project.id)
    subtask = await create_task(build.as_(manager), title="Subtask", parent_id=parent.id)
    right, asked = TaskRepository.subtasks_of, 0

    async def late(self: TaskRepository, task_id: UUID) -> list[UUID]:
        nonlocal asked
        asked += 1
        return [] if asked == 1 and has_key else list(await right(self, task_id))

    monkeypatch.setattr(TaskRepository, "subtasks_of", late)
    await delete_task(build.as_(manager, key=IdempotencyKey("x") if has_key else None), task_id=parent.id)

    assert await build.task(subtask.id) is None
    assert asked == (2 if has_key else 1)


class TestNewSubtasks:
    async def test_the_parent_is_moved_meanwhile(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """The subtask comes to the project where its parent is."""
        manager, project = await team(build)
        target = await build.a_project((manager, ProjectRole.MANAGER))
        parent = await create_task(build.as_(manager), title="Parent", project_id=project.id)
        right = TaskRepository.get
        is_moved = False

        async def moved(self: TaskRepository, task_id: UUID, **named: tuple[str, ...]) -> VisibleTaskRow:
            nonlocal is_moved
            found = await right(self, task_id, **named)
            if task_id == parent.id and not is_moved:
                is_moved = True
                await move_task(build.as_(manager), task_id=parent.id, move=Move(project_id=target.id))
            return found

        monkeypatch.setattr(TaskRepository, "get", moved)
        made = await create_task(build.as_(manager, key=IdempotencyKey("x")), title="Subtask", parent_id=parent.id)

        assert (made.project_id, made.parent_id, made.number) == (target.id, parent.id, 2)
        assert (await stored(build, parent)).subtask_count == 1
        created = [
            each
            for each in await build.recorded_events()
            if isinstance(each, TaskEvent) and each.changes == (TaskChange.CREATED,)
        ]
        assert len(created) == 2

    async def test_the_id_was_chosen_and_the_parent_is_deleted(self, build: Builders):
        """A repetition says that the task is not there any more, and not that there is no such parent."""
        manager, project = await team(build)
        parent = await create_task(build.as_(manager), title="Parent", project_id=project.id)
        chosen = new_id()
        await create_task(build.as_(manager), title="Subtask", parent_id=parent.id, task_id=chosen)
        await delete_task(build.as_(manager), task_id=parent.id)

        with pytest.raises(NotFound) as refused:
            await create_task(build.as_(manager), title="Subtask", parent_id=parent.id, task_id=chosen)
        assert refused.value.path != ("parentId",)


async def test_it_ends():
    """Rows that are moved at every attempt are reported as such."""
    calls = 0

    @repeated_for_other_rows
    async def service() -> None:
        nonlocal calls
        calls += 1
        raise OtherRows

    with pytest.raises(Unavailable, match="try again"):
        await service()
    assert calls == MAX_TRIES
