"""Work that several wait for: done once, and not at all when nobody waits any more."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

ValueT = TypeVar("ValueT")


class Run(Generic[ValueT]):
    """Begins at once, in a task of its own: none of those who wait can end it for the others.

    *over* is called when it has ended, however it did.
    """

    def __init__(
        self, work: Coroutine[Any, Any, ValueT], over: Callable[["Run[ValueT]"], None] = lambda run: None
    ) -> None:
        self._over = over
        self._waiting: set[asyncio.Future[None]] = set()
        self._then: list[Callable[[Run[ValueT]], None]] = []
        self.stopped = False
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._finish)

    @property
    def done(self) -> bool:
        """Whether `value` is there."""
        return self._task.done()

    @property
    def failed(self) -> bool:
        """Whether nothing came of it."""
        return self.stopped or (self._task.done() and (self._task.cancelled() or self._task.exception() is not None))

    @property
    def value(self) -> ValueT:
        """What came of it, once it is done; raises what it raised."""
        return self._task.result()

    async def result(self) -> ValueT:
        """What came of it; raises what it raised. When the last one who waits is cancelled, the work is stopped."""
        if not self._task.done():
            await self._wait()
        return self.value

    def then(self, call: Callable[["Run[ValueT]"], None]) -> None:
        """Have *call* called when it has ended, however it did; whoever wants that keeps the work going."""
        self._then.append(call)

    async def _wait(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
            if not self._waiting and not self._then and not self._task.done():
                self.stopped = True
                self._task.cancel()

    def _finish(self, task: asyncio.Task[ValueT]) -> None:
        if not task.cancelled():
            task.exception()  # it may be that nobody is left to see it
        self._over(self)
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        for call in self._then:
            call(self)
