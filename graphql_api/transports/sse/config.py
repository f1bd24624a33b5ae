"""The configuration of the SSE endpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic

from asgi.request_context import RequestContext
from asgi.streaming_session import SessionConfig, StreamTiming
from graphql_api.execution.executor import ContextT, Executor

EVENT_TIMING: Final = StreamTiming(ping=15.0)


@dataclass(frozen=True, slots=True)
class SSEConfig(Generic[ContextT]):
    """The dependencies of the endpoint.

    *cursor_of* returns the current position of the stream of an operation. *reached_by* returns the position after the
    last item that was sent. Both return None for an operation without a position.
    """

    executor: Executor[ContextT]
    make_context: Callable[[RequestContext], ContextT]
    session: SessionConfig
    cursor_of: Callable[[ContextT], str | None]
    reached_by: Callable[[ContextT], str | None]
