"""Rate limits per time window, counted in Redis for all processes, or locally while Redis does not respond."""

import hashlib
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from math import ceil
from typing import Final, Generic, Protocol, TypeVar

from redis.asyncio import Redis

from domain.errors import RateLimited
from graphql_api.auth.redis_with_timeout import RedisWithTimeout

_SCRIPT: Final = files(__package__).joinpath("rate_limits.lua").read_text()
_NO_LIMIT: Final = 2**53  # the largest integer that Lua's numbers hold without loss


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most *max_count* requests in a window of *seconds*. A window starts with its first request.

    Around the end of a window, up to twice as many requests may follow each other closely. *name* separates the counts
    of different limits.
    """

    name: str
    max_count: int
    seconds: int

    def window(self, key: str) -> str:
        """The name of the window for a key. It contains a digest, so that Redis keys reveal no names or addresses."""
        # A username that a client sends may contain lone surrogates.
        text = f"{self.name}\0{key}".encode("utf-8", "surrogatepass")
        return f"{self.name}:{hashlib.sha256(text).hexdigest()}"


class HasEnd(Protocol):
    """An object that ends at a time of `time.monotonic`."""

    ends_at: float


WindowT = TypeVar("WindowT", bound=HasEnd)


class LocalWindows(Generic[WindowT]):
    """Windows by limit and name. It stores at most *max_windows* per limit and removes the oldest first."""

    def __init__(self, max_windows: int, begin: Callable[[float], WindowT]) -> None:
        """*begin* makes a window that ends at the given time."""
        self._max_windows = max_windows
        self._begin = begin
        # Windows of one limit have the same length, so they end in the order of their start: the first one ends first.
        self._by_limit: defaultdict[RateLimit, OrderedDict[str, WindowT]] = defaultdict(OrderedDict)

    def count(self, limit: RateLimit) -> int:
        """The number of stored windows of a limit."""
        return len(self._by_limit[limit])

    def find(self, limit: RateLimit, name: str) -> WindowT | None:
        """The window, or None if there is none or it has ended."""
        window = self._by_limit[limit].get(name)
        if window is not None and window.ends_at <= time.monotonic():
            self.forget(limit, name)
            return None
        return window

    def find_or_begin(self, limit: RateLimit, name: str) -> WindowT:
        """The window, or a new one."""
        return self.find(limit, name) or self._new(limit, name)

    def forget(self, limit: RateLimit, name: str) -> None:
        """Remove the window."""
        self._by_limit[limit].pop(name, None)

    def _new(self, limit: RateLimit, name: str) -> WindowT:
        windows, now = self._by_limit[limit], time.monotonic()
        _drop_ended(windows, now)
        if len(windows) >= self._max_windows:
            windows.popitem(last=False)
        window = windows[name] = self._begin(now + limit.seconds)
        return window


def _drop_ended(windows: OrderedDict[str, WindowT], now: float) -> None:
    # Remove at most two for each new window: the memory shrinks, and each call does only a little work.
    for _ in range(2):
        oldest = next(iter(windows.values()), None)
        if oldest is None or oldest.ends_at > now:
            return
        windows.popitem(last=False)


class RateLimiter:
    """Counts in Redis. While Redis does not respond, it counts in this process only. It always counts.

    This process also counts locally what it counts in Redis. So if Redis fails, an attacker continues with the count of
    this process, and starts from zero once in each other process. Counts of the outage are not added to Redis
    afterwards. A count that timed out may have reached Redis; then it counts in both places, which is the safe side.
    """

    def __init__(self, redis: Redis, *, timeout: float = 0.35, pause: float = 1.0, max_windows: int = 10_000) -> None:
        """See `RedisWithTimeout` for *timeout* and *pause*. *max_windows* limits the memory of each limit."""
        self.redis = RedisWithTimeout(redis, timeout=timeout, pause=pause)
        self._local = LocalWindows(max_windows, _RateWindow)
        self.refused: Counter[str] = Counter()
        """The number of refused requests, by the name of the limit."""

    async def check(self, limit: RateLimit, key: str, *, message: str) -> None:
        """Check the window without counting.

        Raises:
            RateLimited: the limit is reached; the error says when the window ends.
        """
        self.refuse(limit, await self._step(limit, key, limit.max_count, 0), message)

    async def take(self, limit: RateLimit, key: str, *, message: str, cost: int = 1) -> None:
        """Check the window and count *cost*, in one atomic step. The last *cost* may exceed the limit.

        Raises:
            RateLimited: the limit is reached; the error says when the window ends.
        """
        self.refuse(limit, await self._step(limit, key, limit.max_count, cost), message)

    async def count(self, limit: RateLimit, key: str) -> None:
        """Count one request, even if the limit is reached."""
        await self._step(limit, key, _NO_LIMIT, 1)

    def refuse(self, limit: RateLimit, milliseconds: int, message: str) -> None:
        """Raise `RateLimited`, and count it, if *milliseconds* is positive."""
        if milliseconds > 0:
            self.refused[limit.name] += 1
            raise RateLimited(message, retry_after=ceil(milliseconds / 1000))

    async def _step(self, limit: RateLimit, key: str, max_count: int, cost: int) -> int:
        """The milliseconds until the client may try again; 0 if the request is allowed."""
        window = f"throttle:{limit.window(key)}"
        left = await self.redis.run(_SCRIPT, [window], [max_count, limit.seconds * 1000, cost])
        if left is None:
            return self._local_step(limit, window, max_count, cost)
        if not left:
            self._local_step(limit, window, _NO_LIMIT, cost)
        return int(left)

    def _local_step(self, limit: RateLimit, name: str, max_count: int, cost: int) -> int:
        """Do the same as `rate_limits.lua`."""
        window = self._local.find(limit, name)
        if window is not None and window.count >= max_count:
            return max(1, ceil((window.ends_at - time.monotonic()) * 1000))
        if cost:
            self._local.find_or_begin(limit, name).count += cost
        return 0


@dataclass(slots=True)
class _RateWindow:
    ends_at: float
    count: int = 0
