"""The verdict finds what a failover lost, and a resync is no loss by itself."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.events import TaskEvent
from domain.stream_cursor import StreamCursor
from tests.ha.verdict import after_last_resync, judge_asynchronous, judge_synchronous
from tests.support.histories import START, World, cursor
from verification.history import History, Item, ItemKind, TaskFacts


@pytest.fixture
def world() -> World:
    """Sixty events."""
    return World().busy()


def answers_of(world: World) -> dict[tuple[UUID, int], TaskFacts]:
    """What the acknowledgements had, as far as the log has it."""
    found = {}
    for logged in world.log:
        event = logged.event
        assert isinstance(event, TaskEvent)
        assert event.to_status is not None
        facts = TaskFacts(event.task_id, event.version, event.to_status, event.title, world.owner, None)
        found[event.task_id, event.version] = facts
    return found


def add_resyncs(world: World, history: History) -> None:
    """Each listener got a new epoch at the end."""
    for listener in history.listeners:
        end = StreamCursor("two", len(world.log), 1)
        seen = (world.owner, world.moderator)
        snapshot = tuple(task for task in world.tasks.values() if listener.user_id in (*seen, task.assignee_id))
        item = Item(end, ItemKind.RESYNC, START, 99.0, reason="EPOCH", snapshot=snapshot)
        listener.connections[-1].items.append(item)


class TestSynchronous:
    def test_nothing_is_lost(self, world: World):
        """In a correct history."""
        verdict = judge_synchronous(world.history(), answers_of(world))

        assert (verdict.acknowledged, verdict.lost, verdict.findings) == (60, 0, [])

    def test_a_change_that_is_not_in_the_log_is_lost(self, world: World):
        """It counts once, although the log's own check finds it too."""
        history = world.history()
        history.writes = [*history.writes, replace(history.writes[-1], version=1000)]
        verdict = judge_synchronous(history, answers_of(world))

        assert verdict.lost == 1
        assert verdict.findings != []

    def test_another_change_with_its_version_does_not_hide_it(self, world: World):
        """After a failover the same version can be that of another change."""
        history, answers = world.history(), answers_of(world)
        write = history.writes[0]
        answers[write.task_id, 1] = replace(answers[write.task_id, 1], title="Lost")

        assert judge_synchronous(history, answers).lost == 1

    def test_what_a_listener_did_not_receive_is_lost(self, world: World):
        """Also if the log has it."""
        history = world.history()
        del next(each for each in history.listeners if each.name == "moderator").connections[0].items[20]

        assert judge_synchronous(history, answers_of(world)).lost == 1

    def test_a_resync_is_no_loss(self, world: World):
        """It is counted elsewhere."""
        history = world.history()
        add_resyncs(world, history)

        assert judge_synchronous(history, answers_of(world)).lost == 0


class TestAsynchronous:
    def test_lost_changes_are_counted_and_not_judged(self, world: World):
        """What listeners received before the resync belongs to a history that does not exist any more."""
        history = world.history()
        add_resyncs(world, history)
        moderator = next(each for each in history.listeners if each.name == "moderator")
        moderator.connections[0].items[5].task_id = world.outsider  # an event that the log does not have
        history.writes = [*history.writes, replace(history.writes[-1], version=1000)]
        verdict = judge_asynchronous(history, answers_of(world))

        assert (verdict.lost, verdict.findings) == (1, [])

    def test_what_listeners_received_after_the_resync_is_judged(self, world: World):
        """The list of the resync lacks a task."""
        history = world.history()
        add_resyncs(world, history)
        moderator = next(each for each in history.listeners if each.name == "moderator")
        last = moderator.connections[-1].items[-1]
        last.snapshot = last.snapshot[1:] if last.snapshot else None

        assert judge_asynchronous(history, answers_of(world)).findings != []

    def test_a_listener_without_resync_is_judged_completely(self, world: World):
        """It continues as if nothing had happened, although its first item is missing."""
        history = world.history()
        moderator = next(each for each in history.listeners if each.name == "moderator")
        del moderator.connections[0].items[0]

        assert after_last_resync(moderator) is moderator
        assert judge_asynchronous(history, answers_of(world)).lost == 1


def test_a_resync_because_of_rights_is_not_the_beginning(world: World):
    """Only a new epoch is."""
    listener = world.history().listeners[0]
    listener.connections[0].items.append(Item(cursor(60), ItemKind.RESYNC, START, 99.0, reason="ACCESS"))

    assert after_last_resync(listener) is listener
