"""Decides whether the log still has the history that this process knows: a state machine without clock and database.

A position means an event only within one history. Three things replace a history: a restore, a promoted standby that
lacks the last events, and a log that an operator has filled again. A promoted standby that has all acknowledged changes
continues the history, and then no client needs a resync.
"""

from enum import Enum, auto
from typing import Final

from persistence.epoch import DatabaseIdentity, LogServer, OtherServer
from persistence.event_log import Observation
from streaming.tail import ReadHead, are_different

DECISION_SECONDS: Final = 3.0
"""How long a process that has not seen the server before a promotion waits for one that has."""
RETURN_SECONDS: Final = 30.0
"""How long a server from before a promotion may answer, until it counts as restored."""


class Verdict(Enum):
    """What to do with an observation of the log."""

    CONTINUE = auto()
    """Continue: the server is the one that the log remembers."""
    REMEMBER = auto()
    """Remember the server, and observe again. The epoch stays."""
    NEW_EPOCH = auto()
    """Start a new epoch, and observe again."""


class History:
    """What one process knows of the servers of the log.

    A promotion continues the epoch only if all of this is true:

    - Commits waited for a standby, by the log and by what this process saw at each look. So the promoted standby has
      every change that was acknowledged.
    - The log has the last event that this process has dispatched, by its fingerprint.
    - The server was not recovered to a point in time.
    - Cursors have fingerprints. So a client that has received an event that is lost gets a resync.

    Each process checks this by itself when it sees the new timeline, and starts a new epoch if something is not true.
    """

    def __init__(self) -> None:
        self._server: LogServer | None = None
        self._undecided_since: float | None = None
        """Since when each observation was refused."""

    def judge(self, epoch: str, request: ReadHead, seen: Observation, now: float) -> Verdict:
        """Judge an observation for a process whose tail is in *epoch*.

        Raises:
            OtherServer: the server is the one before a promotion; or a process that knows more has to decide first.
        """
        server = seen.server
        if self._is_before_promotion(server):
            self._refuse_until(RETURN_SECONDS, now, "The database server is the one before a failover; try again.")
            return Verdict.NEW_EPOCH
        if _has_another_past(epoch, request, seen):
            return Verdict.NEW_EPOCH
        if server.identity.is_on_another_timeline(server.remembered):
            return self._judge_promotion(seen, now)
        if server.identity.contradicts(server.remembered) or self._doubts(epoch, seen):
            return Verdict.NEW_EPOCH
        return Verdict.CONTINUE if server.is_remembered else Verdict.REMEMBER

    def accept(self, server: LogServer) -> None:
        """Take the server of an observation that was judged with CONTINUE."""
        self._server, self._undecided_since = server, None

    def _is_before_promotion(self, server: LogServer) -> bool:
        """Whether the server has an earlier timeline than the one whose log was read: it was replaced by a standby."""
        mine = self._server.identity if self._server is not None else server.identity
        if not mine.is_on_another_timeline(server.identity):
            return False
        return _timeline(server.identity) < _timeline(mine) and server.identity == server.remembered

    def _judge_promotion(self, seen: Observation, now: float) -> Verdict:
        server = seen.server
        if server.recovered_to_a_target or not server.was_synchronous or not seen.head.has_fingerprints:
            return Verdict.NEW_EPOCH
        if self._server is None or self._server.identity != server.remembered:
            self._refuse_until(DECISION_SECONDS, now, "A standby was promoted; another process decides if it has all.")
            return Verdict.NEW_EPOCH
        return Verdict.REMEMBER if self._server.is_synchronous else Verdict.NEW_EPOCH

    def _refuse_until(self, seconds: float, now: float, message: str) -> None:
        if self._undecided_since is None:
            self._undecided_since = now
        if now - self._undecided_since < seconds:
            raise OtherServer(message)

    def _doubts(self, epoch: str, seen: Observation) -> bool:
        """Whether another process has continued the epoch, and this one knows that commits did not wait."""
        if self._server is None or seen.head.epoch != epoch:
            return False
        return self._server.identity.is_on_another_timeline(seen.server.identity) and not self._server.is_synchronous


def _has_another_past(epoch: str, request: ReadHead, seen: Observation) -> bool:
    """Whether the log lacks the last dispatched event, although it has the same epoch."""
    if seen.head.epoch != epoch:
        return False
    return seen.head.position < request.dispatched or are_different(seen.fingerprint, request.fingerprint)


def _timeline(identity: DatabaseIdentity) -> int:
    return identity.timeline or 0
