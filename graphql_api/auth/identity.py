"""Who signed in, and with what."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from domain.actor import Actor

Disconnected = Callable[[], Awaitable[object]]
"""Returns when the client has disconnected."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An actor, and the instant at which the token that proved it expires."""

    actor: Actor
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """The other end of the connection: its address (never a proxy's that we trust) and what it calls itself.

    `disconnected` is None where nothing can be known of it while an operation runs.
    """

    address: str
    user_agent: str | None
    disconnected: Disconnected | None = field(default=None, compare=False)
