"""The checker judges listeners of projects: who must receive what, and when a resync is needed or allowed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.events import LoggedEvent, MembershipEvent, TaskEvent
from domain.project import ProjectRole
from domain.user import Role
from tests.support.histories import START, an_item, cursor
from tests.support.project_histories import ProjectWorld
from verification.expected_visibility import ExpectedViewer
from verification.history import History, Item, ItemKind, RecordedConnection
from verification.history_check import check_history
from verification.memberships import roles_over_time
from verification.report import Fault

VIEWER, MEMBER, MANAGER = ProjectRole


def items(history: History, name: str = "guest") -> list[Item]:
    """The items of a listener's first connection."""
    return next(each for each in history.listeners if each.name == name).connections[0].items


def faults(history: History) -> set[Fault]:
    """The faults that the checker finds."""
    return {finding.fault for finding in check_history(history).findings}


def at(history: History, position: int, name: str = "guest") -> Item:
    """The item at a position."""
    return next(each for each in items(history, name) if each.cursor.position == position)


class Story(ProjectWorld):
    """The guest joins, leaves and comes back; the owner leaves. The names are positions."""

    def __init__(self) -> None:
        super().__init__()
        self.task = self.in_project()
        self.unseen = len(self.log)
        self.joined = self.set_role(self.guest, VIEWER)
        self.move(self.task)
        self.seen = len(self.log)
        self.left = self.set_role(self.guest, None)
        self.move(self.task)
        self.hidden = len(self.log)
        self.create(self.guest)
        self.own = len(self.log)
        self.back = self.set_role(self.guest, MEMBER)
        self.move(self.task)
        self.last = len(self.log)
        self.owner_left = self.set_role(self.owner, None)
        self.create(self.guest)
        self.end = len(self.log)

    def item(self, position: int, kind: ItemKind = ItemKind.CHANGED) -> Item:
        """The item of an event."""
        event = self.log[position - 1].event
        assert isinstance(event, TaskEvent)
        return an_item(position, event, kind)


@pytest.fixture
def story() -> Story:
    """The story."""
    return Story()


class TestFlawless:
    @pytest.mark.parametrize("seed", range(20))
    def test_a_correct_history_has_no_faults(self, seed: int):
        """With all kinds of changes and reconnects."""
        world = ProjectWorld(seed).busy()
        report = check_history(world.history(cut_at=world.random.sample(range(1, 60), 5)))

        assert report.findings == []
        assert report.resyncs > 2

    def test_the_story(self, story: Story):
        """Everyone receives what they may see."""
        history = story.history()

        assert faults(history) == set()
        assert [each.cursor.position for each in items(history)] == [
            *(story.joined, story.seen, story.left, story.own, story.back, story.last, story.end)
        ]

    def test_one_resync_may_cover_several_changes(self, story: Story):
        """The listener was away, or slow."""
        history = story.history()
        resync = story.resync(story.back, _guest(story))
        items(history)[:5] = [resync]

        assert faults(history) == set()


class TestAppliedEarly:
    """A process applies a change before it delivers the events in front of it; then the resync comes."""

    def test_an_event_before_leaving_may_be_missing(self, story: Story):
        """Another event is delivered after it."""
        own = story.create(story.guest)
        first = len(story.log)
        story.set_role(story.guest, None)
        story.move(own)
        history = story.history()
        items(history).remove(at(history, story.last))

        assert at(history, first) is not None
        assert faults(history) == set()

    def test_it_may_be_gone(self, story: Story):
        """The listener may not see the task any more."""
        history = story.history()
        item = at(history, story.seen)
        item.kind, item.task, item.changes = ItemKind.GONE, None, None

        assert faults(history) == set()

    def test_an_event_before_joining_may_be_delivered(self, story: Story):
        """The listener may see the task now."""
        history = story.history()
        items(history).insert(0, story.item(story.unseen))

        assert faults(history) == set()

    def test_not_without_a_later_resync(self, story: Story):
        """No user joins after the last event."""
        hidden = story.item(story.last)
        history = story.history()
        items(history, "outsider").append(hidden)

        assert Fault.FORBIDDEN in faults(history)

    def test_a_deleted_task_of_a_project(self, story: Story):
        """Its item has no task if the listener could see it at its deletion."""
        story.delete(story.task)
        history = story.history()
        at(history, story.last).task = None

        assert faults(history) == set()

    def test_a_task_that_is_deleted_after_the_listener_has_left(self, story: Story):
        """The process reads the task, and shows the deletion, before it dispatches the end of the role."""
        story.set_role(story.guest, None)
        story.delete(story.task)
        history = story.history()
        at(history, story.last).task = None

        assert faults(history) == set()

    def test_a_task_that_is_not_deleted(self, story: Story):
        """Its item has the task."""
        history = story.history()
        at(history, story.last).task = None

        assert faults(history) == {Fault.WRONG}


Spoil = Callable[[Story, History], None]


def _guest(story: Story) -> ExpectedViewer:
    roles = roles_over_time(story.log)[story.guest]
    return ExpectedViewer(story.guest, story.roles[story.guest][1], only_status=False, projects=roles)


def _renew(story: Story, history: History) -> None:
    """The history after more changes."""
    fresh = story.history()
    history.writes, history.log, history.final = fresh.writes, fresh.log, fresh.final
    history.listeners, history.final_members = fresh.listeners, fresh.final_members
    history.membership_writes = fresh.membership_writes


def _deliver_to_an_outsider(story: Story, history: History) -> None:
    items(history, "outsider").append(story.item(story.seen))


def _deliver_after_leaving(story: Story, history: History) -> None:
    """The guest does not come back."""
    story.set_role(story.guest, None)
    story.move(story.task)
    _renew(story, history)
    items(history).append(story.item(len(story.log)))


def _deliver_to_the_owner_who_left(story: Story, history: History) -> None:
    story.move(story.task)
    _renew(story, history)
    items(history, "owner").append(story.item(len(story.log)))


def _drop_an_event(story: Story, history: History) -> None:
    items(history).remove(at(history, story.last))


def _drop_the_resync_after_joining(story: Story, history: History) -> None:
    items(history).remove(at(history, story.joined))


def _drop_the_resync_after_leaving(story: Story, history: History) -> None:
    items(history).remove(at(history, story.left))


def _drop_the_last_resync(story: Story, history: History) -> None:
    items(history, "owner").remove(at(history, story.owner_left, "owner"))


def _replay_without_a_resync(story: Story, history: History) -> None:
    """The listener was away while it joined."""
    guest = next(each for each in history.listeners if each.name == "guest")
    rest = [each for each in items(history) if each.cursor.position > story.joined]
    guest.connections[:] = [
        RecordedConnection(0.0, cursor(0), ()),
        RecordedConnection(0.0, cursor(story.unseen), items=rest),
    ]


def _go_on_behind_a_change(story: Story, history: History) -> None:
    """The cursor of the next connection is after the change, and there was no resync."""
    guest = next(each for each in history.listeners if each.name == "guest")
    rest = [each for each in items(history) if each.cursor.position > story.joined]
    guest.connections[:] = [
        RecordedConnection(0.0, cursor(0), ()),
        RecordedConnection(0.0, cursor(story.joined), items=rest),
    ]


def _resync_for_nothing(story: Story, history: History) -> None:
    items(history).append(story.resync(story.end, _guest(story)))


def _keep_the_old_lists(story: Story, history: History) -> None:
    at(history, story.back).snapshot = None


def _load_too_little(story: Story, history: History) -> None:
    item = at(history, story.back)
    item.snapshot = ()
    items(history).remove(at(history, story.last))


def _forget_a_membership(story: Story, history: History) -> None:
    history.membership_writes = [*history.membership_writes, replace(story.membership_writes[-1], role=MANAGER)]


def _store_other_memberships(story: Story, history: History) -> None:
    history.final_members = {story.guest: {story.project: MANAGER}}


def _write_without_the_right(story: Story, history: History) -> None:
    """A viewer moves a task."""
    log = list(story.log)
    event = log[story.seen - 1].event
    assert isinstance(event, TaskEvent)
    log[story.seen - 1] = LoggedEvent(story.seen, replace(event, actor_id=story.guest))
    history.log = log


class TestOverlap:
    @pytest.mark.parametrize(("acked", "found"), [(100.0, set()), (0.0, {Fault.FORBIDDEN})])
    def test_a_change_that_was_made_while_the_user_left(self, story: Story, acked: float, found: set[Fault]):
        """It may have its place after the end of the membership; not if that was acknowledged before it began."""
        story.set_role(story.actor, None)
        story.membership_writes[-1] = replace(story.membership_writes[-1], acked=acked)
        story.move(story.task)

        assert faults(story.history()) == found


class TestFlaws:
    @pytest.mark.parametrize(
        ("spoil", "fault"),
        [
            (_deliver_to_an_outsider, Fault.FORBIDDEN),
            (_deliver_after_leaving, Fault.FORBIDDEN),
            (_deliver_to_the_owner_who_left, Fault.FORBIDDEN),
            (_write_without_the_right, Fault.FORBIDDEN),
            (_drop_an_event, Fault.LOST),
            (_forget_a_membership, Fault.LOST),
            (_drop_the_resync_after_joining, Fault.WRONG),
            (_drop_the_resync_after_leaving, Fault.WRONG),
            (_drop_the_last_resync, Fault.WRONG),
            (_replay_without_a_resync, Fault.WRONG),
            (_go_on_behind_a_change, Fault.WRONG),
            (_resync_for_nothing, Fault.WRONG),
            (_keep_the_old_lists, Fault.WRONG),
            (_load_too_little, Fault.WRONG),
            (_store_other_memberships, Fault.WRONG),
        ],
    )
    def test_each_fault_is_found(self, story: Story, spoil: Spoil, fault: Fault):
        """One fault in an otherwise correct history is found by its name."""
        history = story.history()
        spoil(story, history)

        assert fault in faults(history)


class TestUnplaced:
    """The position of a change may be unknown: then it was made while the listener was connected."""

    @pytest.mark.parametrize(("resyncs", "fine"), [(0, False), (1, True), (2, False)])
    def test_one_change_has_one_resync(self, story: Story, resyncs: int, fine: bool):
        """None is missing, and none is left over."""
        history = story.history()
        history.whole = False
        history.unplaced = [MembershipEvent(story.moderator, story.project, story.actor, START, None, VIEWER)]
        viewer = ExpectedViewer(story.moderator, Role.MODERATOR, only_status=False)
        items(history, "moderator").extend(story.resync(story.end, viewer) for _ in range(resyncs))

        assert (faults(history) == set()) is fine

    @pytest.mark.parametrize(("read", "found"), [(True, set()), (False, {Fault.LOST})])
    def test_an_event_that_no_listener_received(self, story: Story, read: bool, found: set[Fault]):
        """It is not lost if the lists after the resync have its result."""
        history = story.history()
        history.whole, history.listeners = False, [each for each in history.listeners if each.name == "guest"]
        missed = story.log[story.hidden - 1].event
        assert isinstance(missed, TaskEvent)
        history.log = [each for each in history.log if each.position != story.hidden]
        history.unplaced = [missed]
        resync = at(history, story.back)
        if not read:
            assert resync.snapshot is not None
            resync.snapshot = tuple(replace(each, version=each.version - 1) for each in resync.snapshot)

        assert faults(history) & {Fault.LOST, Fault.OUT_OF_ORDER} == found
