"""Notifies other processes of new events with Redis publish/subscribe. The log is the source of truth."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final, Self

import orjson
from broadcaster import Broadcast, Event
from redis.exceptions import RedisError

from domain.events import LoggedEvent
from domain.stored_event import read_logged
from persistence.event_log import Numbered
from streaming.asyncio_helpers import Backoff
from streaming.master_check import CHECK_SECONDS, MasterCheck
from streaming.redis_acl import CHANNEL
from streaming.redis_client import create_client
from streaming.redis_errors import RedisErrors, is_refusal
from streaming.redis_pubsub import SOCKET_SECONDS, ConnectionLost, Heartbeat, RedisBackend, SubscriptionConfirmed

MAX_BYTES: Final = 256 * 1024
"""A longer message is sent without its events; the receiver reads them from the log."""

MAX_WAITING: Final = 64


@dataclass(frozen=True, slots=True)
class Notification:
    """A batch of one epoch: the positions from *first* to *last*.

    `body` holds its undecoded events, each as `[position, kind, payload]` with the stored kind and payload. Events of a
    newer version are passed on unchanged. `committed_at` is about the time of their commit, if it is known: processes
    use it for a metric only.
    """

    epoch: str
    first: int
    last: int
    body: list[Any] | None
    committed_at: float | None = None

    @classmethod
    def of(cls, batch: Numbered, committed_at: float | None = None) -> Self:
        """The notification for a batch that is not empty."""
        return cls(batch.epoch, batch.events[0].position, batch.events[-1].position, batch.bodies, committed_at)

    def encode(self) -> bytes:
        """JSON: `{"epoch", "from", "to", "committed", "events"?}`, at most 256 kB."""
        head = {"epoch": self.epoch, "from": self.first, "to": self.last, "committed": self.committed_at}
        whole = orjson.dumps(head | {"events": self.body})
        return whole if self.body is not None and len(whole) <= MAX_BYTES else orjson.dumps(head)

    @classmethod
    def decode(cls, message: str) -> Self:
        """The inverse of `encode`.

        Raises:
            ValueError: it is not a notification.
        """
        value = orjson.loads(message)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        epoch, first, last, body = (value.get(key) for key in ("epoch", "from", "to", "events"))
        if not (isinstance(epoch, str) and type(first) is int and type(last) is int and 0 < first <= last):
            raise ValueError("not a range of positions")
        if body is not None and not isinstance(body, list):
            raise ValueError("events must be a list")
        committed_at = value.get("committed")
        return cls(epoch, first, last, body, committed_at if isinstance(committed_at, float) else None)

    def events(self) -> Sequence[LoggedEvent]:
        """The events; empty if the message was too long to contain them.

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
    """A bounded queue that drops new notifications while it is full."""

    def __init__(self, capacity: int = MAX_WAITING) -> None:
        self._capacity = capacity
        self._waiting: deque[Notification] = deque()
        self._filled = asyncio.Event()

    def put(self, notification: Notification) -> None:
        """Add a notification, or drop it if the queue is full. Receivers that miss it poll the log."""
        if len(self._waiting) < self._capacity:
            self._waiting.append(notification)
            self._filled.set()

    async def get(self) -> Notification:
        """Wait for the oldest notification, and remove it."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()

    def clear(self) -> None:
        """Remove all notifications."""
        self._waiting.clear()


SILENCE_SECONDS: Final = 1.5
"""Heartbeats are far more frequent. After this silence the subscription is made again."""
LONGEST_PAUSE: Final = 0.4

_PUBLISH: Final = "PUBLISH"
_SUBSCRIBE: Final = "SUBSCRIBE"
_WRITE: Final = "SET"

OnNotification = Callable[[Notification], None]
OnConfirmed = Callable[[], None]

_log: Final = logging.getLogger("taskriver.bell")


class _Unusable(ConnectionError):
    """Redis cannot be used at the moment. The cause is the error of Redis, if there is one."""


class Notifier:
    """One subscription and one publisher per process, which reconnect after failures.

    Processes that share a database share a channel; others must not.
    """

    def __init__(self, url: str, *, channel: str = CHANNEL) -> None:
        self._url = url
        self._channel = channel
        # The check and the publisher share one connection: the server that is checked is the one that publishes.
        self._redis = create_client(url, seconds=SOCKET_SECONDS, max_connections=1)
        self._check = MasterCheck(self._redis)
        self._queue = PublishQueue()
        self._tasks: list[asyncio.Task[None]] = []
        self._running = False
        self._on_notification: OnNotification = lambda notification: None
        self._on_confirmed: OnConfirmed = lambda: None
        self.healthy = self._was_lost = self._has_warned = False
        self.redis_errors: Final = RedisErrors()
        """Commands that Redis refuses although it is reachable."""

    async def start(self, on_notification: OnNotification, on_confirmed: OnConfirmed) -> None:
        """Start to listen, whether Redis is reachable or not.

        *on_notification* is called for each notification, this process's own included, and raises ValueError for an
        invalid one. *on_confirmed* is called whenever notifications may have been missed: after each new subscription,
        and after a message that could not be read.
        """
        self._on_notification, self._on_confirmed = on_notification, on_confirmed
        self._running = True
        loops = (self._listen_forever(), self._publish_forever(), self._check_forever())
        self._tasks = [asyncio.create_task(each) for each in loops]

    async def stop(self) -> None:
        """Stop listening and publishing; waiting notifications are dropped."""
        self._running = False  # redis-py can lose a cancellation, see `RedisBackend`
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(RedisError, OSError):
            await self._redis.aclose()
        self.healthy = False

    def publish(self, notification: Notification) -> None:
        """Publish a notification soon, without waiting. It is dropped if Redis is slow or unavailable."""
        self._queue.put(notification)

    async def _listen_forever(self) -> None:
        backoff = Backoff(LONGEST_PAUSE)
        while self._running:
            try:
                await self._listen(backoff)
            except OSError as error:
                self._on_lost(error)
            except Exception:
                self.healthy = False
                _log.exception("the Redis subscription failed; subscribing again")
            await backoff.pause()

    async def _listen(self, backoff: Backoff) -> None:
        """Run one subscription until it is lost, or until `stop`.

        Raises:
            OSError: it was lost, or could not be made.
        """
        await self._run_check()
        self._require_master()
        async with AsyncExitStack() as stack:
            backend = RedisBackend(self._url)
            # `Broadcast` closes its backend only if its own listener ended without an error.
            stack.push_async_callback(backend.disconnect)
            broadcast = await stack.enter_async_context(Broadcast(backend=backend))
            subscriber = await stack.enter_async_context(broadcast.subscribe(self._channel))
            while self._running:  # the check may have lost the cancellation
                async with asyncio.timeout(SILENCE_SECONDS):
                    event = await subscriber.get()
                self._require_master(backend)
                self._handle(event)
                backoff.reset()

    async def _check_forever(self) -> None:
        while self._running:
            await asyncio.sleep(CHECK_SECONDS)
            await self._run_check()

    async def _run_check(self) -> None:
        await self._check.run()
        if self._check.error is None:
            self.redis_errors.record_success(_WRITE)
        else:
            self.redis_errors.record_failure(_WRITE, self._check.error)

    def _require_master(self, backend: RedisBackend | None = None) -> None:
        """Check that the server can be used, and that *backend* listens to it.

        Raises:
            OSError: it cannot.
        """
        error, master = self._check.error, self._check.master
        # Heartbeats show whether the server answers. A slow answer to the check must not end a working subscription.
        if error is not None and (backend is None or self._check.is_refused):
            raise _Unusable(str(error)) from error
        if backend is not None and master is not None and backend.address not in (None, master):
            raise _Unusable("the master has changed")

    def _handle(self, event: Event) -> None:
        match event:
            case ConnectionLost():
                self.redis_errors.record_failure(_SUBSCRIBE, event.error)
                raise _Unusable(event.message) from event.error
            case SubscriptionConfirmed():
                self._on_subscribed()
            case Heartbeat():
                pass
            case _:
                self._handle_message(event.message)

    def _handle_message(self, message: str) -> None:
        try:
            self._on_notification(Notification.decode(message))
        except ValueError as error:
            # The next messages are most likely unreadable too, and as frequent as writes: only the first one is a
            # warning.
            level = logging.DEBUG if self._has_warned else logging.WARNING
            _log.log(level, "a message on %s cannot be read; reading the event log instead: %s", self._channel, error)
            self._has_warned = True
            self._on_confirmed()

    def _on_subscribed(self) -> None:
        if not self.healthy:
            # A working connection at the start is expected and not worth an info line.
            _log.log(logging.INFO if self._was_lost else logging.DEBUG, "Redis notifications work")
        self.healthy = True
        self.redis_errors.record_success(_SUBSCRIBE)
        self._on_confirmed()

    def _on_lost(self, error: OSError) -> None:
        is_first = self.healthy or not self._was_lost
        # A refusal has its own line in the log.
        if is_first and not (error.__cause__ is not None and is_refusal(error.__cause__)):
            _log.warning("no Redis notifications; events arrive later: %s", str(error) or type(error).__name__)
        self.healthy, self._was_lost = False, True

    async def _publish_forever(self) -> None:
        backoff = Backoff(LONGEST_PAUSE)
        while self._running:
            notification = await self._queue.get()
            if self._check.is_refused:
                continue
            try:
                await self._redis.publish(self._channel, notification.encode())
                self.redis_errors.record_success(_PUBLISH)
                backoff.reset()
            except Exception as error:
                self.redis_errors.record_failure(_PUBLISH, error)
                _log.debug("a notification could not be published: %s", error)
                self._queue.clear()
                await backoff.pause()
