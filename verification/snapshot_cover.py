"""Whether the lists that a listener read after a resync have the result of an event that no listener received."""

from collections.abc import Sequence

from domain.events import TaskEvent
from verification.history import History, Item, ItemKind, Listener
from verification.index import Index


class SnapshotCover:
    """The resyncs of a listener: an event in front of one is not lost if the lists have its result."""

    def __init__(self, history: History, index: Index, listener: Listener) -> None:
        self._index = index
        items = (item for connection in listener.connections for item in connection.items)
        self._resyncs: Sequence[Item] = [item for item in items if item.kind is ItemKind.RESYNC]
        self._deleted = {each.task_id for each in history.unplaced if isinstance(each, TaskEvent) and each.deleted}

    def covers(self, event: TaskEvent) -> bool:
        """Whether one of the resyncs covers an event whose position is unknown."""
        return any(self._has_result(item, event) for item in self._resyncs)

    def _has_result(self, resync: Item, event: TaskEvent) -> bool:
        events = self._index.tasks().get(event.task_id, ())
        if any(position > resync.cursor.position and each.version < event.version for position, each in events):
            return False  # the event comes after the resync
        read = {facts.task_id: facts.version for facts in resync.snapshot or ()}
        if event.task_id in read:
            return read[event.task_id] >= event.version
        return event.task_id in self._deleted or any(each.deleted for _, each in events)
