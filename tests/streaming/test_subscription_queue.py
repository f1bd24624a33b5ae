"""A subscriber's feed: bounded, and it never loses its place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.replay import RecentEvents
from streaming.subscription_queue import QueuedEvent, SubscriptionQueue
from streaming.visibility import Visibility
from tests.streaming.support import a_task_event, logged

EVENT = a_task_event()


def note(position: int) -> QueuedEvent:
    """An event at a place."""
    return QueuedEvent(position, EVENT, Visibility.VISIBLE)


def is_mine(position: int) -> bool:
    """Every third event is not for this subscriber."""
    return position % 3 != 0


class World:
    """A feed, a log that grows, and a consumer."""

    def __init__(self, capacity: int, page: int) -> None:
        self.queue = SubscriptionQueue(0, live=True, capacity=capacity)
        self.page = page
        self.dispatched = 0
        self.taken: list[int] = []

    def happen(self) -> None:
        """Deliver an event."""
        self.dispatched += 1
        if is_mine(self.dispatched):
            self.queue.offer(note(self.dispatched))

    def read(self) -> None:
        """A subscriber that is behind reads a page."""
        if not self.queue.live:
            reached = min(self.dispatched, self.queue.read + self.page)
            found = [note(each) for each in range(self.queue.read + 1, reached + 1) if is_mine(each)]
            self.queue.refill(found, read=reached, dispatched=self.dispatched)

    def take(self) -> None:
        """The consumer has done with one item and asks for the next."""
        self.queue.release()
        entry = self.queue.take()
        if entry is not None:
            self.taken.append(entry.position)
            assert self.queue.position(self.dispatched) < entry.position

    def check_cursor(self) -> None:
        """Everything up to the cursor was taken."""
        upto = self.queue.position(self.dispatched)
        assert [each for each in self.mine(upto) if each not in self.taken] == []

    def mine(self, upto: int) -> list[int]:
        """What is for this subscriber."""
        return [each for each in range(1, upto + 1) if is_mine(each)]


class TestAnyPace:
    @settings(max_examples=300, deadline=None)
    @given(
        st.integers(1, 5),
        st.integers(1, 7),
        st.lists(st.sampled_from(["happen", "happen", "read", "take"]), max_size=80),
    )
    def test_everything_is_taken_once_and_in_order(self, capacity, page, schedule):
        """However small the queue and slow the consumer: each item once, in order, and the cursor is honest."""
        world = World(capacity, page)
        for step in schedule:
            getattr(world, step)()
            world.check_cursor()
        while not (world.queue.live and not world.queue.waiting):
            world.read()
            world.take()
        world.queue.release()

        assert world.taken == world.mine(world.dispatched)
        assert world.queue.position(world.dispatched) == world.dispatched


class TestFeed:
    def test_events_before_the_cursor_are_dropped(self):
        """Also if the cursor is ahead of this process."""
        queue = SubscriptionQueue(5, live=True)
        for position in (4, 5, 6):
            queue.offer(note(position))

        assert [queue.take(), queue.take()] == [note(6), None]

    def test_an_item_in_progress_is_not_delivered_yet(self):
        """The cursor advances when it is finished, not when it is taken."""
        queue = SubscriptionQueue(0, live=True)
        queue.offer(note(3))
        queue.take()
        in_hand = queue.position(7)
        queue.release()

        assert (in_hand, queue.position(7)) == (2, 7)


class TestRecent:
    def test_recent_events_are_returned_only_without_gaps(self):
        """Otherwise nothing is."""
        recent = RecentEvents(max_events=3)
        recent.add(logged(*(a_task_event() for _ in range(5))))

        assert [each.position for each in recent.after(2, 2)] == [3, 4]
        assert [each.position for each in recent.after(4, 9)] == [5]
        assert recent.after(1, 9) == []
        assert recent.after(5, 9) == []
