"""Reference counts free a connection after its end: the garbage collector has nothing to find."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from persistence.models import TaskRow, UserRow
from tests.graphql_api.stream_client import move
from tests.graphql_api.stream_transports import TRANSPORTS, Open
from tests.streaming.support import until
from tests.support.api import Api

CONNECTIONS: Final = 5
KINDS: Final = frozenset(
    {
        "asgi.http_protocol.HTTPProtocol",
        "asgi.streaming_session.StreamingSession",
        "asgi.websocket_protocol.WebSocketProtocol",
        "asgi.websocket_handshake.HandshakeRequest",
        "graphql_api.context.Context",
        "graphql_api.execution.execution_context.ExecutionContext",
        "graphql_api.resolvers.delivery.DirectDelivery",
        "graphql_api.resolvers.stream.SubscriptionSource",
        "graphql_api.transports.sse.event_stream.EventStream",
        "graphql_api.transports.websocket.connection.WebSocketConnection",
        "graphql_api.transports.websocket.operations.Operations",
        "rest_api.websocket._TaskSocketSession",
        "streaming.connections.ClientConnection",
        "streaming.subscription.Subscriber",
        "websockets.server.ServerProtocol",
    }
)
"""The parts of a connection, all of whose other objects belong to one of them."""


def parts() -> Counter[str]:
    """How many parts of connections there are, reachable or not."""
    names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    return Counter(name for name in names if name in KINDS)


@contextmanager
def without_collections() -> Iterator[None]:
    """Collect all garbage, and then none while the block runs."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def listen(api: Api, listening: Open, task: TaskRow, user: UserRow, status: str) -> None:
    """Subscribe, receive an item, and disconnect; the server has noticed it."""
    async with listening(api, user, None) as listener:
        await move(api, task, status, by=user)
        assert (await listener.receive()).kind == "TaskStatusChanged"
    await until(lambda: not api.server.connections.count)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_connection_leaves_nothing_to_the_collector(live: Api, transport: str):
    """Although it has subscribed and received an item."""
    ada = await live.a_user()
    task = await live.build.a_task(ada)
    listening = TRANSPORTS[transport]
    await listen(live, listening, task, ada, "IN_PROGRESS")  # fills caches
    with without_collections():
        before = parts()
        for number in range(CONNECTIONS):
            await listen(live, listening, task, ada, "TODO" if number % 2 == 0 else "IN_PROGRESS")
        # The last connection may still be in the hands of the event loop.
        await until(lambda: all(number < CONNECTIONS for number in (parts() - before).values()))
