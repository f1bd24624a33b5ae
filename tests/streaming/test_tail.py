"""For any schedule, the tail delivers each event once and in order, and changes of rights first."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import AccessEvent, Event, LoggedEvent
from persistence.event_log import Head
from streaming.lease import LEASE_SECONDS, Lease
from streaming.stream_items import ResyncReason
from streaming.tail import POLL_SECONDS, NumberEvents, ReadAccessEvents, ReadHead, ReadPage, Request, Tail
from tests.streaming.support import a_task_event, an_access_event, logged

EMPTY = Head("e", 0, 0, pending=False)


@dataclass
class Log:
    """The table, in memory."""

    committed: list[tuple[float, Event]] = field(default_factory=list)
    position: int = 0

    def number(self) -> list[LoggedEvent]:
        """Give the rest their positions."""
        batch = self.between(self.position, len(self.committed))
        self.position = len(self.committed)
        return batch

    def between(self, after: int, up_to: int) -> list[LoggedEvent]:
        """Events by position."""
        return logged(*(event for _, event in self.committed[after:up_to]), first=after + 1)

    def answer(self, ask: Request) -> object:
        """The current content of the table."""
        match ask:
            case ReadHead():
                return Head("e", self.position, 0, pending=self.position < len(self.committed))
            case NumberEvents():
                return self.number()
            case ReadAccessEvents(after, up_to):
                return [each for each in self.between(after, up_to) if isinstance(each.event, AccessEvent)]
            case ReadPage(after):
                return self.between(after, min(self.position, after + 3))


class World:
    """A tail under a virtual clock, a log, and batches on their way."""

    def __init__(self) -> None:
        self.now = 100.0
        self.log = Log()
        self.lease = Lease(lambda: self.now)
        self.tail = Tail(self.lease, EMPTY)
        self.under_way: list[tuple[list[LoggedEvent], float]] = []
        self.asked: tuple[Request, float] | None = None
        self.answer: tuple[object] | None = None
        self.delivered: list[LoggedEvent] = []
        self.applied: list[Event] = []

    def commit(self, access: bool) -> None:
        """Commit an event."""
        self.log.committed.append((self.now, an_access_event() if access else a_task_event()))

    def number(self) -> None:
        """Some process numbers, and its batch sets out."""
        if batch := self.log.number():
            self.under_way.append((batch, self.now))

    def deliver(self, which: int, size: int) -> None:
        """A batch arrives, or a part of it, perhaps not for the first time."""
        if self.under_way:
            batch, whole_since = self.under_way[which % len(self.under_way)]
            start = which % len(batch)
            self.offer(batch[start : start + size], whole_since if start + size >= len(batch) else None)

    def offer(self, batch: list[LoggedEvent], whole_since: float | None = None) -> None:
        """What the shell does with a batch."""
        delivered = self.tail.offer(batch)
        if delivered:
            if whole_since is not None and len(delivered) == len(batch):
                self.tail.mark_complete(delivered[-1].position, whole_since)
            self.applied += [each.event for each in self.tail.take_access_events(delivered, delivered[-1].position)]
            self.delivered += delivered

    def ask(self) -> None:
        """The tail's question sets out."""
        ask = self.tail.next_request(self.now)
        if self.asked is None and ask is not None:
            self.asked = (ask, self.now)

    def read(self) -> None:
        """The table is read for it."""
        if self.asked is not None and self.answer is None:
            self.answer = (self.log.answer(self.asked[0]),)

    def take(self) -> None:
        """The answer arrives."""
        if self.asked is None or self.answer is None:
            return
        (ask, started_at), (answer,) = self.asked, self.answer
        self.asked = self.answer = None
        match ask:
            case ReadHead():
                assert isinstance(answer, Head)
                assert self.tail.head_read(ask, answer, started_at=started_at, now=self.now) is None
            case NumberEvents():
                self.tail.events_numbered(started_at=started_at)
            case ReadAccessEvents(_, up_to):
                assert isinstance(answer, list)
                self.applied += [each.event for each in self.tail.take_access_events(answer, up_to)]
            case ReadPage():
                assert isinstance(answer, list)
                assert self.tail.page_read(answer) is None
                self.offer(answer)

    def check_lease(self) -> None:
        """While the lease is fresh, no change of rights that is older than it is unknown here."""
        if self.lease.fresh:
            old = [event for at, event in self.log.committed if at < self.now - LEASE_SECONDS]
            unknown = [event for event in old if isinstance(event, AccessEvent) and event not in self.applied]
            assert unknown == []

    def settle(self) -> None:
        """Let two sweeps run until they want nothing: what is committed during the first belongs to the second."""
        for _ in range(2):
            self.now += POLL_SECONDS
            self.sweep()

    def sweep(self) -> None:
        """Answer the tail until it wants nothing."""
        for _ in range(1000):
            self.ask()
            if self.asked is None:
                return
            self.read()
            self.take()
        raise AssertionError("the tail never rests")


steps = st.one_of(
    st.tuples(st.just("commit"), st.booleans()),
    st.just(("number",)),
    st.tuples(st.just("deliver"), st.integers(0, 20), st.integers(1, 5)),
    st.just(("ask",)),
    st.just(("read",)),
    st.just(("take",)),
    st.tuples(st.just("tick"), st.sampled_from([0.01, 0.2, 0.5, 3.0])),
)


class TestAnySchedule:
    @settings(max_examples=400, deadline=None)
    @given(st.lists(steps, max_size=60))
    def test_each_event_is_delivered_once_and_in_order(self, schedule):
        """However notifications are split, lost, doubled or late; the lease is always correct."""
        world = World()
        for name, *arguments in schedule:
            if name == "tick":
                world.now += arguments[0]
            else:
                getattr(world, name)(*arguments)
            world.check_lease()
        world.take()
        world.settle()

        assert [each.position for each in world.delivered] == list(range(1, len(world.log.committed) + 1))
        assert world.applied == [each.event for each in world.delivered if isinstance(each.event, AccessEvent)]
        assert world.lease.fresh


class TestTail:
    def test_the_next_batch_is_delivered_without_a_read(self):
        """If it continues the log."""
        tail = Tail(Lease(lambda: 0.0), EMPTY)

        assert [each.position for each in tail.offer(logged(a_task_event(), a_task_event()))] == [1, 2]

    def test_a_gap_reads_the_log(self):
        """Before the next poll; the batch is not delivered yet."""
        world = World()
        world.sweep()
        assert world.tail.next_request(world.now) is None

        world.offer(logged(a_task_event(), first=5))

        assert world.delivered == []
        assert isinstance(world.tail.next_request(world.now), ReadHead)

    def test_waiting_times_are_never_zero(self):
        """Whatever the rounding of time."""
        for instant in range(1, 1000):
            world = World()
            world.now = instant / 7
            world.sweep()
            world.now = world.now + POLL_SECONDS - 1e-14

            assert (world.tail.seconds_until_request(world.now) == 0.0) is (
                world.tail.next_request(world.now) is not None
            )

    def test_rights_are_read_before_the_way_there(self):
        """Behind by many events, the changes of rights among them are asked for first, and make the lease fresh."""
        world = World()
        for access in (False, False, True, False):
            world.commit(access)
        world.number()
        world.ask()
        world.read()
        world.take()
        assert not world.lease.fresh

        world.ask()
        world.read()
        world.take()

        assert (len(world.applied), world.delivered, world.lease.fresh) == (1, [], True)

    def test_a_change_of_rights_is_applied_once(self):
        """Not again with its batch."""
        world = World()
        world.commit(access=True)
        world.settle()

        assert len(world.applied) == 1

    def test_an_answer_that_took_long_makes_no_fresh_lease(self):
        """The lease counts from before the question: an answer that took two seconds proves nothing about now."""
        world = World()
        world.ask()
        world.read()
        world.now += 2.0
        world.take()

        assert not world.lease.fresh

    def test_unnumbered_events_keep_the_lease_from_being_renewed(self):
        """What is committed but has no position yet may be a change of rights: it is numbered first."""
        world = World()
        world.commit(access=True)
        world.ask()
        world.read()
        world.take()

        assert not world.lease.fresh
        assert isinstance(world.tail.next_request(world.now), NumberEvents)

    def test_another_epoch_stops_the_tail(self):
        """With its reason."""
        tail = Tail(Lease(lambda: 0.0), EMPTY)

        reason = tail.head_read(ReadHead(0), Head("f", 9, 0, pending=False), started_at=0.0, now=0.0)

        assert (reason, tail.dispatched, tail.epoch) == (ResyncReason.EPOCH, 9, "f")

    def test_a_smaller_head_is_another_history(self):
        """It cannot be the same log."""
        tail = Tail(Lease(lambda: 0.0), EMPTY)
        tail.offer(logged(a_task_event(), a_task_event()))

        assert (
            tail.head_read(ReadHead(2), Head("e", 1, 0, pending=False), started_at=0.0, now=0.0) is ResyncReason.EPOCH
        )

    def test_a_head_that_was_asked_for_earlier_is_no_step_back(self):
        """A head that is behind only because a batch came while it was under way breaks nothing."""
        tail = Tail(Lease(lambda: 0.0), EMPTY)
        tail.offer(logged(a_task_event(), a_task_event()))

        assert tail.head_read(ReadHead(1), Head("e", 1, 0, pending=False), started_at=0.0, now=0.0) is None

    def test_batches_renew_the_lease(self):
        """However long a read of the head takes."""
        world = World()
        world.settle()
        for _ in range(5):
            world.now += 0.9 * LEASE_SECONDS
            world.commit(access=True)
            world.number()
            batch, whole_since = world.under_way[-1]
            world.offer(batch, whole_since)

        assert world.lease.fresh

    def test_trimmed_events_stop_the_tail(self):
        """A process that was frozen for longer than the retention detects it."""
        tail = Tail(Lease(lambda: 0.0), EMPTY)

        reason = tail.head_read(ReadHead(0), Head("e", 9, 4, pending=False), started_at=0.0, now=0.0)

        assert (reason, tail.dispatched) == (ResyncReason.TRIMMED, 9)

    def test_a_page_with_a_hole_breaks_the_history(self):
        """What is not in the table any more is not waited for."""
        tail = Tail(Lease(lambda: 0.0), EMPTY)
        tail.head_read(ReadHead(0), Head("e", 9, 0, pending=False), started_at=0.0, now=0.0)

        assert tail.page_read(logged(a_task_event(), first=7)) is ResyncReason.TRIMMED
        assert tail.dispatched == 9
