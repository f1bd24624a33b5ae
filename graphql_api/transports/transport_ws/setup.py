"""What every socket of an endpoint shares, and what the upgrade told of one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from graphql_api.auth.facts import Header, RequestFacts
from graphql_api.auth.identity import Client, Identity
from graphql_api.execution.executor import ContextT, Executor
from graphql_api.realtime.connections import Connections
from graphql_api.transports.transport_ws.protocol import MAX_MESSAGE, MAX_OPERATIONS


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: until `connection_init` must have come, between our pings, and for one frame to leave."""

    init: float = 10.0
    ping: float = 20.0
    send: float = 10.0


@dataclass(frozen=True, slots=True)
class Setup(Generic[ContextT]):
    """The collaborators and limits of an endpoint; see `GraphQLSocket`."""

    executor: Executor[ContextT]
    authenticate: Callable[[str | None], Awaitable[Identity | None]]
    make_context: Callable[[RequestFacts], ContextT]
    connections: Connections
    cursor_of: Callable[[ContextT], str | None] | None = None
    timing: Timing = Timing()
    max_message: int = MAX_MESSAGE
    max_operations: int = MAX_OPERATIONS


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The HTTP request that a socket began as."""

    client: Client
    headers: Sequence[Header]
    secure: bool

    @property
    def authorization(self) -> str | None:
        """The `Authorization` header, which no browser can send."""
        return next((value.decode("latin-1") for name, value in self.headers if name == b"authorization"), None)

    def facts(self, identity: Identity | None, request_id: str) -> RequestFacts:
        """What is known of one operation on this socket."""
        return RequestFacts(
            identity=identity,
            auth_error=None,
            client=self.client,
            request_id=request_id,
            headers=self.headers,
            secure=self.secure,
            door="ws",
        )
