"""A Redis backend for `broadcaster` that detects dead connections."""

import asyncio
from typing import Any, Final

from broadcaster import BroadcastBackend, Event
from redis.exceptions import RedisError

from streaming.redis_client import ServerConnection, create_client
from streaming.redis_url import Address

SOCKET_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 0.35
"""Silence before a ping is sent; and silence after it before the connection counts as lost."""


class SubscriptionConfirmed(Event):
    """The subscription is active, perhaps after a reconnect: messages that were published before may be lost."""


class Heartbeat(Event):
    """The server answers."""


class ConnectionLost(Event):
    """The connection failed with *error*. It is the last event of a subscription."""

    def __init__(self, channel: str, error: Exception) -> None:
        super().__init__(channel, str(error))
        self.error = error


class RedisBackend(BroadcastBackend):
    """A backend for one channel and one subscription.

    `next_published` reports every failure as an event, never as an exception: `broadcaster` would end its listener
    silently after one exception, and hide another one behind a KeyError.
    """

    def __init__(self, url: str) -> None:
        self._redis = create_client(url, seconds=SOCKET_SECONDS, max_connections=1)
        self._pubsub = self._redis.pubsub()
        self._has_channel = asyncio.Event()
        self._listener: asyncio.Task[object] | None = None
        self._channel = ""

    @property
    def address(self) -> Address | None:
        """The address of the server that it listens to; None if it is not connected, or over a Unix socket."""
        connection: object = self._pubsub.connection
        return (connection.host, connection.port) if isinstance(connection, ServerConnection) else None

    async def connect(self) -> None:
        """Do nothing: the connection is opened when the first event is requested."""

    async def disconnect(self) -> None:
        """Close the connection. A server that does not answer is not waited for."""
        try:
            async with asyncio.timeout(SOCKET_SECONDS):
                await self._stop_listener()
                await self._pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py
                await self._redis.aclose()
        except (RedisError, OSError):
            pass  # the connection is closed already

    async def subscribe(self, group: str) -> None:
        """Set the channel to listen to."""
        self._channel = group
        self._has_channel.set()

    async def unsubscribe(self, group: str) -> None:
        """Do nothing: closing the connection ends the subscription."""

    async def publish(self, channel: str, message: Any) -> None:
        """Publish to a channel, within one second.

        Raises:
            RedisError: the server cannot be reached.
        """
        await self._redis.publish(channel, message)

    async def next_published(self) -> Event:
        """The next event: a message, `SubscriptionConfirmed`, `Heartbeat`, or finally `ConnectionLost`."""
        self._listener = asyncio.current_task()
        await self._has_channel.wait()
        try:
            return await self._next()
        except Exception as error:
            self._has_channel.clear()
            return ConnectionLost(self._channel, error)

    async def _stop_listener(self) -> None:
        # `broadcaster` has cancelled the listener. But redis-py sends with `asyncio.wait_for`, which on Python 3.11
        # loses a cancellation that arrives together with a result. The listener would go on and connect again.
        while self._listener is not None and not self._listener.done():
            self._listener.cancel()
            await asyncio.wait([self._listener], timeout=0.01)

    async def _next(self) -> Event:
        if not self._pubsub.subscribed:
            await self._pubsub.subscribe(self._channel)
        message = await self._pubsub.get_message(timeout=HEARTBEAT_SECONDS)
        if message is None:
            message = await self._ping()
        match message["type"]:
            case "subscribe":
                return SubscriptionConfirmed(self._channel, "")
            case "message":
                return Event(self._channel, message["data"].decode(errors="replace"))
            case _:
                return Heartbeat(self._channel, "")

    async def _ping(self) -> dict[str, Any]:
        await self._pubsub.ping()
        message: dict[str, Any] | None = await self._pubsub.get_message(timeout=HEARTBEAT_SECONDS)
        if message is None:
            raise TimeoutError("Redis does not answer.")
        return message
