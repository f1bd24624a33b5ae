"""An event loop with virtual time, on which machines can be stopped."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, cast

TICK = 1e-9
"""Seconds between two timers, so that a rounding error of time cannot block the loop."""


class Machine:
    """What runs together and stands still together: a process of the API, or the clients."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.runs = True
        self.dead = False
        self.held: list[Handle] = []
        self.context = copy_context()
        self.context.run(_here.set, self)


_here: ContextVar[Machine | None] = ContextVar("machine", default=None)


class Handle:
    """A call that is to be made."""

    __slots__ = ("arguments", "callback", "context", "void")

    def __init__(self, callback: Callable[..., object], arguments: tuple[Any, ...], context: Context) -> None:
        self.callback = callback
        self.arguments = arguments
        self.context = context
        self.void = False

    def cancel(self) -> None:
        """Do not make it."""
        self.void = True

    def cancelled(self) -> bool:
        """Whether it will not be made."""
        return self.void

    def force(self) -> None:
        """Run it, even if its machine is stopped."""
        if not self.void:
            self.context.run(self.callback, *self.arguments)


class VirtualLoop:
    """Runs what is ready, in order; when nothing is, it is at once as late as the next timer wants.

    What a frozen machine was to do is held, and done when it thaws: time has passed and nothing has run.
    """

    def __init__(self) -> None:
        self.as_asyncio = cast("asyncio.AbstractEventLoop", self)  # to whom only a part of a loop is no loop
        self.now = 0.0
        self.failures: list[str] = []
        self._ready: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._serials = count()
        self._stopped: list[Machine] = []
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def run_until(self, instant: float) -> None:
        """Let time pass up to an instant."""
        ready, timers = self._ready, self._timers
        while True:
            while ready:
                handle = ready.popleft()
                if handle.void:
                    continue
                machine = handle.context.get(_here)
                if machine is None or machine.runs:
                    handle.context.run(handle.callback, *handle.arguments)
                else:
                    machine.held.append(handle)
            if not timers or timers[0][0] > instant:
                break
            when, _, handle = heapq.heappop(timers)
            self.now = max(self.now + TICK, when)
            ready.append(handle)
        self.now = instant

    def freeze(self, machine: Machine) -> None:
        """Stop a machine."""
        machine.runs = False
        self._stopped.append(machine)

    def thaw(self, machine: Machine) -> None:
        """Continue, with everything that has arrived meanwhile."""
        machine.runs = True
        held, machine.held = machine.held, []
        self._ready.extend(held)

    def kill(self, machine: Machine) -> None:
        """Nothing of it ever runs again."""
        machine.dead, machine.runs = True, False
        self._stopped.append(machine)

    def spawn(self, machine: Machine, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something on a machine."""
        return self.create_task(work, context=machine.context.copy())

    def on(self, machine: Machine, callback: Callable[..., object], *arguments: object) -> None:
        """Call something on a machine, soon."""
        self._ready.append(Handle(callback, arguments, machine.context))

    def close(self) -> None:
        """End every task, also of dead machines, without advancing time."""
        while self._tasks or self._ready:
            for machine in self._stopped:
                self.thaw(machine)
            for task in tuple(self._tasks):
                task.cancel()
            while self._ready:
                self._ready.popleft().force()
        self._timers.clear()

    # What asyncio asks of a loop.

    def time(self) -> float:
        """Seconds since the beginning of the history."""
        return self.now

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """Always true."""
        return True

    def is_closed(self) -> bool:
        """Always false."""
        return False

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        """Append to what is ready."""
        handle = Handle(callback, args, context if context is not None else copy_context())
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        """Call at a later time."""
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        """Call at a time."""
        handle = Handle(callback, args, context if context is not None else copy_context())
        heapq.heappush(self._timers, (when, next(self._serials), handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self.as_asyncio)

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None) -> asyncio.Task[Any]:
        """A task of this loop."""
        task = asyncio.Task(coro, loop=self.as_asyncio, name="task", context=context)
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An unexpected exception: the history fails."""
        error = context.get("exception")
        self.failures.append(f"{context.get('message')}: {error!r}")

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
