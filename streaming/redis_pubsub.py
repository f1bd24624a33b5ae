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
"""Of silence, before a ping; of silence after the ping, before the connection counts as lost."""


class RedisErrors:
    """The commands that are refused at the moment; each refusal is logged once, until the command works again."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._refused)

    def note(self, command: str, error: Exception) -> None:
        """A command failed; it was refused if the server answered and said so."""
        if command in self._refused or not isinstance(error, ResponseError | AuthenticationError):
            return
        self._refused.add(command)
        _log.warning(
            "Redis refuses %s, so that events arrive by polling: %s. Allow the user in REDIS_URL to publish and to "
            "subscribe on the channels taskriver:*.",
            command,
            error,
        )

    def works(self, command: str) -> None:
        """A command was carried out."""
        if command in self._refused:
            self._refused.remove(command)
            _log.info("Redis accepts %s again", command)


class SubscriptionConfirmed(Event):
    """The subscription stands, perhaps again: whatever was published before it is lost."""


class Heartbeat(Event):
    """The server lives."""


class ConnectionLost(Event):
    """The connection is of no use any more, because of an *error*; nothing comes after this."""

    def __init__(self, channel: str, error: Exception) -> None:
        super().__init__(channel, str(error))
        self.error = error


def client(url: str) -> Redis:
    """A client that gives up after a second; whoever uses it tries again, and knows what to do meanwhile."""
    return Redis.from_url(
        url,
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


class RedisBackend(BroadcastBackend):
    """For one channel and one subscription.

    Whatever goes wrong comes out of `next_published` as an event, never as an exception: `broadcaster` would let its
    listener die of one without a word, and hide another behind a KeyError.
    """

    def __init__(self, url: str) -> None:
        self._redis = client(url)
        self._pubsub = self._redis.pubsub()
        self._wanted = asyncio.Event()
        self._listener: asyncio.Task[object] | None = None
        self._channel = ""

    async def connect(self) -> None:
        """Nothing yet: the connection is made when the first event is asked for."""

    async def disconnect(self) -> None:
        """Close the connection; a server that does not answer is not waited for."""
        try:
            async with asyncio.timeout(SOCKET_SECONDS):
                await self._end_listener()
                await self._pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py
                await self._redis.aclose()
        except (RedisError, OSError):
            pass  # it is gone, which is what was wanted

    async def subscribe(self, group: str) -> None:
        """Have this channel listened to."""
        self._channel = group
        self._wanted.set()

    async def unsubscribe(self, group: str) -> None:
        """Nothing: the connection goes with its subscription."""

    async def publish(self, channel: str, message: Any) -> None:
        """Publish to a channel; not more than a second.

        Raises:
            RedisError: the server cannot be reached.
        """
        await self._redis.publish(channel, message)

    async def next_published(self) -> Event:
        """What comes next: a message, `SubscriptionConfirmed`, `Heartbeat`, or at the very end `ConnectionLost`."""
        self._listener = asyncio.current_task()
        await self._wanted.wait()
        try:
            return await self._next()
        except Exception as error:
            self._wanted.clear()
            return ConnectionLost(self._channel, error)

    async def _end_listener(self) -> None:
        # `broadcaster` has cancelled it, but `asyncio.wait_for` of Python 3.11, which redis-py uses to send, loses a
        # cancellation that comes together with its result: the listener would go on, and connect again.
        while self._listener is not None and not self._listener.done():
            self._listener.cancel()
            await asyncio.wait([self._listener], timeout=0.01)

    async def _next(self) -> Event:
        if not self._pubsub.subscribed:
            await self._pubsub.subscribe(self._channel)
        message = await self._pubsub.get_message(timeout=HEARTBEAT_SECONDS)
        if message is None:
            message = await self._sign_of_life()
        match message["type"]:
            case "subscribe":
                return SubscriptionConfirmed(self._channel, "")
            case "message":
                return Event(self._channel, message["data"].decode(errors="replace"))
            case _:
                return Heartbeat(self._channel, "")

    async def _sign_of_life(self) -> dict[str, Any]:
        await self._pubsub.ping()
        message: dict[str, Any] | None = await self._pubsub.get_message(timeout=HEARTBEAT_SECONDS)
        if message is None:
            raise TimeoutError("Redis does not answer.")
        return message
