"""The last events, kept in memory: most of those who come back missed only these."""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from domain.events import LoggedEvent

KEPT: Final = 2_000


class Recent:
    """A dense end of what this process has told, at most so many events."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[LoggedEvent] = deque(maxlen=kept)

    def add(self, events: Iterable[LoggedEvent]) -> None:
        """Remember what follows the last one."""
        self._events.extend(events)

    def clear(self) -> None:
        """Forget everything: what comes next does not follow it."""
        self._events.clear()

    def after(self, position: int, at_most: int) -> list[LoggedEvent]:
        """The events behind a position, in order; none if the first of them is not here."""
        if not self._events or position + 1 < self._events[0].position:
            return []
        start = position + 1 - self._events[0].position
        return list(islice(self._events, start, start + at_most))
