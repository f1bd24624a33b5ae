"""A Redis backend for `broadcaster` that detects dead connections and refused commands."""

import asyncio
import logging
from typing import Any, Final

from broadcaster import BroadcastBackend, Event
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

_log: Final = logging.getLogger("taskriver.bell")

SOCKET_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 0.35
"""Silence before a ping is sent; and silence after it before the connection counts as lost."""


class RedisErrors:
    """The commands that Redis refuses at the moment. Each is logged once, until it works again."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._refused)

    def record_failure(self, command: str, error: Exception) -> None:
        """Record that a command failed. It counts as refused if Redis answered with an error."""
        if command in self._refused or not isinstance(error, ResponseError | AuthenticationError):
            return
        self._refused.add(command)
        _log.warning(
            "Redis refuses %s; events arrive by polling: %s. Allow the user in REDIS_URL to publish and to "
            "subscribe on the channels taskriver:*.",
            command,
            error,
        )

    def record_success(self, command: str) -> None:
        """Record that a command worked."""
        if command in self._refused:
            self._refused.remove(command)
            _log.info("Redis accepts %s again", command)


class SubscriptionConfirmed(Event):
    """The subscription is active, perhaps after a reconnect: messages that were published before may be lost."""


class Heartbeat(Event):
    """The server answers."""


class ConnectionLost(Event):
    """The connection failed with *error*. It is the last event of a subscription."""

    def __init__(self, channel: str, error: Exception) -> None:
        super().__init__(channel, str(error))
        self.error = error


def client(url: str) -> Redis:
    """A client with a timeout of one second and without retries. Callers retry themselves."""
    return Redis.from_url(
        url,
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


class RedisBackend(BroadcastBackend):
    """A backend for one channel and one subscription.

    `next_published` reports every failure as an event, never as an exception: `broadcaster` would end its listener
    silently after one exception, and hide another one behind a KeyError.
    """

    def __init__(self, url: str) -> None:
        self._redis = client(url)
        self._pubsub = self._redis.pubsub()
        self._has_channel = asyncio.Event()
        self._listener: asyncio.Task[object] | None = None
        self._channel = ""

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
