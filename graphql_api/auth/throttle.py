"""Limits on tries: so many in a window of time, counted for all processes together.

How to guard a sign-in, where only failures count:

    await throttle.take(FAILURES, key, message=…)   # refuse, or count this try as a failure in advance
    if await passwords.verify(…):
        await throttle.clear(FAILURES, key)         # it was none; the key's earlier failures are forgiven, too

Looking first and counting afterwards would let a hundred guesses that arrive together all look before the first
is counted. Taken in advance, no more than `most` guesses of a window ever reach the password.

`clear` is for a key that the success proves something about: the account. Where one key serves many accounts (an
address), `give_back` undoes only the one try; with `clear`, a guesser would sign in to an own account now and then
and start afresh.
"""

import asyncio
import hashlib
import logging
import time
from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from enum import IntEnum
from importlib.resources import files
from math import ceil
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.errors import RateLimited

# A connection that breaks while it is being made comes out of uvloop as a RuntimeError ("the handler is closed").
_FAILURES: Final = (RedisError, OSError, RuntimeError)

_SCRIPT: Final = files(__package__).joinpath("throttle.lua").read_text()
_NO_LIMIT: Final = 2**53  # the largest integer that Lua's numbers hold without loss

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most *most* tries in a window of *seconds*; the window begins with its first try.

    Such windows lie end to end, so in the worst case twice as many tries meet around the end of one. *name* keeps
    the counts of different limits apart.
    """

    name: str
    most: int
    seconds: int


class _Step(IntEnum):
    """What to do with the count, once it is not a reason to refuse."""

    LOOK = 0
    ADD = 1
    UNDO = -1


class Throttle:
    """Counts tries in Redis, and in this process alone while Redis does not answer: never not at all.

    Redis has *patience* seconds to answer. If it does not, it is left alone for *pause* seconds, then one request
    tries again: a frozen Redis costs one request a second its patience, and the others nothing.

    What this process has counted in Redis it remembers, too: in an outage a guesser goes on with the count that they
    have here, and begins afresh in the other processes, once. What is counted meanwhile is not moved to Redis
    afterwards: that would need Redis exactly while it is unwell, and an attacker cannot make it so. A count that
    timed out may have reached Redis after all; then it counts in both places, which errs on the safe side.
    """

    def __init__(self, redis: Redis, *, patience: float = 0.35, pause: float = 1.0, most_windows: int = 10_000) -> None:
        """Take a client, whose own timeouts and retries are overruled; *most_windows* bounds each limit's memory."""
        self._script = redis.register_script(_SCRIPT)
        self._redis = redis
        self._patience = patience
        self._pause = pause
        self._paused_until: float | None = None
        self._own = _OwnWindows(most_windows)
        self.refused: Counter[str] = Counter()
        """Refusals, by the limit's name."""

    async def check(self, limit: Limit, key: str, *, message: str) -> None:
        """Refuse if the window is used up; count nothing.

        Raises:
            RateLimited: it is; says when it ends.
        """
        self._refuse(limit, await self._step(limit, key, limit.most, _Step.LOOK), message)

    async def take(self, limit: Limit, key: str, *, message: str) -> None:
        """Refuse if the window is used up, else count one try: in one atomic step.

        Raises:
            RateLimited: it is used up; says when it ends.
        """
        self._refuse(limit, await self._step(limit, key, limit.most, _Step.ADD), message)

    async def count(self, limit: Limit, key: str) -> None:
        """Count one try, beyond the limit, too."""
        await self._step(limit, key, _NO_LIMIT, _Step.ADD)

    async def give_back(self, limit: Limit, key: str) -> None:
        """Undo one `take`. If its window has ended meanwhile, the new one is credited: never below nothing."""
        await self._step(limit, key, limit.most, _Step.UNDO)

    async def clear(self, limit: Limit, key: str) -> None:
        """Forget every try of the window."""
        window = _window_name(limit, key)
        self._own.forget(limit, window)
        if self._may_ask_redis():
            try:
                async with asyncio.timeout(self._patience):
                    await self._redis.delete(window)
                self._redis_answered()
            except _FAILURES as error:
                self._redis_failed(error)

    async def _step(self, limit: Limit, key: str, most: int, step: _Step) -> int:
        """How many milliseconds to come back after; 0 = not refused."""
        window = _window_name(limit, key)
        if self._may_ask_redis():
            try:
                async with asyncio.timeout(self._patience):
                    left = await self._script(keys=[window], args=[most, limit.seconds * 1000, int(step)])
                self._redis_answered()
                if not left:
                    self._own.step(limit, window, _NO_LIMIT, step)
                return int(left)
            except _FAILURES as error:
                self._redis_failed(error)
        return self._own.step(limit, window, most, step)

    def _refuse(self, limit: Limit, milliseconds: int, message: str) -> None:
        if milliseconds > 0:
            self.refused[limit.name] += 1
            raise RateLimited(message, retry_after=ceil(milliseconds / 1000))

    def _may_ask_redis(self) -> bool:
        if self._paused_until is None:
            return True
        if time.monotonic() < self._paused_until:
            return False
        # This caller finds out; whoever comes while it does so need not wait as well.
        self._paused_until = time.monotonic() + self._pause
        return True

    def _redis_answered(self) -> None:
        if self._paused_until is not None:
            self._paused_until = None
            _log.info("Redis answers again: limits are counted for all processes together.")

    def _redis_failed(self, error: Exception) -> None:
        if self._paused_until is None:
            _log.warning("Redis does not answer (%s): each process counts limits by itself.", type(error).__name__)
        self._paused_until = time.monotonic() + self._pause


@dataclass(slots=True)
class _Window:
    ends_at: float
    count: int = 0


class _OwnWindows:
    """The same windows in this process's memory, at most so many of each limit; the oldest give way to new ones."""

    def __init__(self, most_windows: int) -> None:
        self._most_windows = most_windows
        # Apart by limit: windows of equal length end in the order in which they began, so only the first of them
        # has to be looked at to find one that has ended.
        self._by_limit: defaultdict[Limit, OrderedDict[str, _Window]] = defaultdict(OrderedDict)

    def step(self, limit: Limit, name: str, most: int, step: _Step) -> int:
        """What `throttle.lua` does."""
        now = time.monotonic()
        window = self._find(limit, name, now)
        if step is not _Step.UNDO and window is not None and window.count >= most:
            return max(1, ceil((window.ends_at - now) * 1000))
        if step is _Step.ADD:
            window = window or self._begin(limit, name, now)
            window.count += 1
        elif step is _Step.UNDO and window is not None:
            window.count = max(0, window.count - 1)
        return 0

    def forget(self, limit: Limit, name: str) -> None:
        self._by_limit[limit].pop(name, None)

    def _find(self, limit: Limit, name: str, now: float) -> _Window | None:
        window = self._by_limit[limit].get(name)
        if window is not None and window.ends_at <= now:
            self.forget(limit, name)
            return None
        return window

    def _begin(self, limit: Limit, name: str, now: float) -> _Window:
        windows = self._by_limit[limit]
        _drop_ended(windows, now)
        if len(windows) >= self._most_windows:
            windows.popitem(last=False)
        window = windows[name] = _Window(ends_at=now + limit.seconds)
        return window


def _drop_ended(windows: OrderedDict[str, _Window], now: float) -> None:
    # Two for each that begins: memory goes back to normal, and no caller pays for everybody's past.
    for _ in range(2):
        oldest = next(iter(windows.values()), None)
        if oldest is None or oldest.ends_at > now:
            return
        windows.popitem(last=False)


def _window_name(limit: Limit, key: str) -> str:
    """Where a window is kept: a digest, so that neither names nor addresses can be read off the keys of a Redis."""
    # What people send as a name may hold lone surrogates.
    text = f"{limit.name}\0{key}".encode("utf-8", "surrogatepass")
    return f"throttle:{limit.name}:{hashlib.sha256(text).hexdigest()}"
