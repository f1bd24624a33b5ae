"""Checks and encodes the cursors of subscriptions."""

from functools import lru_cache

from domain.stream_cursor import StreamCursor
from streaming.stream_items import ResyncReason
from streaming.tail import Tail


def resync_reason_for(cursor: StreamCursor, tail: Tail, access_version: int) -> ResyncReason | None:
    """Why the cursor cannot be continued, as far as this process has read the log; None if it can."""
    if cursor.epoch != tail.epoch:
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
