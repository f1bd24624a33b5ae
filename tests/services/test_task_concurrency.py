"""Concurrent changes of one task."""

import asyncio
from datetime import timedelta

from domain.errors import Conflict, NotFound
from domain.events import TaskEvent
from domain.task import TaskStatus
from persistence.models import VisibleTaskRow
from services.task import delete_task, update_task
from services.task_edit import TaskEdit
from tests.services.support import stored, the_event
from tests.support.builders import Builders
from tests.support.transactions import event_log_on


class TestTwoWriters:
    async def test_one_of_two_changes_with_one_version_is_a_conflict(self, build: Builders):
        """The second one."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        outcomes = await asyncio.gather(
            *(
                update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(title=title), expected_version=1)
                for title in ("One", "Two")
            ),
            return_exceptions=True,
        )

        winner = next(outcome for outcome in outcomes if isinstance(outcome, VisibleTaskRow))
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
        assert (await stored(build, task)).title == winner.title == (await the_event(build)).title

    async def test_without_a_version_all_changes_apply_in_one_order(self, build: Builders):
        """Versions, events and instants have the same order."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        await asyncio.gather(
            *(
                update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(title=f"Title {number}"))
                for number in range(12)
            )
        )
        async with build.database.engine.begin() as connection:
            logged = (await event_log_on(connection).number()).events

        events = [each.event for each in logged if isinstance(each.event, TaskEvent)]
        recorded = [(event.version, event.title) for event in events]
        row = await stored(build, task)
        assert [version for version, _ in recorded] == list(range(2, 14))
        assert recorded[-1] == (row.version, row.title)
        assert [event.at for event in events] == sorted(event.at for event in events)

    async def test_instants_follow_versions(self, build: Builders):
        """A transaction that began earlier but got the row later has a later instant."""
        actor = await build.an_actor()
        task = await build.a_task(actor)
        early = build.as_(actor, now=task.updated_at - timedelta(seconds=3))
        changed = await update_task(early, task_id=task.id, edit=TaskEdit(status=TaskStatus.DONE))

        assert changed.updated_at == changed.completed_at == (await the_event(build)).at == task.updated_at

    async def test_a_change_and_a_deletion(self, build: Builders):
        """The change comes first, or finds no task; the deletion is the last event."""
        actor = await build.an_actor()
        for _ in range(5):
            task = await build.a_task(actor)
            outcomes = await asyncio.gather(
                update_task(build.as_(actor), task_id=task.id, edit=TaskEdit(title="Other")),
                delete_task(build.as_(actor), task_id=task.id),
                return_exceptions=True,
            )
            events = [event for event in await build.recorded_events() if isinstance(event, TaskEvent)]
            ours = [(event.version, event.deleted) for event in events if event.task_id == task.id]

            assert outcomes[1] == task.id
            expected = [(2, True)] if isinstance(outcomes[0], NotFound) else [(2, False), (3, True)]
            assert ours == expected
