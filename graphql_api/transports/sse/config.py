"""The configuration of the SSE endpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from asgi.request_context import RequestContext
from asgi.websocket_handshake import Authenticate
from graphql_api.execution.executor import ContextT, Executor
from streaming.connections import Connections


@dataclass(frozen=True, slots=True)
class SSETiming:
    """Times in seconds: between keep-alive messages on an idle stream, and the limit for sending one event."""

    idle: float = 15.0
    send: float = 10.0


@dataclass(frozen=True, slots=True)
class SSEConfig(Generic[ContextT]):
    """The dependencies and times of the endpoint.

    *cursor_of* returns the current position of the stream of an operation. *reached_by* returns the position after the
    last item that was sent. Both return None for an operation without a position.
    """

    executor: Executor[ContextT]
    authenticate: Authenticate
    make_context: Callable[[RequestContext], ContextT]
    connections: Connections
    cursor_of: Callable[[ContextT], str | None]
    reached_by: Callable[[ContextT], str | None]
    timing: SSETiming = SSETiming()
