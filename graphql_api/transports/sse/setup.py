"""What all event streams of an endpoint share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from graphql_api.auth.facts import RequestFacts
from graphql_api.execution.executor import ContextT, Executor
from graphql_api.realtime.connections import Connections
from graphql_api.wire.upgrade import Authenticate


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: between signs of life on an idle stream, and for one event to leave."""

    idle: float = 15.0
    send: float = 10.0


@dataclass(frozen=True, slots=True)
class Setup(Generic[ContextT]):
    """The collaborators of an endpoint.

    *cursor_of* says where an operation's stream stands, and *reached_by* where it will stand when what it was told
    last has arrived; None when it has no such place.
    """

    executor: Executor[ContextT]
    authenticate: Authenticate
    make_context: Callable[[RequestFacts], ContextT]
    connections: Connections
    cursor_of: Callable[[ContextT], str | None]
    reached_by: Callable[[ContextT], str | None]
    timing: Timing = Timing()
