"""Creating and changing tasks: the change and its event; a refusal has neither."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from domain.actor import OPERATOR, Actor
from domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    InvalidTransition,
    NotFound,
    Refusal,
    Unauthenticated,
)
from domain.events import People, TaskChange, TaskEvent
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from services.task import update_task, update_task_status
from services.task_creation import create_task
from services.task_edit import TaskEdit
from tests.services.support import stored, the_event
from tests.support.builders import Builders

DUE = datetime(2026, 12, 24, 18, tzinfo=UTC)


class TestCreateTask:
    async def test_a_new_task_belongs_to_the_actor(self, build: Builders):
        """It is TODO, at version 1, and one event has its people."""
        actor, friend = await build.an_actor(), await build.a_user()
        uow = build.as_(actor)
        task = await create_task(
            uow,
            title=" Mend the boat ",
            description="Both sides",
            priority=TaskPriority.HIGH,
            due_at=DUE,
            assignee_id=friend.id,
        )

        row = await stored(build, task)
        assert (row.title, row.description, row.priority, row.due_at) == ("Mend the boat", "Both sides", 3, DUE)
        assert (row.status, row.version, row.owner_id, row.assignee_id) == ("TODO", 1, actor.user_id, friend.id)
        assert row.created_at == row.updated_at == uow.now
        assert await the_event(build) == TaskEvent(
            task_id=task.id,
            version=1,
            changes=(TaskChange.CREATED,),
            from_status=None,
            to_status=TaskStatus.TODO,
            title="Mend the boat",
            before=None,
            after=People(actor.user_id, friend.id),
            actor_id=actor.user_id,
            at=uow.now,
            request_id="test",
        )

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"title": " "}, "title"),
            ({"title": "x" * 201}, "title"),
            ({"title": "a\x00"}, "title"),
            ({"description": "x" * 10_001}, "description"),
            ({"description": "\ud800"}, "description"),
            ({"due_at": datetime(2026, 1, 1)}, "dueAt"),  # noqa: DTZ001
            ({"due_at": datetime.max.replace(tzinfo=UTC)}, "dueAt"),
            ({"assignee_id": uuid4()}, "assigneeId"),
        ],
    )
    async def test_a_value_that_breaks_a_rule_is_refused(self, build: Builders, values: dict[str, Any], field: str):
        """The refusal names the field; there is no task and no event."""
        actor = await build.an_actor()
        async with build.unchanged():
            with pytest.raises(Invalid) as refusal:
                await create_task(build.as_(actor), **({"title": "Task"} | values))
        assert refusal.value.path == (field,)

    async def test_a_disabled_user_cannot_be_assigned(self, build: Builders):
        """Only active users can."""
        actor, gone = await build.an_actor(), await build.a_user(is_active=False)
        async with build.unchanged():
            with pytest.raises(Invalid):
                await create_task(build.as_(actor), title="Task", assignee_id=gone.id)

    @pytest.mark.parametrize(("actor", "refusal"), [(None, Unauthenticated), (OPERATOR, Forbidden)])
    async def test_a_task_needs_an_owner(self, build: Builders, actor: Actor | None, refusal: type[DomainError]):
        """An actor without a user cannot create one."""
        async with build.unchanged():
            with pytest.raises(refusal):
                await create_task(build.as_(actor), title="Task")


class TestUpdateTask:
    @pytest.mark.parametrize(
        ("field", "value", "change"),
        [
            ("title", "Other", TaskChange.TITLE),
            ("description", "Other", TaskChange.DESCRIPTION),
            ("status", TaskStatus.DONE, TaskChange.STATUS),
            ("priority", TaskPriority.URGENT, TaskChange.PRIORITY),
            ("due_at", DUE, TaskChange.DUE_AT),
        ],
    )
    async def test_each_field_is_one_change(self, build: Builders, field: str, value: Any, change: TaskChange):
        """One version and one event with its name and the people before and after."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        uow = build.as_(actor)
        await update_task(uow, task_id=task.id, edit=TaskEdit(**{field: value}))

        row, event, people = await stored(build, task), await the_event(build), People(actor.user_id, None)
        assert getattr(row, field) == value
        assert (row.version, row.updated_at, row.created_at) == (2, uow.now, task.created_at)
        assert (event.changes, event.version, event.at) == ((change,), 2, uow.now)
        assert (event.from_status, event.to_status, event.title) == (TaskStatus.TODO, row.status, row.title)
        assert (event.before, event.after, event.actor_id) == (people, people, actor.user_id)

    async def test_several_fields_are_one_version_and_one_event(self, build: Builders):
        """The event names each changed field."""
        actor, friend = await build.an_actor(), await build.a_user()
        task = await build.a_task(actor)
        edit = TaskEdit(
            title="Other",
            description=task.description,
            status=TaskStatus.IN_PROGRESS,
            priority=TaskPriority.LOW,
            due_at=DUE,
            assignee_id=friend.id,
        )
        await update_task(build.as_(actor), task_id=task.id, edit=edit, expected_version=1)

        event = await the_event(build)
        assert (await stored(build, task)).version == event.version == 2
        assert set(event.changes) == {
            TaskChange.TITLE,
            TaskChange.STATUS,
            TaskChange.PRIORITY,
            TaskChange.DUE_AT,
            TaskChange.ASSIGNEE,
        }
        assert event.before == People(actor.user_id, None)
        assert event.after == People(actor.user_id, friend.id)
        assert event.title == "Other"

    async def test_equal_values_change_nothing(self, build: Builders):
        """No version and no event, also for equivalent spellings."""
        actor, friend = await build.an_actor(), await build.a_user()
        task = await build.a_task(actor, due_at=DUE, assignee_id=friend.id)
        edit = TaskEdit(
            title=f" {task.title} ",
            description=task.description,
            status=task.status,
            priority=task.priority,
            due_at=DUE.astimezone(),
            assignee_id=friend.id,
        )
        async with build.unchanged():
            assert (await update_task(build.as_(actor), task_id=task.id, edit=edit)).version == 1
            assert (await update_task(build.as_(actor), task_id=task.id, edit=TaskEdit())).version == 1

    async def test_null_clears_and_omitted_stays(self, build: Builders):
        """A due date and an assignee can be cleared; what is not mentioned stays."""
        actor, friend = await build.an_actor(), await build.a_user()
        task = await build.a_task(actor, due_at=DUE, assignee_id=friend.id)
        await update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(due_at=None))
        await update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(assignee_id=None))

        row = await stored(build, task)
        assert (row.due_at, row.assignee_id, row.title, row.version) == (None, None, task.title, 3)

    async def test_done_is_completed_until_it_is_not(self, build: Builders):
        """The instant of completion comes with DONE and goes with any other status."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        uow = build.as_(actor)
        done = await update_task_status(uow, task_id=task.id, status=TaskStatus.DONE)
        undone = await update_task_status(build.as_(actor), task_id=task.id, status=TaskStatus.TODO)

        assert (done.completed_at, undone.completed_at) == (uow.now, None)

    async def test_a_disabled_assignee_may_stay(self, build: Builders):
        """An edit of other fields does not check the assignee."""
        actor, gone = await build.an_actor(), await build.a_user(is_active=False)
        task = await build.a_task(actor, assignee_id=gone.id)
        edit = TaskEdit(title="Other", assignee_id=gone.id)

        assert (await update_task(build.as_(actor), task_id=task.id, edit=edit)).version == 2

    @pytest.mark.parametrize(
        ("edit", "refusal", "field"),
        [
            (TaskEdit(title=""), Invalid, "title"),
            (TaskEdit(description="x" * 10_001), Invalid, "description"),
            (TaskEdit(due_at=datetime(2026, 1, 1)), Invalid, "dueAt"),  # noqa: DTZ001
            (TaskEdit(assignee_id=uuid4()), Invalid, "assigneeId"),
            (TaskEdit(title="Other", status=TaskStatus.DONE), InvalidTransition, "status"),
        ],
    )
    async def test_one_invalid_field_refuses_the_edit(
        self, build: Builders, edit: TaskEdit, refusal: type[Refusal], field: str
    ):
        """Nothing of it is made."""
        actor = await build.an_actor()
        task = await build.a_task(actor, status=TaskStatus.CANCELLED)
        async with build.unchanged():
            with pytest.raises(refusal) as caught:
                await update_task(build.as_(actor), task_id=task.id, edit=edit)
        assert caught.value.path == (field,)

    @pytest.mark.parametrize("expected", [1, 3, -1, 2**40])
    async def test_another_version_is_a_conflict(self, build: Builders, expected: int):
        """Also if the edit would change nothing."""
        actor = await build.an_actor()
        task = await build.a_task(actor, version=2)
        for edit in (TaskEdit(title="Other"), TaskEdit(title=task.title)):
            async with build.unchanged():
                with pytest.raises(Conflict):
                    await update_task(build.as_(actor), task_id=task.id, edit=edit, expected_version=expected)

    @pytest.mark.parametrize(
        ("edit", "allowed"),
        [
            (TaskEdit(status=TaskStatus.DONE), True),
            (TaskEdit(completed=True), True),
            (TaskEdit(completed=True, title="Other"), False),
            (TaskEdit(title="Other"), False),
            (TaskEdit(status=TaskStatus.DONE, title="Other"), False),
            (TaskEdit(assignee_id=None), False),
            (TaskEdit(status=TaskStatus.DONE, assignee_id=None), False),
            (TaskEdit(), False),
        ],
    )
    async def test_the_assignee_may_change_the_status_only(self, build: Builders, edit: TaskEdit, allowed: bool):
        """An edit with more is refused as a whole."""
        actor = await build.an_actor()
        task = await build.a_task(assignee_id=actor.user_id)
        if allowed:
            assert (await update_task(build.as_(actor), task_id=task.id, edit=edit)).version == 2
            return
        async with build.unchanged():
            with pytest.raises(Forbidden) as refusal:
                await update_task(build.as_(actor), task_id=task.id, edit=edit)
        assert refusal.value.path == ("id",)

    @pytest.mark.parametrize(
        ("status", "completed", "then"),
        [
            (TaskStatus.TODO, True, TaskStatus.DONE),
            (TaskStatus.TODO, False, TaskStatus.TODO),
            (TaskStatus.IN_PROGRESS, False, TaskStatus.IN_PROGRESS),
            (TaskStatus.CANCELLED, False, TaskStatus.CANCELLED),
            (TaskStatus.DONE, True, TaskStatus.DONE),
            (TaskStatus.DONE, False, TaskStatus.TODO),
        ],
    )
    async def test_completed_is_a_status(self, build: Builders, status: TaskStatus, completed: bool, then: TaskStatus):
        """True means DONE, false reopens only DONE; an unchanged status has no event."""
        actor = await build.an_actor()
        task = await build.a_task(actor, status=status)
        row = await update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(completed=completed))
        assert row.status is then
        moves = [(event.from_status, event.to_status) for event in await build.recorded_events()]  # type: ignore[union-attr]
        assert moves == ([] if then is status else [(status, then)])

    async def test_a_cancelled_task_cannot_be_completed(self, build: Builders):
        """A status change that is not allowed is refused in this form, too."""
        actor = await build.an_actor()
        task = await build.a_task(actor, status=TaskStatus.CANCELLED)
        async with build.unchanged():
            with pytest.raises(InvalidTransition):
                await update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(completed=True))

    @pytest.mark.parametrize(("role", "refusal"), [(Role.USER, NotFound), (Role.MODERATOR, Forbidden)])
    async def test_other_users_are_refused(self, build: Builders, role: Role, refusal: type[Refusal]):
        """The task is not found; a moderator sees it, but may not change it."""
        task = await build.a_task()
        for edit in (TaskEdit(title="Other"), TaskEdit(status=TaskStatus.DONE), TaskEdit(assignee_id=None)):
            actor = await build.an_actor(role)
            async with build.unchanged():
                with pytest.raises(refusal):
                    await update_task(build.as_(actor), task_id=task.id, edit=edit, expected_version=99)

    async def test_an_unknown_task_is_not_found(self, build: Builders):
        """Not even for an admin."""
        admin = await build.an_actor(Role.ADMIN)
        async with build.unchanged():
            with pytest.raises(NotFound):
                await update_task(build.as_(admin), task_id=uuid4(), edit=TaskEdit(title="Other"))
