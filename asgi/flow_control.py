"""Flow control of an HTTP connection: when to read, and how to close a connection while the client is sending."""

import asyncio
from collections.abc import Sized
from typing import Final

from uvicorn.protocols.http.flow_control import FlowControl

CLOSE_SECONDS: Final = 5.0
"""Time for the client to read the last response before the connection is closed."""


class Flow(FlowControl):
    """Stops reading while pipelined requests wait.

    uvicorn resumes reading after each response: a client that sends faster than the server responds would fill its
    memory.
    """

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting
        self.is_discarding = False
        """Whether further input is discarded."""

    def resume_reading(self) -> None:
        """Resume reading if no requests wait."""
        if self.is_discarding or not self._waiting:
            super().resume_reading()

    def discard_input(self) -> None:
        """Read and discard further input; unread input would make the kernel reset the connection."""
        self.is_discarding = True
        self.resume_reading()

    def close_after_response(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send nothing more, and close the connection when the client does, or after `CLOSE_SECONDS`.

        Closing while the client is sending causes a reset, and the client may lose the response (RFC 9112, 9.6).
        """
        self.discard_input()
        if self._transport.is_closing() or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        loop.call_later(CLOSE_SECONDS, self._transport.abort)
