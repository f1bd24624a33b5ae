"""Where one subscriber stands: a bounded queue while it keeps up, a place in the log when it does not."""

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from domain.events import TaskEvent
from streaming.visibility import Visibility

ROOM: Final = 256
"""How many items wait for a subscriber before it has to read them from the log, at its own pace."""


@dataclass(slots=True)
class QueuedEvent:
    """An event that a subscriber, or several who look at it with the same eyes, are to be told.

    `answers` is for those who tell it to keep what they told others.
    """

    position: int
    event: TaskEvent
    sight: Visibility
    answers: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)


class SubscriptionQueue:
    """What one subscriber will be handed; without clock, tasks or database.

    It is *live* when everything new is offered to it, and otherwise *behind*: then it is refilled, page by page,
    with what is in the log behind `read`, until it has reached where the process stands. A replay and a slow
    consumer are the same thing.
    """

    def __init__(self, position: int, *, live: bool, room: int = ROOM) -> None:
        self._room = room
        self._queue: deque[QueuedEvent] = deque()
        self._in_hand: QueuedEvent | None = None
        self.read = position
        self.live = live

    def begun(self, position: int, *, live: bool) -> "SubscriptionQueue":
        """An empty one of the same size, at another place."""
        return SubscriptionQueue(position, live=live, room=self._room)

    def offer(self, noted: QueuedEvent) -> None:
        """Take what is new. If there is no room, everything that waits is dropped, and will be read again."""
        if not self.live or noted.position <= self.read:
            return
        if len(self._queue) < self._room:
            self._queue.append(noted)
        else:
            self.read = self._queue[0].position - 1
            self._queue.clear()
            self.live = False

    def refill(self, notes: Iterable[QueuedEvent], *, read: int, told: int) -> None:
        """Take a page of the log that reaches up to *read*; having got to where the process stands, go live."""
        self._queue.extend(notes)
        self.read = read
        self.live = read >= told

    def take(self) -> QueuedEvent | None:
        """What is next, if there is anything; it counts as seen only when it has been `put_down`."""
        if self._queue:
            self._in_hand = self._queue.popleft()
            return self._in_hand
        return None

    def drop(self) -> None:
        """What is next was seen."""
        self._queue.popleft()

    @property
    def next(self) -> QueuedEvent | None:
        """What would be taken next; it stays where it is."""
        return self._queue[0] if self._queue else None

    def put_down(self) -> None:
        """The subscriber has done with what it took."""
        self._in_hand = None

    def ahead(self, most: int) -> Iterator[QueuedEvent]:
        """What comes next, at most so much of it; it stays where it is."""
        return islice(self._queue, most)

    @property
    def waiting(self) -> int:
        """How many items wait."""
        return len(self._queue)

    def reached(self, told: int) -> int:
        """As `position`, once what was taken is put down."""
        return self._in_hand.position if self._in_hand is not None else self.position(told)

    def position(self, told: int) -> int:
        """Everything up to here was seen, or was not for this subscriber; *told* is where the process stands."""
        if self._in_hand is not None:
            return self._in_hand.position - 1
        if self._queue:
            return self._queue[0].position - 1
        return max(self.read, told) if self.live else self.read
