"""Leaving in good order: on SIGTERM the process turns away new work before the server closes its doors.

A worker whose supervisor was killed is told by nobody, and leaves by itself: it would keep the port, and nothing would
ever stop it or start it anew.
"""

import asyncio
import logging
import multiprocessing
import signal
import threading
from collections.abc import Awaitable, Callable
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_log: Final = logging.getLogger("taskriver.serve")


class Draining:
    """Runs *drain* on the first signal, and then lets the server's own handler have it; a second one at once."""

    def __init__(self, drain: Callable[[], Awaitable[None]]) -> None:
        self._drain = drain
        self._task: asyncio.Task[None] | None = None
        self._handlers: dict[int, Any] = {}
        self._handed_on = False
        self.begun = False

    def install(self) -> None:
        """Come before the server's handlers; without effect outside the main thread, where there are none."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._loop = asyncio.get_running_loop()
        self._handlers = {each: signal.signal(each, self._on_signal) for each in _SIGNALS}
        self._watch_over(multiprocessing.parent_process())

    def _watch_over(self, supervisor: BaseProcess | None) -> None:
        if supervisor is not None:
            self._loop.add_reader(supervisor.sentinel, self._orphaned, supervisor.sentinel)

    def _orphaned(self, sentinel: int) -> None:
        self._loop.remove_reader(sentinel)  # it is readable from now on
        if not self.begun:
            _log.warning("the supervisor is gone, and this worker leaves, too")
            self._on_signal(signal.SIGTERM, None)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.begun:
            self._handed_on = True
            self._hand_on(number, frame)
            return
        self.begun = True
        self._loop.call_soon_threadsafe(self._begin, number)

    def _begin(self, number: int) -> None:
        self._task = self._loop.create_task(self._leave(number))

    async def _leave(self, number: int) -> None:
        try:
            await self._drain()
        finally:
            if not self._handed_on:
                self._hand_on(number, None)

    def _hand_on(self, number: int, frame: FrameType | None) -> None:
        handler = self._handlers[number]
        if callable(handler):
            handler(number, frame)
