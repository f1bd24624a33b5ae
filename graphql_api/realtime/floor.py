"""Raises the numbering floor, so that numbering never looks at more than the last few thousand events.

Numbered events leave entries in the index of events without a position, and as long as an old snapshot is open nobody
can remove these. The floor is an id: each event below it has a position, or was never committed.
"""

from typing import Final

from persistence.event_log import EventLog
from persistence.floor import LastId, Writers

EVENTS: Final = 2_000
"""After so many numbered events it is time to look again."""
SECONDS: Final = 5.0
"""Or after so long, if any were."""


class Floor:
    """One process's part in it; each may raise the floor, since what it has found stays true.

    It takes two looks. The first notes the last id that is committed, and *then* which transactions have written
    events and not ended. As soon as a later look finds none of these, all events up to that id are committed, or never
    will be.
    Transactions that have not written an event are not waited for, however long they are open.
    """

    def __init__(self) -> None:
        self._noted: tuple[LastId, Writers] | None = None
        self._events = 0
        self._looked_at = float("-inf")

    def note(self, numbered: int) -> None:
        """So many events were given their positions."""
        self._events += numbered

    def is_due(self, now: float) -> bool:
        """Whether it is time for another look."""
        return self._events >= EVENTS or (self._events > 0 and now - self._looked_at >= SECONDS)

    async def look(self, log: EventLog, now: float) -> None:
        """Raise the floor to what was noted, if those who wrote then have ended, and note what is true now."""
        self._events, self._looked_at = 0, now
        last_id = await log.last_id()
        writers = await log.writers()
        if self._noted is not None:
            noted_id, noted_writers = self._noted
            if writers.may_include(noted_writers):
                return
            await log.raise_floor(noted_id)
        self._noted = last_id, writers
