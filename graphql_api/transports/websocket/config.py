"""The configuration of the WebSocket endpoint."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from asgi.request_context import RequestContext
from asgi.streaming_session import SessionConfig
from graphql_api.execution.executor import ContextT, Executor
from graphql_api.transports.websocket.protocol import MAX_MESSAGE, MAX_OPERATIONS
from observability.request_records import RequestRecords


@dataclass(frozen=True, slots=True)
class WebSocketConfig(Generic[ContextT]):
    """The dependencies and limits of the endpoint.

    Every operation gets its own context. *cursor_of* returns the current position of the stream of an operation, or
    None; pings contain these positions.
    """

    executor: Executor[ContextT]
    make_context: Callable[[RequestContext], ContextT]
    session: SessionConfig
    cursor_of: Callable[[ContextT], str | None]
    max_message: int = MAX_MESSAGE
    max_operations: int = MAX_OPERATIONS
    requests: RequestRecords = field(default_factory=RequestRecords)
