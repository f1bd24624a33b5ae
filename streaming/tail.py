"""The position of one process in the log: a state machine without clock, database or tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.events import LoggedEvent
from persistence.event_log import Head
from streaming.lease import Lease
from streaming.stream_items import ResyncReason

POLL_SECONDS: Final = 0.25
"""Pause between reads of the head while batches arrive without gaps."""

UNKNOWN: Final = Head(epoch="", position=0, trimmed=0, pending=False)
"""Used before the log is read for the first time."""


@dataclass(frozen=True, slots=True)
class ReadHead:
    """Read how far the log reaches, and whether it still has the event at the position *dispatched* of the tail."""

    dispatched: int
    fingerprint: int | None = None


@dataclass(frozen=True, slots=True)
class NumberEvents:
    """Assign positions to all committed events."""


@dataclass(frozen=True, slots=True)
class ReadAccessEvents:
    """Read the changes of rights after *after*, up to and including *up_to*."""

    after: int
    up_to: int


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Read the events after *after*."""

    after: int


Request = ReadHead | NumberEvents | ReadAccessEvents | ReadPage


class Tail:
    """The position of one process in the log.

    Batches are *offered* from any source, in any order, twice or never. Events that continue the log are dispatched,
    known ones are dropped, and a gap makes the tail request a read. `next_request` returns what to read next; the other
    methods take the results.

    Changes of rights are read first, before the pages between, so that the lease stays fresh during a long catch-up.
    """

    def __init__(self, lease: Lease, head: Head = UNKNOWN) -> None:
        self._lease = lease
        self._check_requested = True
        self._poll_at = float("-inf")
        self._unnumbered = False
        self._numbered_at: float | None = None
        self._complete, self._complete_since = head.position, float("-inf")
        self.dispatched_since = float("-inf")
        """Everything that was committed before this instant is dispatched."""
        self._reset(head)

    def _reset(self, head: Head) -> None:
        self.epoch = head.epoch
        self.trimmed = head.trimmed
        self.dispatched = head.position  # every event up to here was dispatched
        self.fingerprint = head.fingerprint  # of the event at this position, if it is known
        self.access_applied = head.position  # every change of rights up to here was applied
        self.end = head.position  # the log is known to reach at least here
        self.has_fingerprints = head.has_fingerprints  # whether new cursors have them
        self.promoted = head.promoted  # older cursors without a fingerprint are not valid
        self._start = head

    def offer(self, batch: Sequence[LoggedEvent]) -> Sequence[LoggedEvent]:
        """The new part of a batch without gaps, which then counts as dispatched; empty if nothing is new or events are
        missing.
        """
        if not batch or batch[-1].position <= self.dispatched:
            return ()
        skipped = self.dispatched + 1 - batch[0].position
        if skipped < 0:
            self._note_gap()
            return ()
        if skipped and are_different(batch[skipped - 1].fingerprint, self.fingerprint):
            self.request_check()  # the batch continues another history
            return ()
        self.dispatched, self.fingerprint = batch[-1].position, batch[-1].fingerprint
        self.end = max(self.end, self.dispatched)
        self._note_dispatched()
        return batch[skipped:]

    def start_fingerprint(self, position: int) -> int | None:
        """The fingerprint at the position where the tail started to dispatch; None at other positions."""
        return self._start.fingerprint if position == self._start.position else None

    def take_access_events(self, events: Sequence[LoggedEvent], up_to: int) -> list[LoggedEvent]:
        """The new changes of rights among *events*, which has all of them up to *up_to*. The caller applies them."""
        new = [logged for logged in events if logged.position > self.access_applied and logged.access_news is not None]
        self.access_applied = max(self.access_applied, up_to)
        self._renew()
        return new

    def mark_complete(self, position: int, since: float) -> None:
        """Record that all events committed before *since* have positions up to *position*, which was just dispatched.

        This spares a process that writes a lot from reading the head again and again, and finding unnumbered events
        each time. Call it only for a batch that `offer` returned completely: known positions may belong to another
        epoch.
        """
        if since > self._complete_since:
            self._complete, self._complete_since = position, since
            self._note_dispatched()

    def request_check(self) -> None:
        """Request a read of the head soon, because something may have been missed."""
        self._check_requested = True

    def seconds_until_request(self, now: float) -> float:
        """Seconds until there is something to request."""
        return 0.0 if self.next_request(now) is not None else max(0.0, self._poll_at - now)

    def next_request(self, now: float) -> Request | None:
        """What to read next; None if nothing is needed now."""
        if self._unnumbered:
            return NumberEvents()
        if self._check_requested or now >= self._poll_at:
            return ReadHead(self.dispatched, self.fingerprint)
        if self.access_applied < self.end:
            return ReadAccessEvents(self.access_applied, self.end)
        if self.dispatched < self.end:
            return ReadPage(self.dispatched)
        # The last read took so long, or the process was frozen for so long, that it proves nothing.
        return None if self._lease.fresh else ReadHead(self.dispatched, self.fingerprint)

    def head_read(self, request: ReadHead, head: Head, *, started_at: float, now: float) -> ResyncReason | None:
        """Take the head, which was read from *started_at* on.

        If a reason is returned, the tail could not continue and stands at the head now: all subscribers need a resync,
        and nothing that was known about rights may be trusted.
        """
        self._check_requested, self._poll_at = False, now + POLL_SECONDS
        reason = self._reset_reason(request, head)
        if reason is not None:
            self._reset(head)
        elif head.position == self._start.position:
            self._start = head  # it has a fingerprint since new cursors have them
        if self.fingerprint is None and head.position == self.dispatched:
            self.fingerprint = head.fingerprint
        self.trimmed, self.promoted = head.trimmed, head.promoted
        self.has_fingerprints = head.has_fingerprints
        self.end = max(self.end, head.position)
        self._note_head(head, started_at)
        return reason

    def server_changed(self) -> None:
        """Record that a statement reached another server: the head is read before anything else."""
        self._unnumbered = False
        self._check_requested = True

    def is_behind(self, request: ReadHead, head: Head) -> bool:
        """Whether the log ends before the position that was dispatched at the time of the request."""
        return head.epoch == self.epoch and head.position < request.dispatched

    def events_numbered(self, *, started_at: float) -> None:
        """Record that everything committed before *started_at* has a position."""
        self._unnumbered, self._numbered_at = False, started_at
        self._check_requested = True

    def page_read(self, page: Sequence[LoggedEvent]) -> ResyncReason | None:
        """Check a page before it is offered. A reason means that the next events are no longer in the log."""
        if self.dispatched >= self.end or (page and page[0].position <= self.dispatched + 1):
            return None
        self.dispatched = self.access_applied = self.end
        self.fingerprint = None
        self._renew()
        return ResyncReason.TRIMMED

    def _reset_reason(self, request: ReadHead, head: Head) -> ResyncReason | None:
        # A head before the dispatched position means another history, even under the same epoch.
        if head.epoch != self.epoch or self.is_behind(request, head):
            return ResyncReason.EPOCH
        return ResyncReason.TRIMMED if head.trimmed > self.dispatched else None

    def _note_head(self, head: Head, started_at: float) -> None:
        """Record up to which position, and since when, the log is complete; unnumbered events prevent that."""
        since = started_at if not head.pending else self._numbered_at
        self._unnumbered = since is None
        if since is not None:
            self._numbered_at = None
            self._complete, self._complete_since = head.position, since
            self._note_dispatched()
            self._renew()

    def _note_dispatched(self) -> None:
        if self.dispatched >= self._complete:
            self.dispatched_since = max(self.dispatched_since, self._complete_since)

    def _renew(self) -> None:
        if self.access_applied >= self._complete:
            self._lease.renew(self._complete_since)

    def _note_gap(self) -> None:
        # While there is more to read, the gap is closed anyway. Reading the head for each batch would only delay it.
        if self.dispatched >= self.end:
            self._check_requested = True


def are_different(fingerprint: int | None, other: int | None) -> bool:
    """Whether two fingerprints of one position prove that it has two events. None means unknown."""
    return None not in (fingerprint, other) and fingerprint != other
