"""Changes of a task: status, assignee, deletion."""

import pytest

from domain.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound, Refusal
from domain.events import People, TaskChange, TaskEvent
from domain.task import TaskStatus
from domain.user import Role
from services.task import assign_task, delete_task, update_task_status
from tests.services.support import the_event
from tests.support.builders import Builders


class TestUpdateTaskStatus:
    async def test_a_status_change_has_both_statuses(self, build: Builders):
        """The task has a new version, and the event both statuses."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        moved = await update_task_status(
            build.as_(actor), task_id=task.id, status=TaskStatus.IN_PROGRESS, expected_version=1
        )

        event = await the_event(build)
        assert (moved.status, moved.version) == (TaskStatus.IN_PROGRESS, 2)
        assert (event.changed_status, event.from_status, event.to_status) == (True, TaskStatus.TODO, moved.status)

    async def test_staying_put_changes_nothing(self, build: Builders):
        """A retried request is harmless."""
        actor = await build.an_actor()
        task = await build.a_task(actor, status=TaskStatus.CANCELLED)
        async with build.unchanged():
            await update_task_status(build.as_(actor), task_id=task.id, status=TaskStatus.CANCELLED)

    @pytest.mark.parametrize(
        ("role", "expected", "refusal"),
        [
            (Role.USER, None, NotFound),
            (Role.MODERATOR, None, Forbidden),
            (Role.ADMIN, None, InvalidTransition),
            (Role.ADMIN, 7, Conflict),
        ],
    )
    async def test_refusals_of_a_deletion(
        self, build: Builders, role: Role, expected: int | None, refusal: type[Refusal]
    ):
        """An unrelated user, a reader, a forbidden change, an old version: nothing changes."""
        task, actor = await build.a_task(status=TaskStatus.CANCELLED), await build.an_actor(role)
        async with build.unchanged():
            with pytest.raises(refusal):
                await update_task_status(
                    build.as_(actor), task_id=task.id, status=TaskStatus.DONE, expected_version=expected
                )


class TestAssignTask:
    async def test_a_task_is_assigned_and_unassigned(self, build: Builders):
        """The event has the people before and after; the owner stays."""
        actor, friend = await build.an_actor(), await build.a_user()
        task = await build.a_task(actor)
        await assign_task(build.as_(actor), task_id=task.id, assignee_id=friend.id)
        row = await assign_task(build.as_(actor), task_id=task.id, assignee_id=None, expected_version=2)

        given, taken = await build.recorded_events()
        without_assignee, with_assignee = People(actor.user_id, None), People(actor.user_id, friend.id)
        assert isinstance(given, TaskEvent)
        assert isinstance(taken, TaskEvent)
        assert (given.before, given.after, given.changes) == (without_assignee, with_assignee, (TaskChange.ASSIGNEE,))
        assert (taken.before, taken.after, taken.from_status) == (with_assignee, without_assignee, taken.to_status)
        assert (row.owner_id, row.assignee_id, row.version) == (actor.user_id, None, 3)

    async def test_refusals_of_a_deletion(self, build: Builders):
        """An unrelated user, the assignee, an old version, a disabled user: nothing changes."""
        owner, assigned = await build.an_actor(), await build.an_actor()
        gone = await build.a_user(is_active=False)
        task = await build.a_task(owner, assignee_id=assigned.user_id)
        outsider = await build.an_actor()
        for actor, assignee_id, expected, refusal in (
            (outsider, None, None, NotFound),
            (assigned, None, None, Forbidden),
            (owner, None, 9, Conflict),
            (owner, gone.id, None, Invalid),
        ):
            async with build.unchanged():
                with pytest.raises(refusal):
                    await assign_task(
                        build.as_(actor), task_id=task.id, assignee_id=assignee_id, expected_version=expected
                    )


class TestDeleteTask:
    @pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
    async def test_a_deletion_is_recorded(self, build: Builders, role: Role):
        """A moderator may delete any task; the event has the people before, and none after."""
        owner, assignee, actor = await build.a_user(), await build.a_user(), await build.an_actor(role)
        task = await build.a_task(owner, assignee_id=assignee.id, status=TaskStatus.DONE)
        assert await delete_task(build.as_(actor), task_id=task.id, expected_version=1) == task.id

        event = await the_event(build)
        assert await build.task(task.id) is None
        assert (event.changes, event.version, event.deleted) == ((TaskChange.DELETED,), 2, True)
        assert (event.before, event.after) == (People(owner.id, assignee.id), None)
        assert (event.from_status, event.to_status, event.title) == (TaskStatus.DONE, TaskStatus.DONE, task.title)
        assert event.actor_id == actor.user_id

    async def test_refusals_of_a_deletion(self, build: Builders):
        """An unrelated user, the assignee and an old version: the task stays."""
        owner, assigned, outsider = [await build.an_actor() for _ in range(3)]
        task = await build.a_task(owner, assignee_id=assigned.user_id)
        for actor, expected, refusal in ((outsider, None, NotFound), (assigned, None, Forbidden), (owner, 2, Conflict)):
            async with build.unchanged():
                with pytest.raises(refusal):
                    await delete_task(build.as_(actor), task_id=task.id, expected_version=expected)

    async def test_twice_is_not_found(self, build: Builders):
        """What is gone cannot be deleted again."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        await delete_task(build.as_(actor), task_id=task.id)
        async with build.unchanged():
            with pytest.raises(NotFound):
                await delete_task(build.as_(actor), task_id=task.id)
