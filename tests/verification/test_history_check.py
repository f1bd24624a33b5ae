"""The checker finds nothing in a correct history, and finds each injected fault by its name."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from domain.events import LoggedEvent, TaskEvent
from domain.user import Role
from tests.support.histories import World, an_item, cursor
from verification.history import History, Item, ItemKind, Listener, RecordedConnection
from verification.history_check import check_history
from verification.report import Fault


@pytest.fixture
def world() -> World:
    """Sixty events."""
    return World().busy()


def listener(history: History, name: str) -> Listener:
    """One of them."""
    return next(each for each in history.listeners if each.name == name)


def items(history: History, name: str) -> list[Item]:
    """The items of a listener's first connection."""
    return listener(history, name).connections[0].items


def faults(history: History) -> set[Fault]:
    """The faults that the checker finds."""
    return {finding.fault for finding in check_history(history).findings}


class TestFlawless:
    @pytest.mark.parametrize("seed", range(20))
    def test_a_correct_history_has_no_faults(self, seed: int):
        """With all kinds of changes and reconnects."""
        world = World(seed).busy()
        report = check_history(world.history(cut_at=world.random.sample(range(1, 60), 5)))

        assert report.findings == []
        assert report.acknowledged == 60
        assert report.delivered > 120

    def test_repetition_across_connections_is_allowed(self, world: World):
        """A client that resumes with an older cursor may receive items again."""
        history = world.history(cut_at=[30])
        for each in history.listeners:
            first, second = each.connections
            second.after = cursor(20)
            second.items[:0] = [item for item in first.items if item.cursor.position > 20]
        report = check_history(history)

        assert report.findings == []
        assert report.repeated > 10

    def test_an_item_may_be_gone_if_the_task_is_hidden_by_then(self, world: World):
        """Then it has no other content."""
        task = world.create(world.worker)
        world.assign(task, None)
        history = world.history()
        item = items(history, "worker")[-2]
        item.kind, item.task, item.changes = ItemKind.GONE, None, None

        assert faults(history) == set()

    def test_items_of_a_deleted_task_have_no_task(self, world: World):
        """They are delivered nevertheless."""
        world.delete(world.create(world.worker))
        history = world.history()
        for name in ("worker", "moderator"):
            items(history, name)[-2].task = None

        assert faults(history) == set()


Spoil = Callable[[World, History], None]


def _drop(world: World, history: History) -> None:
    del items(history, "moderator")[20]


def _drop_the_last(world: World, history: History) -> None:
    del items(history, "moderator")[-1]


def _double(world: World, history: History) -> None:
    item = items(history, "moderator")
    item.insert(21, item[20])


def _swap(world: World, history: History) -> None:
    item = items(history, "moderator")
    item[20], item[21] = item[21], item[20]


def _skip_while_away(world: World, history: History) -> None:
    away = listener(history, "moderator")
    item = items(history, "moderator")
    away.connections.append(RecordedConnection(0.0, cursor(item[25].cursor.position), items=item[26:]))
    del item[20:]


def _deliver_again_behind_the_cursor(world: World, history: History) -> None:
    away = listener(history, "moderator")
    item = items(history, "moderator")
    away.connections.append(RecordedConnection(0.0, item[-1].cursor, items=[item[-1]]))


def _deliver_to_an_outsider(world: World, history: History) -> None:
    first = world.log[0].event
    assert isinstance(first, TaskEvent)
    items(history, "outsider").append(an_item(1, first, ItemKind.CHANGED))


def _show_a_hidden_task(world: World, history: History) -> None:
    """The event is visible, the current row is not."""
    item = next(item for item in items(history, "worker") if item.task is not None)
    assert item.task is not None
    item.task = replace(item.task, assignee_id=None)


def _deliver_gone_as_changed(world: World, history: History) -> None:
    item = next(item for item in items(history, "worker") if item.kind is ItemKind.GONE)
    event = world.log[item.cursor.position - 1].event
    assert isinstance(event, TaskEvent)
    where = items(history, "worker").index(item)
    items(history, "worker")[where] = an_item(item.cursor.position, event, ItemKind.CHANGED)


def _deliver_deleted_as_gone(world: World, history: History) -> None:
    world.delete(world.create())
    fresh = world.history()
    history.writes, history.log, history.final = fresh.writes, fresh.log, fresh.final
    history.listeners = fresh.listeners
    item = items(history, "moderator")[-2]
    item.kind, item.task, item.changes = ItemKind.GONE, None, None


def _leave_the_task_out(world: World, history: History) -> None:
    world.create()
    fresh = world.history()
    history.writes, history.log, history.final = fresh.writes, fresh.log, fresh.final
    history.listeners = fresh.listeners
    items(history, "moderator")[-1].task = None


def _deliver_after_the_session(world: World, history: History) -> None:
    session = uuid4()
    world.revoke(world.moderator, session)
    world.move(next(iter(world.tasks)))
    fresh = world.history()
    history.writes, history.log, history.final = fresh.writes, fresh.log, fresh.final
    history.listeners = fresh.listeners
    listener(history, "moderator").connections[0].session_id = session


def _deliver_other_facts(world: World, history: History) -> None:
    item = next(item for item in items(history, "moderator") if item.kind is ItemKind.CHANGED)
    item.changes = ()


def _deliver_an_older_row(world: World, history: History) -> None:
    item = next(item for item in items(history, "moderator") if item.task and item.task.version > 1)
    assert item.task is not None
    item.task = replace(item.task, version=item.task.version - 1)


def _deliver_an_unrecorded_event(world: World, history: History) -> None:
    last = items(history, "moderator")[-1]
    items(history, "moderator").append(replace(last, cursor=cursor(len(world.log) + 7)))


def _forget_a_write(world: World, history: History) -> None:
    """It was acknowledged, and it is as if it had never been."""
    lost = world.log[-1]
    history.log = world.log[:-1]
    for each in history.listeners:
        received = each.connections[0].items
        received[:] = [item for item in received if item.cursor.position != lost.position]


def _number_against_time(world: World, history: History) -> None:
    """As if by the order of ids of overlapping transactions: what was acknowledged first lies behind."""
    late, early = history.writes[10], history.writes[40]
    history.writes = [*history.writes, replace(late, begun=100.0, acked=101.0), replace(early, begun=90.0, acked=91.0)]


def _swap_versions(world: World, history: History) -> None:
    task = next(task for task in world.tasks if len(_events_of(world, task)) > 2)
    second, third = _events_of(world, task)[1:3]
    log = list(history.log)
    log[second.position - 1] = LoggedEvent(second.position, third.event)
    log[third.position - 1] = LoggedEvent(third.position, second.event)
    history.log = log


def _resync_for_nothing(world: World, history: History) -> None:
    item = items(history, "moderator")
    item.append(replace(item[-1], kind=ItemKind.RESYNC, reason="TRIMMED", task=None, snapshot=tuple(history.final)))


def _lose_in_the_end(world: World, history: History) -> None:
    history.final = history.final[1:]


def _events_of(world: World, task: object) -> list[LoggedEvent]:
    return [each for each in world.log if isinstance(each.event, TaskEvent) and each.event.task_id == task]


class TestFlaws:
    @pytest.mark.parametrize(
        ("spoil", "fault"),
        [
            (_drop, Fault.LOST),
            (_drop_the_last, Fault.LOST),
            (_skip_while_away, Fault.LOST),
            (_forget_a_write, Fault.LOST),
            (_resync_for_nothing, Fault.LOST),
            (_double, Fault.DUPLICATED),
            (_deliver_again_behind_the_cursor, Fault.DUPLICATED),
            (_swap, Fault.OUT_OF_ORDER),
            (_number_against_time, Fault.OUT_OF_ORDER),
            (_swap_versions, Fault.OUT_OF_ORDER),
            (_deliver_to_an_outsider, Fault.FORBIDDEN),
            (_show_a_hidden_task, Fault.FORBIDDEN),
            (_deliver_gone_as_changed, Fault.FORBIDDEN),
            (_deliver_after_the_session, Fault.FORBIDDEN),
            (_deliver_deleted_as_gone, Fault.WRONG),
            (_leave_the_task_out, Fault.WRONG),
            (_deliver_other_facts, Fault.WRONG),
            (_deliver_an_older_row, Fault.WRONG),
            (_deliver_an_unrecorded_event, Fault.WRONG),
            (_lose_in_the_end, Fault.WRONG),
        ],
    )
    def test_each_fault_is_found(self, world: World, spoil: Spoil, fault: Fault):
        """One fault in an otherwise correct history is found by its name."""
        history = world.history()
        spoil(world, history)

        assert fault in faults(history)

    def test_a_swap_is_no_loss(self, world: World):
        """Two items in the wrong order are out of order, and nothing is lost."""
        history = world.history()
        _swap(world, history)

        assert Fault.OUT_OF_ORDER in faults(history)
        assert Fault.LOST not in faults(history)


class TestRights:
    def test_another_role_needs_a_resync(self, world: World):
        """Items with other rights need a resync before them."""
        history = world.history()
        world.roles[world.moderator] = {1: Role.MODERATOR, 2: Role.MODERATOR}
        item = items(history, "moderator")
        item[-1].cursor = cursor(item[-1].cursor.position, version=2)

        assert Fault.WRONG in faults(history)

    def test_reading_the_lists_again_after_a_resync_leaves_no_gap(self, world: World):
        """After a resync for other rights nothing counts as missing."""
        history = world.history()
        world.roles[world.outsider] = {1: Role.USER, 2: Role.MODERATOR}
        resync = replace(
            items(history, "moderator")[-1], cursor=cursor(len(world.log), 2), kind=ItemKind.RESYNC, reason="ACCESS",
            task=None, task_id=None, changes=None, snapshot=tuple(history.final),
        )  # fmt: skip
        items(history, "outsider").append(resync)

        assert faults(history) == set()

    def test_a_missing_resync_after_a_change_of_rights_is_a_fault(self, world: World):
        """If the listener continues as before."""
        world.roles[world.outsider] = {1: Role.USER, 2: Role.MODERATOR}

        assert Fault.WRONG in faults(world.history())


class TestSummary:
    def test_the_report_has_counts(self, world: World):
        """One line with a number for each word."""
        history = world.history()
        _drop(world, history)

        assert check_history(history).line().startswith("60 acknowledged, ")
        assert " 1 lost, 0 duplicated, 0 out of order, 0 forbidden, " in check_history(history).line()
