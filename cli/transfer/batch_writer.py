"""Writes batches of an import while the next lines are read."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

MAX_CONCURRENT_BATCHES: Final = 3
"""Batches that are written at the same time. While the database executes some, this process prepares the next."""

Item = TypeVar("Item")
Batch = dict[UUID, Item]
"""Tasks by id."""


@dataclass(slots=True)
class BatchWriter(Generic[Item]):
    """Writes batches with *write* in the background; *on_written* gets the results, in the order of the batches."""

    write: Callable[[Batch[Item]], Coroutine[Any, Any, Any]]
    on_written: Callable[[Batch[Item], Any], None]
    _running: deque[tuple[Batch[Item], asyncio.Task[Any]]] = field(default_factory=deque)

    def is_writing(self, task_id: UUID) -> bool:
        """Whether a batch with this task is not written yet. Two transactions with the same ids could deadlock."""
        return any(task_id in batch for batch, _ in self._running)

    async def start(self, batch: Batch[Item]) -> None:
        """Write a batch; waits while three others are written."""
        await self.finish(leave=MAX_CONCURRENT_BATCHES - 1)
        self._running.append((batch, asyncio.create_task(self.write(batch))))

    async def finish(self, leave: int = 0) -> None:
        """Wait until at most *leave* batches are not written."""
        while len(self._running) > leave:
            batch, running = self._running[0]
            result = await running
            self._running.popleft()
            self.on_written(batch, result)

    async def close(self, *, cancel: bool) -> None:
        """Wait for the batches that are not written, after an error; they are cancelled first with *cancel*."""
        tasks = [task for _, task in self._running]
        self._running.clear()
        for task in tasks if cancel else ():
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
