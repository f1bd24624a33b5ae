"""Notifies other processes of new events, by Redis publish/subscribe. The log is the source of truth."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, Self

import orjson
from broadcaster import Broadcast, Event

from domain.event_parsing import read_logged
from domain.events import LoggedEvent
from persistence.event_log import Numbered
from streaming.asyncio_helpers import Backoff
from streaming.redis_pubsub import ConnectionLost, Heartbeat, RedisBackend, RedisErrors, SubscriptionConfirmed, client

MAX_BYTES: Final = 256 * 1024
"""A message that would be longer goes without its events; whoever hears it reads them in the table."""

ROOM: Final = 64


@dataclass(frozen=True, slots=True)
class Notification:
    """A batch of one history: the positions from *first* to *last*.

    `body` holds its events, as yet undecoded: each as `[position, kind, payload]`, with the kind and the payload as
    they are stored. What a newer version wrote is passed on unchanged.
    """

    epoch: str
    first: int
    last: int
    body: list[Any] | None

    @classmethod
    def of(cls, batch: Numbered) -> Self:
        """The chime for a batch that is not empty."""
        return cls(batch.epoch, batch.events[0].position, batch.events[-1].position, batch.bodies)

    def encode(self) -> bytes:
        """JSON: `{"epoch", "from", "to", "events"?}`, at most 256 kB."""
        head = {"epoch": self.epoch, "from": self.first, "to": self.last}
        whole = orjson.dumps(head | {"events": self.body})
        return whole if self.body is not None and len(whole) <= MAX_BYTES else orjson.dumps(head)

    @classmethod
    def decode(cls, message: str) -> Self:
        """The inverse of `encode`.

        Raises:
            ValueError: it is not a chime.
        """
        value = orjson.loads(message)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        epoch, first, last, body = (value.get(key) for key in ("epoch", "from", "to", "events"))
        if not (isinstance(epoch, str) and type(first) is int and type(last) is int and 0 < first <= last):
            raise ValueError("not a range of positions")
        if body is not None and not isinstance(body, list):
            raise ValueError("events must be a list")
        return cls(epoch, first, last, body)

    def events(self) -> list[LoggedEvent]:
        """The events, decoded; none if the message was too long for them.

        Raises:
            ValueError: they are not events, or not those of its positions.
        """
        if self.body is None:
            return []
        events = [read_logged(each) for each in self.body]
        if [logged.position for logged in events] != list(range(self.first, self.last + 1)):
            raise ValueError("not the events of its positions")
        return events


class PublishQueue:
    """A bounded queue that drops what it has no room for."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._waiting: deque[Notification] = deque()
        self._filled = asyncio.Event()

    def put(self, chime: Notification) -> None:
        """Take a chime, or drop it if there is no room; whoever misses it looks into the table."""
        if len(self._waiting) < self._room:
            self._waiting.append(chime)
            self._filled.set()

    async def get(self) -> Notification:
        """The oldest one; waits for it."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()

    def clear(self) -> None:
        """Drop everything."""
        self._waiting.clear()


CHANNEL: Final = "taskriver:events"
SILENCE_SECONDS: Final = 1.5
"""Beats come far more often; after this the subscription is rebuilt, whatever is the matter with it."""
LONGEST_PAUSE: Final = 0.4

_PUBLISH: Final = "PUBLISH"
_SUBSCRIBE: Final = "SUBSCRIBE"

OnChime = Callable[[Notification], None]
OnConfirmed = Callable[[], None]

_log: Final = logging.getLogger("taskriver.bell")


class Notifier:
    """One subscription and one publisher per process, rebuilt as often as need be.

    Processes that share a database share a channel; others must not.
    """

    def __init__(self, url: str, *, channel: str = CHANNEL) -> None:
        self._url = url
        self._channel = channel
        self._outbox = PublishQueue()
        self._tasks: list[asyncio.Task[None]] = []
        self._running = False
        self._on_chime: OnChime = lambda chime: None
        self._on_confirmed: OnConfirmed = lambda: None
        self.healthy = self._was_lost = self._was_puzzled = False
        self.refusals: Final = RedisErrors()
        """What Redis does not let us do, though it is there."""

    async def start(self, on_chime: OnChime, on_confirmed: OnConfirmed) -> None:
        """Begin to listen, whether Redis is there or not.

        *on_chime* is called for each chime, our own among them, and may raise ValueError if it makes no sense;
        *on_confirmed* each time that chimes may have been missed: the subscription was made again, or one was not read.
        """
        self._on_chime, self._on_confirmed = on_chime, on_confirmed
        self._running = True
        self._tasks = [asyncio.create_task(self._listen_forever()), asyncio.create_task(self._publish_forever())]

    async def stop(self) -> None:
        """Stop listening and publishing; what waits to be published is dropped."""
        self._running = False  # for a cancellation may get lost in redis-py, see its backend
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.healthy = False

    def ring(self, chime: Notification) -> None:
        """Publish when possible; returns at once, and drops the chime if Redis is slow or away."""
        self._outbox.put(chime)

    async def _listen_forever(self) -> None:
        backoff = Backoff(LONGEST_PAUSE)
        while self._running:
            try:
                await self._listen(backoff)
            except OSError as error:
                self._note_loss(error)
            except Exception:
                self.healthy = False
                _log.exception("listening to the bell failed, and is begun anew")
            await backoff.pause()

    async def _listen(self, backoff: Backoff) -> None:
        """One subscription, until it is lost.

        Raises:
            OSError: it was lost, or could not be made.
        """
        async with AsyncExitStack() as stack:
            backend = RedisBackend(self._url)
            # `Broadcast` closes its backend only if its own listener ended well.
            stack.push_async_callback(backend.disconnect)
            broadcast = await stack.enter_async_context(Broadcast(backend=backend))
            subscriber = await stack.enter_async_context(broadcast.subscribe(self._channel))
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    event = await subscriber.get()
                self._hear(event)
                backoff.reset()

    def _hear(self, event: Event) -> None:
        match event:
            case ConnectionLost():
                self.refusals.note(_SUBSCRIBE, event.error)
                raise ConnectionError(event.message)
            case SubscriptionConfirmed():
                self._note_confirmed()
            case Heartbeat():
                pass
            case _:
                self._hear_message(event.message)

    def _hear_message(self, message: str) -> None:
        try:
            self._on_chime(Notification.decode(message))
        except ValueError as error:
            # The next ones are the same most likely, and come as often as somebody writes.
            level = logging.DEBUG if self._was_puzzled else logging.WARNING
            _log.log(level, "a message on %s cannot be read, the log is read instead: %s", self._channel, error)
            self._was_puzzled = True
            self._on_confirmed()

    def _note_confirmed(self) -> None:
        if not self.healthy:
            # That it works from the start is what everybody expects.
            _log.log(logging.INFO if self._was_lost else logging.DEBUG, "the bell works")
        self.healthy = True
        self.refusals.works(_SUBSCRIBE)
        self._on_confirmed()

    def _note_loss(self, error: Exception) -> None:
        if self.healthy:
            _log.warning("the bell is silent, events come late: %s", str(error) or type(error).__name__)
        self.healthy, self._was_lost = False, True

    async def _publish_forever(self) -> None:
        redis, backoff = client(self._url), Backoff(LONGEST_PAUSE)
        try:
            while self._running:
                chime = await self._outbox.get()
                try:
                    await redis.publish(self._channel, chime.encode())
                    self.refusals.works(_PUBLISH)
                    backoff.reset()
                except Exception as error:
                    self.refusals.note(_PUBLISH, error)
                    _log.debug("a chime could not be published: %s", error)
                    self._outbox.clear()
                    await backoff.pause()
        finally:
            await redis.aclose()
