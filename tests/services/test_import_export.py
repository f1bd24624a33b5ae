"""Tasks from elsewhere and to elsewhere: what is created, what is told, and what is left alone."""

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
    async def test_a_task_comes_with_its_values_and_one_event(self, build: Builders):
        """It is as it was there, belongs to the actor, and was created here now, by them."""
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

    async def test_again_it_is_left_alone(self, build: Builders):
        """What came before is not made twice, not told twice, and not put back if it was changed or deleted since."""
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

    async def test_an_assignee_who_is_not_active(self, build: Builders):
        """Nobody is given a task who is not there or was cut off; only that task is refused."""
        actor, disabled = await build.an_actor(), await build.a_user(is_active=False)
        bad = [an_arrival(assignee_id=disabled.id), an_arrival(assignee_id=uuid4())]
        good = an_arrival(assignee_id=actor.user_id)
        done = await import_tasks(build.as_(actor), tasks=[*bad, good])

        assert done.created == {good.task_id}
        assert done.refused.keys() == {each.task_id for each in bad}

    async def test_a_task_that_came_done_without_a_time(self, build: Builders):
        """It was completed now, as far as anybody knows; one that is not done was not completed."""
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
    async def test_rules_hold_as_at_every_other_door(self, build: Builders, values: dict[str, Any]):
        """A value that breaks a rule is refused, and nothing of the batch is stored."""
        actor = await build.an_actor()
        async with build.unchanged():
            with pytest.raises(Invalid):
                await import_tasks(build.as_(actor), tasks=[an_arrival(), an_arrival(**values)])

    async def test_the_operator_owns_nothing(self, build: Builders):
        """It is done in a user's name or not at all."""
        with pytest.raises(Forbidden):
            await import_tasks(build.as_(OPERATOR), tasks=[an_arrival()])

    async def test_none_at_all(self, build: Builders):
        """An empty batch is no mistake."""
        done = await import_tasks(build.as_(await build.an_actor()), tasks=[])
        assert (done.created, done.known, done.refused) == (frozenset(), frozenset(), {})


class TestSnapshot:
    async def test_it_is_of_one_moment(self, build: Builders, monkeypatch: pytest.MonkeyPatch):
        """What is changed, created or deleted while it is read is as it was before, and lies behind the cursor."""
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

    async def test_it_shows_what_its_actor_sees(self, build: Builders):
        """A user's own and assigned tasks, an admin's all of them; with names, and a cursor of that actor."""
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
