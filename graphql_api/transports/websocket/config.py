"""The configuration of the WebSocket endpoint."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from asgi.request_context import RequestContext
from asgi.timeouts import TimeoutQueue
from asgi.websocket_handshake import Authenticate
from graphql_api.execution.executor import ContextT, Executor
from graphql_api.transports.websocket.protocol import MAX_MESSAGE, MAX_OPERATIONS
from observability.request_records import RequestRecords
from streaming.connections import Connections


@dataclass(frozen=True, slots=True)
class WebSocketTiming:
    """Times in seconds: the limit for `connection_init`, the interval of pings, and the limit for sending one frame."""

    init: float = 10.0
    ping: float = 12.0
    send: float = 10.0


@dataclass(frozen=True, slots=True)
class WebSocketConfig(Generic[ContextT]):
    """The dependencies and limits of the endpoint; see `GraphQLSocket`. `sending` limits the time to send a frame."""

    executor: Executor[ContextT]
    authenticate: Authenticate
    make_context: Callable[[RequestContext], ContextT]
    connections: Connections
    sending: TimeoutQueue
    cursor_of: Callable[[ContextT], str | None] | None = None
    timing: WebSocketTiming = WebSocketTiming()
    max_message: int = MAX_MESSAGE
    max_operations: int = MAX_OPERATIONS
    requests: RequestRecords = field(default_factory=RequestRecords)
