"""Who signed in, and with what."""

from dataclasses import dataclass
from datetime import datetime

from domain.actor import Actor


@dataclass(frozen=True, slots=True)
class Identity:
    """An actor, and the instant at which the token that proved it expires."""

    actor: Actor
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """The other end of the connection: its address (never a proxy's that we trust) and what it calls itself."""

    address: str
    user_agent: str | None
