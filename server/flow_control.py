"""What is read of a connection, and how one is closed whose client still sends."""

import asyncio
from collections.abc import Sized
from typing import Final

from uvicorn.protocols.http.flow_control import FlowControl

CLOSE_SECONDS: Final = 5.0
"""For the client to read what was sent to it before, when the connection ends."""


class Flow(FlowControl):
    """Reads nothing more while requests wait.

    uvicorn reads on after each answer: a client that sends faster than we answer would fill our memory.
    """

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting
        self.is_over = False
        """Whether all that still comes is dropped."""

    def resume_reading(self) -> None:
        """Read on, if it is time."""
        if self.is_over or not self._waiting:
            super().resume_reading()

    def read_to_drop(self) -> None:
        """Nothing that still comes counts; to leave it unread would have the kernel reset the connection."""
        self.is_over = True
        self.resume_reading()

    def close_behind_answer(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send no more, and close when the client does, or after `CLOSE_SECONDS`.

        A reset, which a close causes while the client still sends, can cost it the answer (RFC 9112, 9.6).
        """
        self.read_to_drop()
        if self._transport.is_closing() or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        loop.call_later(CLOSE_SECONDS, self._transport.abort)
