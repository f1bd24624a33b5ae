"""Counts the events that this version cannot read, or not wholly, and logs the first of each sort."""

import logging
from typing import Final

from domain.events import TaskEvent
from domain.unknown_events import SkippedEvent, UnknownAccess
from graphql_api.realtime.counters import Counters

MAX_LOGGED: Final = 20
"""Different messages in the life of a process; the metrics count all events."""

_log: Final = logging.getLogger("taskriver.stream")


class UnknownEvents:
    """What a process has met of them; each event is noted once, when it goes by."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._logged: set[str] = set()

    def note_skipped(self, event: SkippedEvent) -> None:
        """An event could not be read, and nobody is told of it."""
        self._counters.skipped += 1
        self._warn(f"skipped an event of the kind {event.kind!r} that this version cannot read")

    def note_task(self, event: TaskEvent) -> None:
        """A change of a task goes by; it may be known in part only."""
        if event.is_partial:
            self._counters.read_in_part += 1
            self._warn("read only a part of a change of a task: a newer version made it")

    def note_access(self, event: UnknownAccess) -> None:
        """Rights changed in a way that is not known."""
        self._counters.unknown_access += 1
        whose = "a user's" if event.user_id is not None else "somebody's"
        self._warn(f"{whose} rights changed in a way that this version does not know: they are read again")

    def _warn(self, message: str) -> None:
        if message not in self._logged and len(self._logged) < MAX_LOGGED:
            self._logged.add(message)
            _log.warning("%s", message)
