"""Limits on what may be done in a window of time, counted for all processes together.

Looking first and counting afterwards would let a hundred requests that arrive together all look before the first
is counted; so `take` does both in one step. For attempts whose failures count, see `failures`.
"""

import time
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from math import ceil
from typing import Final

from redis.asyncio import Redis

from domain.errors import RateLimited
from graphql_api.auth.limit import Limit
from graphql_api.auth.patient_redis import PatientRedis
from graphql_api.auth.windows import Windows

_SCRIPT: Final = files(__package__).joinpath("throttle.lua").read_text()
_NO_LIMIT: Final = 2**53  # the largest integer that Lua's numbers hold without loss


class Throttle:
    """Counts in Redis, and in this process alone while Redis does not answer: never not at all.

    What this process has counted in Redis it remembers, too: in an outage a guesser goes on with the count that they
    have here, and begins afresh in the other processes, once. What is counted meanwhile is not moved to Redis
    afterwards: that would need Redis exactly while it is unwell, and an attacker cannot make it so. A count that
    timed out may have reached Redis after all; then it counts in both places, which errs on the safe side.
    """

    def __init__(self, redis: Redis, *, patience: float = 0.35, pause: float = 1.0, most_windows: int = 10_000) -> None:
        """Take what `PatientRedis` does; *most_windows* bounds each limit's memory."""
        self.redis = PatientRedis(redis, patience=patience, pause=pause)
        self._own = Windows(most_windows, _Window)
        self.refused: Counter[str] = Counter()
        """Refusals, by the limit's name."""

    async def check(self, limit: Limit, key: str, *, message: str) -> None:
        """Refuse if the window is used up; count nothing.

        Raises:
            RateLimited: it is; says when it ends.
        """
        self.refuse(limit, await self._step(limit, key, limit.most, 0), message)

    async def take(self, limit: Limit, key: str, *, message: str, cost: int = 1) -> None:
        """Refuse if the window is used up, else count *cost*: in one atomic step. The last one may exceed the limit.

        Raises:
            RateLimited: it is used up; says when it ends.
        """
        self.refuse(limit, await self._step(limit, key, limit.most, cost), message)

    async def count(self, limit: Limit, key: str) -> None:
        """Count one, beyond the limit, too."""
        await self._step(limit, key, _NO_LIMIT, 1)

    def refuse(self, limit: Limit, milliseconds: int, message: str) -> None:
        """Raise and count a refusal if there is a time to wait for."""
        if milliseconds > 0:
            self.refused[limit.name] += 1
            raise RateLimited(message, retry_after=ceil(milliseconds / 1000))

    async def _step(self, limit: Limit, key: str, most: int, cost: int) -> int:
        """How many milliseconds to come back after; 0 = not refused."""
        window = f"throttle:{limit.window(key)}"
        left = await self.redis.run(_SCRIPT, [window], [most, limit.seconds * 1000, cost])
        if left is None:
            return self._own_step(limit, window, most, cost)
        if not left:
            self._own_step(limit, window, _NO_LIMIT, cost)
        return int(left)

    def _own_step(self, limit: Limit, name: str, most: int, cost: int) -> int:
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
