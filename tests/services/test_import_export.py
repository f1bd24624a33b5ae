"""Import and export of tasks: what is created and recorded, and what stays unchanged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.actor import OPERATOR
from domain.errors import Forbidden, Invalid
from domain.events import TaskChange, TaskEvent
from domain.stream_cursor import StreamCursor
from domain.task import TaskPriority, TaskStatus
from domain.user import Role
from services import import_export
from services.import_export import ImportedTask, import_tasks, snapshot_of_tasks
from services.task import delete_task, update_task
from services.task_edit import TaskEdit
from tests.support.builders import Builders

PAST = datetime(2024, 2, 29, 12, tzinfo=UTC)


def an_arrival(**values: Any) -> ImportedTask:
    """A task from elsewhere."""
    chosen: dict[str, Any] = {"task_id": uuid4(), "title": "From elsewhere"}
    return ImportedTask(**(chosen | values))


class TestImport:
    async def test_an_imported_task_has_its_values_and_one_event(self, build: Builders):
        """It belongs to the actor, and its event is of now."""
        actor, friend = await build.an_actor(), await build.a_user()
        uow = build.as_(actor)
        values: dict[str, Any] = {
            "description": "In full",
            "status": TaskStatus.DONE,
            "priority": TaskPriority.URGENT,
            "due_at": PAST + timedelta(days=9),
            "assignee_id": friend.id,
            "created_at": PAST,
            "completed_at": PAST + timedelta(days=1),
        }
        arrival = an_arrival(title="  Spaces around  ", **values)
        done = await import_tasks(uow, tasks=[arrival])

        task = await build.task(arrival.task_id)
        assert task is not None
        assert done.created == {arrival.task_id}
        assert (task.title, task.owner_id, task.version, task.updated_at) == (
            "Spaces around", actor.user_id, 1, uow.now,
        )  # fmt: skip
        assert {field: getattr(task, field) for field in values} == values
        (event,) = await build.recorded_events()
        assert isinstance(event, TaskEvent)
        assert (event.changes, event.from_status, event.to_status) == ((TaskChange.CREATED,), None, TaskStatus.DONE)
        assert (event.actor_id, event.at) == (actor.user_id, uow.now)
        assert event.after is not None
        assert (event.after.owner_id, event.after.assignee_id) == (actor.user_id, friend.id)

    async def test_a_repeated_import_changes_nothing(self, build: Builders):
        """Also if the task was changed or deleted since."""
        actor = await build.an_actor()
        same, changed, deleted, new = (an_arrival(title=f"Number {number}") for number in range(4))
        await import_tasks(build.as_(actor), tasks=[same, changed, deleted])
        await update_task(build.as_(actor), task_id=changed.task_id, edit=TaskEdit(title="Mine now"))
        await delete_task(build.as_(actor), task_id=deleted.task_id)
        recorded = len(await build.recorded_events())
        done = await import_tasks(build.as_(actor), tasks=[same, changed, deleted, new])

        assert done.created == {new.task_id}
        assert done.refused == {}
        assert done.known == {same.task_id, changed.task_id, deleted.task_id}
        assert len(await build.recorded_events()) == recorded + 1
        task = await build.task(changed.task_id)
        assert task is not None
        assert task.title == "Mine now"
        assert await build.task(deleted.task_id) is None

    async def test_an_id_that_is_taken(self, build: Builders):
        """A task that has the id of another one is refused, whosever that is, and the rest comes in."""
        actor = await build.an_actor()
        mine, foreign = an_arrival(), await build.a_task()
        await import_tasks(build.as_(actor), tasks=[mine])
        good = an_arrival()
        done = await import_tasks(
            build.as_(actor), tasks=[replace(mine, title="Other"), an_arrival(task_id=foreign.id), good]
        )

        assert done.created == {good.task_id}
        assert done.refused.keys() == {mine.task_id, foreign.id}

    async def test_an_inactive_assignee_is_refused(self, build: Builders):
        """Only for that task."""
        actor, disabled = await build.an_actor(), await build.a_user(is_active=False)
        bad = [an_arrival(assignee_id=disabled.id), an_arrival(assignee_id=uuid4())]
        good = an_arrival(assignee_id=actor.user_id)
        done = await import_tasks(build.as_(actor), tasks=[*bad, good])

        assert done.created == {good.task_id}
        assert done.refused.keys() == {each.task_id for each in bad}

    async def test_a_done_task_without_a_time_is_completed_now(self, build: Builders):
        """A task that is not done has no completion time."""
        arrivals = [an_arrival(status=status) for status in (TaskStatus.DONE, TaskStatus.CANCELLED)]
        uow = build.as_(await build.an_actor())
        await import_tasks(uow, tasks=arrivals)

        completed = [getattr(await build.task(each.task_id), "completed_at", "?") for each in arrivals]
        assert completed == [uow.now, None]

    @pytest.mark.parametrize(
        "values",
        [
            {"title": ""},
            {"title": "x" * 201},
            {"description": "x" * 10_001},
            {"title": "NUL \x00"},
            {"due_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - that is the point
            {"created_at": datetime(2026, 1, 1)},  # noqa: DTZ001
            {"created_at": datetime.max.replace(tzinfo=UTC)},
            {"created_at": datetime.now(UTC) + timedelta(days=1)},
            {"status": TaskStatus.DONE, "completed_at": datetime.now(UTC) + timedelta(days=1)},
            {"completed_at": PAST},
        ],
        ids="-".join,
    )
    async def test_the_rules_of_tasks_apply(self, build: Builders, values: dict[str, Any]):
        """An invalid value is refused, and nothing of the batch is stored."""
        actor = await build.an_actor()
        async with build.unchanged():
            with pytest.raises(Invalid):
                await import_tasks(build.as_(actor), tasks=[an_arrival(), an_arrival(**values)])

    async def test_the_operator_owns_nothing(self, build: Builders):
        """It is done in a user's name or not at all."""
        with pytest.raises(Forbidden):
            await import_tasks(build.as_(OPERATOR), tasks=[an_arrival()])

    async def test_checked_tasks_are_not_checked_again(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """The reader of a file has checked them, and knows the line of a bad one."""
        arrivals = [an_arrival(title=" one "), an_arrival(title=" two ")]
        checked = [each.checked(datetime.now(UTC)) for each in arrivals]
        monkeypatch.setattr(import_export, "checked_values", None)
        done = await import_tasks(build.as_(await build.an_actor()), tasks=checked)
        assert [each.title for each in checked] == ["one", "two"]
        assert done.created == {each.task_id for each in arrivals}

    async def test_an_empty_batch(self, build: Builders):
        """It is no error."""
        done = await import_tasks(build.as_(await build.an_actor()), tasks=[])
        assert (done.created, done.known, done.refused) == (frozenset(), frozenset(), {})


class TestSnapshot:
    async def test_an_export_is_one_snapshot(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """Later changes are not in it, and follow its cursor."""
        monkeypatch.setattr(import_export, "BATCH_SIZE", 2)
        actor = await build.an_actor()
        tasks = [await build.a_task(actor, title=f"Number {number}") for number in range(5)]
        await self._numbered(build)
        seen: list[str] = []
        async with snapshot_of_tasks(build.as_(actor)) as snapshot:
            async for page in snapshot.pages():
                if not seen:
                    await update_task(build.as_(actor), task_id=tasks[4].id, edit=TaskEdit(title="Changed"))
                    await delete_task(build.as_(actor), task_id=tasks[3].id)
                    await import_tasks(build.as_(actor), tasks=[an_arrival()])
                    await self._numbered(build)
                seen += [each.task.title for each in page]

        assert sorted(seen) == [f"Number {number}" for number in range(5)]
        async with build.as_(actor) as uow:
            assert len(await uow.events.after(snapshot.cursor.position)) == 3

    async def test_an_export_has_the_visible_tasks(self, build: Builders):
        """Own and assigned tasks of a user, all tasks for an admin; with names and a cursor."""
        owner, friend, outsider = await build.a_user(), await build.a_user(), await build.a_user()
        task = await build.a_task(owner, assignee_id=friend.id)
        seen = {}
        for user in (owner, friend, outsider, await build.a_user(Role.ADMIN)):
            async with snapshot_of_tasks(build.as_(user)) as snapshot:
                seen[user.id] = [
                    (each.task.id, each.owner, each.assignee) async for page in snapshot.pages() for each in page
                ]
                assert StreamCursor.decode(snapshot.cursor.encode()).access_version == user.access_version

        expected = [(task.id, owner.username, friend.username)]
        assert list(seen.values()) == [expected, expected, [], expected]

    async def _numbered(self, build: Builders) -> None:
        async with build.database.log() as log:
            await log.number()
