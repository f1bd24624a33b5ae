"""An event of the log in its stored form: its payload is decoded when a subscriber needs the event."""

from collections.abc import Mapping
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
_DECODED: Final = object()


class StoredEvent(LoggedEvent):
    """A logged event that keeps its payload until it is decoded: by `decode_for`, or when `event` is read.

    To decode costs several times as much as to parse, and most events concern no subscriber of a process.
    """

    __slots__ = ("_kind", "_stored")

    def __init__(self, position: int, kind: object, stored: Any, fingerprint: int | None = None) -> None:
        """*stored* is the payload as the JSON parser returns it; a subclass may store another form."""
        self.position = position
        self.fingerprint = fingerprint
        self._kind = kind
        self._stored = stored

    def __getattr__(self, name: str) -> Event:
        # Python calls this for `event` only until the attribute is set.
        if name != "event":
            raise AttributeError(name)
        self._decode(self._parsed())
        return self.event

    @property
    def access_news(self) -> AccessNews | None:
        """See `LoggedEvent`; other kinds are not decoded."""
        return super().access_news if self._kind == _ACCESS else None

    def decode_for(self, ids: AbstractSet[str] | None) -> Mapping[str, Any] | None:
        """See `LoggedEvent`. Deletions are always decoded: the people of a deleted task are remembered."""
        if self._stored is _DECODED:
            return None
        payload = self._parsed()
        if ids is not None and _is_only_of_others(self._kind, payload, ids):
            return payload  # type: ignore[no-any-return]  # only an object has both sides
        self._decode(payload)
        return None

    def _parsed(self) -> Any:
        """The payload as the JSON parser returns it; None if it cannot be parsed."""
        return self._stored

    def _decode(self, payload: Any) -> None:
        self.event = read_event(self._kind, payload)
        self._stored = _DECODED


def task_id_of(payload: Mapping[str, Any]) -> UUID | None:
    """The task of an event that is not decoded; None if its id cannot be read."""
    try:
        task_id: UUID = ID.read(payload[_TASK])
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


def _is_only_of_others(kind: object, payload: Any, ids: AbstractSet[str]) -> bool:
    try:
        if kind not in _TASK_SCOPED:
            return False
        before, after = payload[_BEFORE], payload[_AFTER]
        # All values are compared, also those of keys that a newer version has added.
        is_after = after is not None and ids.isdisjoint(after.values())
        return is_after and (before is None or ids.isdisjoint(before.values()))
    except UNREADABLE:
        return False
