"""Events as they are stored and published."""

from typing import Any

from domain.events import EventKind, LoggedEvent
from domain.unknown_events import SkippedEvent, UnknownAccess


def published(logged: LoggedEvent) -> list[Any]:
    """`[position, kind, payload]`, as it travels between processes; what is unknown, as a newer version writes it."""
    event = logged.event
    if isinstance(event, SkippedEvent):
        return [logged.position, event.kind, {"any": "thing"}]
    if isinstance(event, UnknownAccess):
        user = str(event.user_id) if event.user_id is not None else None
        return [logged.position, EventKind.ACCESS.value, {"user": user, "change": "OF_TOMORROW"}]
    return [logged.position, event.kind.value, event.to_json()]
