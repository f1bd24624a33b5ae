"""What all event streams of an endpoint share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from asgi.request_context import RequestContext
from asgi.websocket_handshake import Authenticate
from graphql_api.execution.executor import ContextT, Executor
from streaming.connections import Connections


@dataclass(frozen=True, slots=True)
class SSETiming:
    """Seconds: between signs of life on an idle stream, and for one event to leave."""

    idle: float = 15.0
    send: float = 10.0


@dataclass(frozen=True, slots=True)
class SSEConfig(Generic[ContextT]):
    """The collaborators of an endpoint.

    *cursor_of* says where an operation's stream stands, and *reached_by* where it will stand when what it was told
    last has arrived; None when it has no such place.
    """

    executor: Executor[ContextT]
    authenticate: Authenticate
    make_context: Callable[[RequestContext], ContextT]
    connections: Connections
    cursor_of: Callable[[ContextT], str | None]
    reached_by: Callable[[ContextT], str | None]
    timing: SSETiming = SSETiming()
