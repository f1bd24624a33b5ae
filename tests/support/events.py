"""Events as they are stored and published."""

from typing import Any

from domain.events import EventKind, LoggedEvent
from domain.unknown_events import SkippedEvent, UnknownAccess


def published(logged: LoggedEvent) -> list[Any]:
    """As it travels between processes: `[position, kind, payload, fingerprint]`. What is unknown, as a newer version
    writes it.
    """
    event, fingerprint = logged.event, logged.fingerprint
    if isinstance(event, SkippedEvent):
        return [logged.position, event.kind, {"any": "thing"}, fingerprint]
    if isinstance(event, UnknownAccess):
        user = str(event.user_id) if event.user_id is not None else None
        return [logged.position, EventKind.ACCESS.value, {"user": user, "change": "OF_TOMORROW"}, fingerprint]
    return [logged.position, event.kind.value, event.to_json(), fingerprint]
