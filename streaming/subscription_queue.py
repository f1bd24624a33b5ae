"""The queue of one subscriber: bounded while it keeps up, and a position in the log when it does not."""

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from domain.events import DeliveredEvent
from streaming.visibility import Visibility

CAPACITY: Final = 256
"""Items that wait for a subscriber. If more arrive, it reads them from the log instead."""


@dataclass(slots=True)
class QueuedEvent:
    """An event for a subscriber, or for several subscribers with the same view.

    `answers` caches results that are the same for several of them.
    """

    position: int
    event: DeliveredEvent
    visibility: Visibility
    fingerprint: int | None = None
    answers: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)


class SubscriptionQueue:
    """What one subscriber receives next; without clock, tasks or database.

    It is *live* when new events are offered to it, and *behind* otherwise. Then it is refilled with pages of the log
    after `read`, until it has reached the position of the process. A replay and a slow consumer are handled the same
    way.
    """

    def __init__(self, position: int, *, live: bool, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._queue: deque[QueuedEvent] = deque()
        self._taken: QueuedEvent | None = None
        self.read = position
        self.live = live

    def restarted(self, position: int, *, live: bool) -> "SubscriptionQueue":
        """An empty queue with the same capacity at another position."""
        return SubscriptionQueue(position, live=live, capacity=self._capacity)

    def offer(self, entry: QueuedEvent) -> None:
        """Add a new event. If the queue is full, everything in it is dropped and will be read again from the log."""
        if not self.live or entry.position <= self.read:
            return
        if len(self._queue) < self._capacity:
            self._queue.append(entry)
        else:
            self.read = self._queue[0].position - 1
            self._queue.clear()
            self.live = False

    def refill(self, entries: Iterable[QueuedEvent], *, read: int, dispatched: int) -> None:
        """Add a page of the log that reaches up to *read*; go live once it has reached the position of the process."""
        self._queue.extend(entries)
        self.read = read
        self.live = read >= dispatched

    def take(self) -> QueuedEvent | None:
        """Remove and return the next entry, or None. It counts as seen only after `release`."""
        if self._queue:
            self._taken = self._queue.popleft()
            return self._taken
        return None

    def drop(self) -> None:
        """Remove the next entry, which was delivered."""
        self._queue.popleft()

    @property
    def next(self) -> QueuedEvent | None:
        """The next entry; it stays in the queue."""
        return self._queue[0] if self._queue else None

    def release(self) -> None:
        """Mark the taken entry as seen."""
        self._taken = None

    def peek(self, limit: int) -> Iterator[QueuedEvent]:
        """The next entries, at most *limit*; they stay in the queue."""
        return islice(self._queue, limit)

    @property
    def waiting(self) -> int:
        """How many entries wait."""
        return len(self._queue)

    def position_after_taken(self, dispatched: int) -> int:
        """Like `position`, but with the taken entry counted as seen."""
        return self._taken.position if self._taken is not None else self.position(dispatched)

    def position(self, dispatched: int) -> int:
        """Everything up to here was seen or does not concern the subscriber. *dispatched* is the process's position."""
        if self._taken is not None:
            return self._taken.position - 1
        if self._queue:
            return self._queue[0].position - 1
        return max(self.read, dispatched) if self.live else self.read
