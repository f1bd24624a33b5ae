"""The cursors of subscriptions: how they are made, checked and encoded."""

from functools import lru_cache

from domain.stream_cursor import StreamCursor, epoch_of
from streaming.replay import Replay
from streaming.stream_items import ResyncReason
from streaming.tail import Tail


def resync_reason_for(cursor: StreamCursor, tail: Tail, access_version: int) -> ResyncReason | None:
    """Why the cursor cannot be continued, as far as this process has read the log; None if it can."""
    if cursor.epoch != epoch_of(tail.epoch, tail.promoted, cursor.fingerprint):
        return ResyncReason.EPOCH
    if cursor.access_version != access_version:
        return ResyncReason.ACCESS
    if cursor.position > tail.end:
        return ResyncReason.FUTURE
    return ResyncReason.TRIMMED if cursor.position < tail.trimmed else None


def may_be_newer(reason: ResyncReason | None) -> bool:
    """Whether the cursor may come from another process that has read more of the log than this one."""
    return reason in {ResyncReason.EPOCH, ResyncReason.FUTURE}


@lru_cache(maxsize=256)
def encoded_cursor(epoch: str, position: int, access_version: int, fingerprint: int | None) -> str:
    """The encoded cursor; cached, because most subscribers of an event get the same one."""
    return StreamCursor(epoch, position, access_version, fingerprint).encode()


class SubscriberCursors:
    """Makes the cursors of one subscriber. `epoch` is the history to which its positions belong."""

    def __init__(self, tail: Tail, replay: Replay, access_version: int) -> None:
        self.epoch = tail.epoch
        self._tail = tail
        self._replay = replay
        self._access_version = access_version

    def behind(self, position: int) -> StreamCursor:
        """The cursor of a subscriber that needs a resync: it leads to the same resync again."""
        return StreamCursor(self._epoch_of(None), position, self._access_version)

    def of(self, position: int, fingerprint: int | None) -> str:
        """The encoded cursor of an event."""
        given = fingerprint if self._tail.has_fingerprints else None
        return encoded_cursor(self._epoch_of(given), position, self._access_version, given)

    def at(self, position: int) -> str:
        """The encoded cursor of a position, which may be that of an event for another subscriber."""
        return self.of(position, self._known_fingerprint(position))

    async def is_of_this_history(self, cursor: StreamCursor) -> bool:
        """Whether the event at the cursor is the one that the client has received."""
        if cursor.fingerprint is None:
            return True
        known = self._known_fingerprint(cursor.position)
        if known is None:
            known = await self._replay.fingerprint_at(cursor.position)
        return known is None or known == cursor.fingerprint

    def _epoch_of(self, fingerprint: int | None) -> str:
        if self.epoch != self._tail.epoch:
            return self.epoch
        return epoch_of(self.epoch, self._tail.promoted, fingerprint)

    def _known_fingerprint(self, position: int) -> int | None:
        """The fingerprint at a position, if it is in memory."""
        if self.epoch != self._tail.epoch:
            return None  # until the resync is seen, the position is that of another history
        known = self._replay.recent.fingerprint_at(position)
        return self._tail.start_fingerprint(position) if known is None else known
