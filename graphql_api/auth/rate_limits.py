"""Rate limits per time window, counted in Redis for all processes, or locally while Redis does not answer."""

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
    """At most *most* in a window of *seconds*; the window begins with the first one.

    Such windows lie end to end, so in the worst case twice as many meet around the end of one. *name* keeps the
    counts of different limits apart.
    """

    name: str
    most: int
    seconds: int

    def window(self, key: str) -> str:
        """Names the window of a key, by a digest: neither names nor addresses can be read off the keys of a Redis."""
        # What people send as a name may hold lone surrogates.
        text = f"{self.name}\0{key}".encode("utf-8", "surrogatepass")
        return f"{self.name}:{hashlib.sha256(text).hexdigest()}"


class HasEnd(Protocol):
    """What is kept until an instant of `time.monotonic`."""

    ends_at: float


WindowT = TypeVar("WindowT", bound=HasEnd)


class LocalWindows(Generic[WindowT]):
    """Windows by limit and name, at most *most* of each limit; the oldest give way to new ones."""

    def __init__(self, most: int, begin: Callable[[float], WindowT]) -> None:
        """*begin* makes a window that ends at the given instant."""
        self._most = most
        self._begin = begin
        # Apart by limit: windows of equal length end in the order in which they began, so only the first of them
        # has to be looked at to find one that has ended.
        self._by_limit: defaultdict[RateLimit, OrderedDict[str, WindowT]] = defaultdict(OrderedDict)

    def count(self, limit: RateLimit) -> int:
        """How many windows of a limit are kept."""
        return len(self._by_limit[limit])

    def find(self, limit: RateLimit, name: str) -> WindowT | None:
        """The window, unless it has ended."""
        window = self._by_limit[limit].get(name)
        if window is not None and window.ends_at <= time.monotonic():
            self.forget(limit, name)
            return None
        return window

    def find_or_begin(self, limit: RateLimit, name: str) -> WindowT:
        """The window; a new one if there is none."""
        return self.find(limit, name) or self._new(limit, name)

    def forget(self, limit: RateLimit, name: str) -> None:
        """Keep it no longer."""
        self._by_limit[limit].pop(name, None)

    def _new(self, limit: RateLimit, name: str) -> WindowT:
        windows, now = self._by_limit[limit], time.monotonic()
        _drop_ended(windows, now)
        if len(windows) >= self._most:
            windows.popitem(last=False)
        window = windows[name] = self._begin(now + limit.seconds)
        return window


def _drop_ended(windows: OrderedDict[str, WindowT], now: float) -> None:
    # Two for each that begins: memory goes back to normal, and no caller pays for everybody's past.
    for _ in range(2):
        oldest = next(iter(windows.values()), None)
        if oldest is None or oldest.ends_at > now:
            return
        windows.popitem(last=False)


class RateLimiter:
    """Counts in Redis, and in this process alone while Redis does not answer: never not at all.

    What this process has counted in Redis it remembers, too: in an outage a guesser goes on with the count that they
    have here, and begins afresh in the other processes, once. What is counted meanwhile is not moved to Redis
    afterwards: that would need Redis exactly while it is unwell, and an attacker cannot make it so. A count that
    timed out may have reached Redis after all; then it counts in both places, which errs on the safe side.
    """

    def __init__(self, redis: Redis, *, patience: float = 0.35, pause: float = 1.0, most_windows: int = 10_000) -> None:
        """Take what `RedisWithTimeout` does; *most_windows* bounds each limit's memory."""
        self.redis = RedisWithTimeout(redis, patience=patience, pause=pause)
        self._own = LocalWindows(most_windows, _Window)
        self.refused: Counter[str] = Counter()
        """Refusals, by the limit's name."""

    async def check(self, limit: RateLimit, key: str, *, message: str) -> None:
        """Refuse if the window is used up; count nothing.

        Raises:
            RateLimited: it is; says when it ends.
        """
        self.refuse(limit, await self._step(limit, key, limit.most, 0), message)

    async def take(self, limit: RateLimit, key: str, *, message: str, cost: int = 1) -> None:
        """Refuse if the window is used up, else count *cost*: in one atomic step. The last one may exceed the limit.

        Raises:
            RateLimited: it is used up; says when it ends.
        """
        self.refuse(limit, await self._step(limit, key, limit.most, cost), message)

    async def count(self, limit: RateLimit, key: str) -> None:
        """Count one, beyond the limit, too."""
        await self._step(limit, key, _NO_LIMIT, 1)

    def refuse(self, limit: RateLimit, milliseconds: int, message: str) -> None:
        """Raise and count a refusal if there is a time to wait for."""
        if milliseconds > 0:
            self.refused[limit.name] += 1
            raise RateLimited(message, retry_after=ceil(milliseconds / 1000))

    async def _step(self, limit: RateLimit, key: str, most: int, cost: int) -> int:
        """How many milliseconds to come back after; 0 = not refused."""
        window = f"throttle:{limit.window(key)}"
        left = await self.redis.run(_SCRIPT, [window], [most, limit.seconds * 1000, cost])
        if left is None:
            return self._own_step(limit, window, most, cost)
        if not left:
            self._own_step(limit, window, _NO_LIMIT, cost)
        return int(left)

    def _own_step(self, limit: RateLimit, name: str, most: int, cost: int) -> int:
        """What `throttle.lua` does."""
        window = self._own.find(limit, name)
        if window is not None and window.count >= most:
            return max(1, ceil((window.ends_at - time.monotonic()) * 1000))
        if cost:
            self._own.find_or_begin(limit, name).count += cost
        return 0


@dataclass(slots=True)
class _Window:
    ends_at: float
    count: int = 0
