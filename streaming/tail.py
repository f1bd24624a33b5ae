"""The position of a process in the log: a state machine without clock, database or tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.events import AccessNews, LoggedEvent
from persistence.event_log import Head
from streaming.lease import Lease
from streaming.stream_items import ResyncReason

SWEEP_SECONDS: Final = 0.25
"""How long the table is left alone while batches come by themselves."""

UNKNOWN: Final = Head(epoch="", position=0, trimmed=0, pending=False)
"""Before the log has been seen for the first time."""


@dataclass(frozen=True, slots=True)
class AskHead:
    """How far does the log reach? *told* is where the tail stood when it asked."""

    told: int


@dataclass(frozen=True, slots=True)
class AskNumbering:
    """Let everything committed be given its position."""


@dataclass(frozen=True, slots=True)
class AskAccess:
    """Which changes of rights are there behind *after*, up to and with *up_to*?"""

    after: int
    up_to: int


@dataclass(frozen=True, slots=True)
class AskPage:
    """Which events are there behind *after*?"""

    after: int


Ask = AskHead | AskNumbering | AskAccess | AskPage


class Tail:
    """One process's place in the log.

    Batches are *offered* from wherever they come, in any order, twice or never; what continues the log is told, what
    is known already is dropped, and a gap makes the tail ask. `ask` says what it wants to know at a given moment,
    and the methods named after the questions take the answers.

    Rights run ahead: changes of rights are read from the table before the pages between, so that a long way to
    catch up does not keep the lease stale.
    """

    def __init__(self, lease: Lease, head: Head = UNKNOWN) -> None:
        self._lease = lease
        self._hurried = True
        self._sweep_at = float("-inf")
        self._unnumbered = False
        self._drained_at: float | None = None
        self._covered, self._covered_since = head.position, float("-inf")
        self._begin(head)

    def _begin(self, head: Head) -> None:
        self.epoch = head.epoch
        self.trimmed = head.trimmed
        self.told = head.position  # every event up to it was told
        self.guarded = head.position  # every change of rights up to it was applied
        self.end = head.position  # the log is known to reach so far

    def offer(self, batch: Sequence[LoggedEvent]) -> Sequence[LoggedEvent]:
        """The part of a dense batch to tell now, which the tail then counts as told; empty for a gap, too."""
        if not batch or batch[-1].position <= self.told:
            return ()
        skipped = self.told + 1 - batch[0].position
        if skipped < 0:
            self._miss()
            return ()
        self.told = batch[-1].position
        self.end = max(self.end, self.told)
        return batch[skipped:]

    def guard(self, events: Sequence[LoggedEvent], up_to: int) -> list[LoggedEvent]:
        """The changes of rights to apply now: those among *events*, which has all up to a position, that are new."""
        new = [logged for logged in events if isinstance(logged.event, AccessNews) and logged.position > self.guarded]
        self.guarded = max(self.guarded, up_to)
        self._renew()
        return new

    def cover(self, position: int, since: float) -> None:
        """Take that everything committed before an instant has its position, up to this one, which was just told.

        Whoever writes a lot would otherwise have to ask for the head again and again, and find something pending each
        time. Call it for what `offer` returned whole only: positions that were known may be those of another history.
        """
        if since > self._covered_since:
            self._covered, self._covered_since = position, since

    def hurry(self) -> None:
        """Something may have been missed: look at the head soon, not only when its time has come."""
        self._hurried = True

    def rest(self, now: float) -> float:
        """Seconds until there is something to ask."""
        return 0.0 if self.ask(now) is not None else max(0.0, self._sweep_at - now)

    def ask(self, now: float) -> Ask | None:
        """What to find out next, or None if nothing is wanted at this moment."""
        if self._unnumbered:
            return AskNumbering()
        if self._hurried or now >= self._sweep_at:
            return AskHead(self.told)
        if self.guarded < self.end:
            return AskAccess(self.guarded, self.end)
        if self.told < self.end:
            return AskPage(self.told)
        # The answer took so long, or the process was frozen before it came, that it proves nothing any more.
        return None if self._lease.fresh else AskHead(self.told)

    def headed(self, ask: AskHead, head: Head, *, asked_at: float, now: float) -> ResyncReason | None:
        """Take the head that was asked for at an instant.

        With a reason, the tail could not go on and stands at the head now: everybody has to be told, and nothing
        that was known about rights before may be trusted.
        """
        self._hurried, self._sweep_at = False, now + SWEEP_SECONDS
        reason = self._break(ask, head)
        if reason is not None:
            self._begin(head)
        self.trimmed = head.trimmed
        self.end = max(self.end, head.position)
        self._cover(head, asked_at)
        return reason

    def outruns(self, ask: AskHead, head: Head) -> bool:
        """Whether the log, though it goes by the same name, ends before what had been told when it was asked."""
        return head.epoch == self.epoch and head.position < ask.told

    def numbered(self, *, asked_at: float) -> None:
        """Take that everything committed before an instant has its position."""
        self._unnumbered, self._drained_at = False, asked_at
        self._hurried = True

    def paged(self, page: Sequence[LoggedEvent]) -> ResyncReason | None:
        """Look at a page before it is offered; with a reason, what the tail needs next is not in the table any more."""
        if self.told >= self.end or (page and page[0].position <= self.told + 1):
            return None
        self.told = self.guarded = self.end
        self._renew()
        return ResyncReason.TRIMMED

    def _break(self, ask: AskHead, head: Head) -> ResyncReason | None:
        # A head behind what had been told before it was asked for is another history, whatever it calls itself.
        if head.epoch != self.epoch or self.outruns(ask, head):
            return ResyncReason.EPOCH
        return ResyncReason.TRIMMED if head.trimmed > self.told else None

    def _cover(self, head: Head, asked_at: float) -> None:
        """Note up to where, and since when, the head is known to have everything; unnumbered events break that."""
        since = asked_at if not head.pending else self._drained_at
        self._unnumbered = since is None
        if since is not None:
            self._drained_at = None
            self._covered, self._covered_since = head.position, since
            self._renew()

    def _renew(self) -> None:
        if self.guarded >= self._covered:
            self._lease.renew(self._covered_since)

    def _miss(self) -> None:
        # While it knows of more to read it will get there anyway: asking for the head at each batch that goes by
        # would only keep it from reading.
        if self.told >= self.end:
            self._hurried = True
