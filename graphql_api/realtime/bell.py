"""The doorbell between processes: Redis says that something happened, the table says what."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from broadcaster import Broadcast, Event

from graphql_api.realtime.chime import Chime
from graphql_api.realtime.forever import Backoff
from graphql_api.realtime.outbox import Outbox
from graphql_api.realtime.redis_backend import Beat, Confirmed, Lost, RedisBackend, client
from graphql_api.realtime.refusals import Refusals

CHANNEL: Final = "taskriver:events"
SILENCE_SECONDS: Final = 1.5
"""Beats come far more often; after this the subscription is rebuilt, whatever is the matter with it."""
LONGEST_PAUSE: Final = 0.4

_PUBLISH: Final = "PUBLISH"
_SUBSCRIBE: Final = "SUBSCRIBE"

OnChime = Callable[[Chime], None]
OnConfirmed = Callable[[], None]

_log: Final = logging.getLogger("taskriver.bell")


class Bell:
    """One subscription and one publisher per process, rebuilt as often as need be.

    Processes that share a database share a channel; others must not.
    """

    def __init__(self, url: str, *, channel: str = CHANNEL) -> None:
        self._url = url
        self._channel = channel
        self._outbox = Outbox()
        self._tasks: list[asyncio.Task[None]] = []
        self._running = False
        self._on_chime: OnChime = lambda chime: None
        self._on_confirmed: OnConfirmed = lambda: None
        self.healthy = self._was_lost = self._was_puzzled = False
        self.refusals: Final = Refusals()
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

    def ring(self, chime: Chime) -> None:
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
            case Lost():
                self.refusals.note(_SUBSCRIBE, event.error)
                raise ConnectionError(event.message)
            case Confirmed():
                self._note_confirmed()
            case Beat():
                pass
            case _:
                self._hear_message(event.message)

    def _hear_message(self, message: str) -> None:
        try:
            self._on_chime(Chime.decode(message))
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
