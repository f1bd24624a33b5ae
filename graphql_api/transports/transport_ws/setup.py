"""What every socket of an endpoint shares."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from graphql_api.auth.facts import RequestFacts
from graphql_api.execution.executor import ContextT, Executor
from graphql_api.observability.requests import Requests
from graphql_api.realtime.connections import Connections
from graphql_api.transports.transport_ws.protocol import MAX_MESSAGE, MAX_OPERATIONS
from graphql_api.wire.alarms import Alarms
from graphql_api.wire.upgrade import Authenticate


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: until `connection_init` must have come, between our pings, and for one frame to leave."""

    init: float = 10.0
    ping: float = 12.0
    send: float = 10.0


@dataclass(frozen=True, slots=True)
class Setup(Generic[ContextT]):
    """The collaborators and limits of an endpoint; see `GraphQLSocket`. `sending` ends what takes a frame too long."""

    executor: Executor[ContextT]
    authenticate: Authenticate
    make_context: Callable[[RequestFacts], ContextT]
    connections: Connections
    sending: Alarms
    cursor_of: Callable[[ContextT], str | None] | None = None
    timing: Timing = Timing()
    max_message: int = MAX_MESSAGE
    max_operations: int = MAX_OPERATIONS
    requests: Requests = field(default_factory=Requests)
