"""What a client that keeps tasks makes of what it is told."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from verification.history import Item, Kind, Listener, TaskFacts


class Cache:
    """Tasks by id; one only moves forward in its versions."""

    def __init__(self) -> None:
        self._tasks: dict[UUID, TaskFacts] = {}

    @classmethod
    def of(cls, listener: Listener) -> "Cache":
        """What everything that a listener read and was told adds up to."""
        cache = cls()
        for connection in listener.connections:
            if connection.snapshot is not None:
                cache.replace(connection.snapshot)
            for item in connection.items:
                cache.take(item)
        return cache

    def __iter__(self) -> Iterator[TaskFacts]:
        return iter(self._tasks.values())

    def replace(self, tasks: Iterable[TaskFacts]) -> None:
        """Read everything anew."""
        self._tasks = {facts.task_id: facts for facts in tasks}

    def take(self, item: Item) -> None:
        """Keep what an item says."""
        if item.kind is Kind.RESYNC:
            self.replace(item.snapshot or ())
        elif item.task is not None:
            known = self._tasks.get(item.task.task_id)
            if known is None or item.task.version >= known.version:
                self._tasks[item.task.task_id] = item.task
        elif item.task_id is not None:
            self._tasks.pop(item.task_id, None)
