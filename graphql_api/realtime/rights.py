"""Whom a change of rights concerns."""

from domain.actor import Actor
from domain.events import AccessNews


def concerns(event: AccessNews, actor: Actor) -> bool:
    """Whether what this actor was allowed under its session must be looked at anew."""
    if event.user_id is None:
        return True
    if event.user_id != actor.user_id:
        return False
    if event.session_id is not None:
        return event.session_id == actor.session_id
    return event.spared_session_id is None or event.spared_session_id != actor.session_id
