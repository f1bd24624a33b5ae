"""Graceful shutdown: on SIGTERM the process refuses new work before the server closes its connections.

A worker whose supervisor was killed gets no signal, so it shuts down by itself. Otherwise it would keep the port, and
nothing would stop or restart it.
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


class GracefulShutdown:
    """Runs *drain* on the first signal, and then calls the server's own handler. A second signal calls it at once."""

    def __init__(self, drain: Callable[[], Awaitable[None]]) -> None:
        self._drain = drain
        self._task: asyncio.Task[None] | None = None
        self._handlers: dict[int, Any] = {}
        self._handler_called = False
        self.started = False

    def install(self) -> None:
        """Replace the server's signal handlers; no effect outside the main thread, where there are none."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._loop = asyncio.get_running_loop()
        self._handlers = {each: signal.signal(each, self._on_signal) for each in _SIGNALS}
        self._watch_supervisor(multiprocessing.parent_process())

    def _watch_supervisor(self, supervisor: BaseProcess | None) -> None:
        if supervisor is not None:
            self._loop.add_reader(supervisor.sentinel, self._on_supervisor_exit, supervisor.sentinel)

    def _on_supervisor_exit(self, sentinel: int) -> None:
        self._loop.remove_reader(sentinel)  # it stays readable
        if not self.started:
            _log.warning("the supervisor has exited; this worker shuts down too")
            self._on_signal(signal.SIGTERM, None)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.started:
            self._handler_called = True
            self._call_handler(number, frame)
            return
        self.started = True
        self._loop.call_soon_threadsafe(self._start, number)

    def _start(self, number: int) -> None:
        self._task = self._loop.create_task(self._drain_and_exit(number))

    async def _drain_and_exit(self, number: int) -> None:
        try:
            await self._drain()
        finally:
            if not self._handler_called:
                self._call_handler(number, None)

    def _call_handler(self, number: int, frame: FrameType | None) -> None:
        handler = self._handlers[number]
        if callable(handler):
            handler(number, frame)
