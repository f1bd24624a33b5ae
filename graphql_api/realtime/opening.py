"""Whether a cursor that somebody comes back with can be continued."""

from domain.stream_cursor import StreamCursor
from graphql_api.realtime.items import ResyncReason
from graphql_api.realtime.tail import Tail


def judge(cursor: StreamCursor, tail: Tail, access_version: int) -> ResyncReason | None:
    """Why the cursor cannot be continued, as far as this process knows the log; None if it can."""
    if cursor.epoch != tail.epoch:
        return ResyncReason.EPOCH
    if cursor.access_version != access_version:
        return ResyncReason.ACCESS
    if cursor.position > tail.end:
        return ResyncReason.FUTURE
    return ResyncReason.TRIMMED if cursor.position < tail.trimmed else None


def may_be_news(reason: ResyncReason | None) -> bool:
    """Whether another process, which the cursor came from, may only have known more of the log than this one."""
    return reason in {ResyncReason.EPOCH, ResyncReason.FUTURE}
