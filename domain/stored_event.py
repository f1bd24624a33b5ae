"""An event of the log in its stored form: its payload is decoded when the event is read for the first time."""

from collections.abc import Set as AbstractSet
from typing import Any, Final
from uuid import UUID

from domain.event_format import ID
from domain.event_parsing import EVENTS_OF_NOUNS, UNREADABLE, read_event
from domain.events import TASK_EVENT, AccessNews, Event, EventKind, LoggedEvent

_TASK_SCOPED: Final = frozenset({EventKind.TASK.value, *(event.kind.value for event in EVENTS_OF_NOUNS)})
_ACCESS: Final = EventKind.ACCESS.value
_BEFORE: Final = TASK_EVENT.name_of("before")
_AFTER: Final = TASK_EVENT.name_of("after")
_TASK: Final = TASK_EVENT.name_of("task_id")


class StoredEvent(LoggedEvent):
    """A logged event that keeps its kind and its parsed payload until `event` is read.

    To decode costs several times as much as to parse, and most events concern no subscriber of a process.
    """

    __slots__ = ("_kind", "_payload")

    def __init__(self, position: int, kind: object, payload: Any, fingerprint: int | None = None) -> None:
        """*payload* is what the JSON parser returns, or None if it cannot read the payload."""
        self.position = position
        self.fingerprint = fingerprint
        self._kind = kind
        self._payload = payload

    def __getattr__(self, name: str) -> Event:
        # Python calls this for `event` only until the attribute is set.
        if name != "event":
            raise AttributeError(name)
        self.event = read_event(self._kind, self._payload)
        self._payload = None
        return self.event

    @property
    def access_news(self) -> AccessNews | None:
        """See `LoggedEvent`; other kinds are not decoded."""
        return super().access_news if self._kind == _ACCESS else None

    def is_only_of_others(self, ids: AbstractSet[str]) -> bool:
        """See `LoggedEvent`. A deletion is never only of others: the people of a deleted task are remembered."""
        try:
            if self._kind not in _TASK_SCOPED:
                return False
            before, after = self._payload[_BEFORE], self._payload[_AFTER]
            # All values, also those of keys that a newer version has added.
            is_after = after is not None and ids.isdisjoint(after.values())
            return is_after and (before is None or ids.isdisjoint(before.values()))
        except UNREADABLE:
            return False  # it is decoded, or has another form

    @property
    def task_id(self) -> UUID | None:
        """The task, read without decoding the rest; None if the event is decoded, or has another form."""
        try:
            task_id: UUID = ID.read(self._payload[_TASK])
        except UNREADABLE:
            return None
        return task_id


def read_logged(value: Any) -> StoredEvent:
    """The event in a notification: `[position, kind, payload, fingerprint?]`. Further items are ignored.

    Raises:
        ValueError: it has no position.
    """
    if not isinstance(value, list) or len(value) < 3 or type(value[0]) is not int:
        raise ValueError("not an event with a position")
    fingerprint = value[3] if len(value) > 3 and type(value[3]) is int else None
    return StoredEvent(value[0], value[1], value[2], fingerprint)
