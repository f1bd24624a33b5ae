"""Encodes the events of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from typing import Final

COMPLETE: Final = b"event: complete\ndata:\n\n"
"""It has an empty `data` field, because the EventSource of a browser ignores events without `data`."""

KEEP_ALIVE: Final = b":\n\n"
"""A comment. It keeps proxies from closing an idle connection."""


def next_(payload: bytes, cursor: str | None) -> bytes:
    """A result. *payload* is JSON on one line. *cursor* is the id with which the client continues after this event."""
    return b"%sevent: next\ndata: %s\n\n" % (b"" if cursor is None else b"id: %s\n" % cursor.encode("ascii"), payload)


def position(cursor: str) -> bytes:
    """The position of the stream without an event: the client stores it as the last event id."""
    return b"id: %s\n\n" % cursor.encode("ascii")


def retry(milliseconds: int) -> bytes:
    """The time that an EventSource waits before it reconnects."""
    return b"retry: %d\n\n" % milliseconds
