"""A client's cache of tasks, updated by the items of the stream."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from verification.history import Item, ItemKind, Listener, TaskFacts


class Cache:
    """Tasks by id; the version of a task only increases."""

    def __init__(self) -> None:
        self._tasks: dict[UUID, TaskFacts] = {}

    @classmethod
    def of(cls, listener: Listener) -> "Cache":
        """The cache after all lists and items that a listener received."""
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
        """Replace all tasks."""
        self._tasks = {facts.task_id: facts for facts in tasks}

    def take(self, item: Item) -> None:
        """Apply an item."""
        if item.kind is ItemKind.RESYNC:
            self.replace(item.snapshot or ())
        elif item.task is not None:
            known = self._tasks.get(item.task.task_id)
            if known is None or item.task.version >= known.version:
                self._tasks[item.task.task_id] = item.task
        elif item.task_id is not None:
            self._tasks.pop(item.task_id, None)
