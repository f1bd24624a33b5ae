"""Writes batches of an import while the next lines are read."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Set
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

MAX_CONCURRENT_BATCHES: Final = 3
"""Batches that are written at the same time. While the database executes some, this process prepares the next."""

Item = TypeVar("Item")
Batch = dict[UUID, Item]
"""Tasks by id."""


class _Running(NamedTuple):
    batch: Batch[Any]
    named: Set[UUID]
    writing: asyncio.Task[Any]


@dataclass(slots=True)
class BatchWriter(Generic[Item]):
    """Writes batches with *write* in the background; *on_written* gets the results, in the order of the batches."""

    write: Callable[[Batch[Item]], Coroutine[Any, Any, Any]]
    on_written: Callable[[Batch[Item], Any], None]
    _running: deque[_Running] = field(default_factory=deque)

    async def start(self, batch: Batch[Item], named: Set[UUID]) -> None:
        """Write a batch; waits while three others are written.

        *named* are the ids of its tasks and of their parents. The batch waits for all others if one of them has the
        same: two transactions with the same tasks could deadlock, and their order would decide what is refused.
        """
        is_free = all(named.isdisjoint(each.named) for each in self._running)
        await self.finish(leave=MAX_CONCURRENT_BATCHES - 1 if is_free else 0)
        self._running.append(_Running(batch, named, asyncio.create_task(self.write(batch))))

    async def finish(self, leave: int = 0) -> None:
        """Wait until at most *leave* batches are not written."""
        while len(self._running) > leave:
            batch, _, writing = self._running.popleft()
            self.on_written(batch, await writing)

    async def close(self, *, cancel: bool) -> None:
        """Wait for the batches that are not written, after an error; they are cancelled first with *cancel*.

        Without *cancel*, the error of a batch that fails is raised.
        """
        running = [each.writing for each in self._running]
        self._running.clear()
        for writing in running if cancel else ():
            writing.cancel()
        results = await asyncio.gather(*running, return_exceptions=True)
        for result in results if not cancel else ():
            if isinstance(result, BaseException):
                raise result
