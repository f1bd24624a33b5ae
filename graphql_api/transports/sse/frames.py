"""The events of a stream as bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from typing import Final

COMPLETE: Final = b"event: complete\ndata:\n\n"
"""With an empty `data`: an event without any is never shown to the page by a browser's EventSource."""

KEEP_ALIVE: Final = b":\n\n"
"""A comment: keeps whatever stands between from hanging up."""


def next_(payload: bytes, cursor: str | None) -> bytes:
    """A result, which is JSON on one line; *cursor* is what the client comes back with after it."""
    return b"%sevent: next\ndata: %s\n\n" % (b"" if cursor is None else b"id: %s\n" % cursor.encode("ascii"), payload)


def here(cursor: str) -> bytes:
    """Where the stream stands, though nothing was for the client: it is remembered, and no event is seen."""
    return b"id: %s\n\n" % cursor.encode("ascii")


def retry(milliseconds: int) -> bytes:
    """How long an EventSource waits before it comes back."""
    return b"retry: %d\n\n" % milliseconds
