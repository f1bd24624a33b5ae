"""Limits on failed attempts, counted for all processes together. A running attempt counts as a failure.

    attempt = failures.attempt(
        [AttemptCount(PER_ACCOUNT, key, is_cleared=True), AttemptCount(PER_ADDRESS, address)], message=…
    )
    await attempt.begin()                    # raises RateLimited, or counts the attempt as running
    await attempt.end(failed=not matches)    # a success clears earlier failures

Because running attempts count, at most `max_count` of many simultaneous guesses reach the password check. A success
clears the failures that have ended; attempts that still run count when they fail. A success clears only the counts with
`is_cleared`: those of the account. The count of an address stays. Otherwise an attacker could reset it by signing in to
an account of their own.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from math import ceil
from typing import Final, Literal

from graphql_api.auth.rate_limits import LocalWindows, RateLimit, RateLimiter

LEASE_SECONDS: Final = 60
"""An attempt that runs longer than this no longer counts: its process has ended."""

_SCRIPT: Final = files(__package__).joinpath("failed_attempts.lua").read_text()
_BUSY_MS: Final = 1_000
_MAX_WINDOWS: Final = 10_000

_Step = Literal["check", "begin", "fail", "succeed", "give_up"]
_Decision = tuple[int, int]
"""The number of the exceeded limit, from 1, and the milliseconds to wait; (0, 0) if no limit is exceeded."""


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """A limit for a key. *is_cleared*: a success clears its failures."""

    limit: RateLimit
    key: str
    is_cleared: bool = False

    @property
    def name(self) -> str:
        """The name of the time window."""
        return self.limit.window(self.key)

    @property
    def keys(self) -> tuple[str, str]:
        """The Redis keys for the number of failures and for the running attempts."""
        return f"throttle:failed:{self.name}", f"throttle:running:{self.name}"


class FailedAttempts:
    """Counts failures in Redis. While Redis does not respond, it counts in this process, like `RateLimiter`."""

    def __init__(self, rate_limiter: RateLimiter, *, max_windows: int = _MAX_WINDOWS) -> None:
        self._rate_limiter = rate_limiter
        self._local = _LocalFailures(max_windows)

    def attempt(self, counts: Sequence[AttemptCount], *, message: str) -> "Attempt":
        """A new attempt that has not started. *message* is the message of the error if a limit is exceeded."""
        return Attempt(self, counts, message)

    async def step(self, step: _Step, attempt_id: str, counts: Sequence[AttemptCount], message: str) -> None:
        """Record a step of an attempt.

        Raises:
            RateLimited: a limit is exceeded.
        """
        keys = [key for count in counts for key in count.keys]
        found = await self._rate_limiter.redis.run(
            _SCRIPT, keys, [step, attempt_id, LEASE_SECONDS * 1000, *_arguments(counts)]
        )
        number, wait = self._local.step(step, attempt_id, counts, found)
        if number:
            self._rate_limiter.refuse(counts[number - 1].limit, wait, message)


class Attempt:
    """One attempt. Call `begin` directly before the password is checked, then `end` or `give_up`."""

    def __init__(self, failures: FailedAttempts, counts: Sequence[AttemptCount], message: str) -> None:
        self._failures = failures
        self._counts = counts
        self._message = message
        self._id = secrets.token_hex(8)
        self._is_running = False

    async def check(self) -> None:
        """Check the number of failures, without the running attempts. This counts nothing.

        Raises:
            RateLimited: there are too many failures.
        """
        await self._step("check")

    async def begin(self) -> None:
        """Check the number of failures and running attempts, then count this attempt as running.

        Raises:
            RateLimited: there are too many failures and running attempts.
        """
        await self._step("begin")
        self._is_running = True

    async def end(self, *, failed: bool) -> None:
        """Count the attempt as a failure, or clear the earlier failures."""
        self._is_running = False
        await self._step("fail" if failed else "succeed")

    async def give_up(self) -> None:
        """Stop counting the attempt if it is running: it ended without a result."""
        if self._is_running:
            self._is_running = False
            await self._step("give_up")

    async def _step(self, step: _Step) -> None:
        await self._failures.step(step, self._id, self._counts, self._message)


def _arguments(counts: Sequence[AttemptCount]) -> list[int]:
    return [
        argument
        for count in counts
        for argument in (count.limit.max_count, count.limit.seconds * 1000, int(count.is_cleared))
    ]


@dataclass(slots=True)
class _FailureWindow:
    ends_at: float
    failed: int = 0
    running: dict[str, float] = field(default_factory=dict)
    """The ids of running attempts, each with the time when it no longer counts."""

    def running_at(self, now: float) -> int:
        self.running = {each: until for each, until in self.running.items() if until > now}
        return len(self.running)


class _LocalFailures:
    """Does the same as `failed_attempts.lua`, in the memory of this process.

    A running attempt no longer counts when its window ends.
    """

    def __init__(self, max_windows: int) -> None:
        self._windows = LocalWindows(max_windows, _FailureWindow)

    def step(self, step: _Step, attempt_id: str, counts: Sequence[AttemptCount], found: list[int] | None) -> _Decision:
        """Record a step. *found* is the decision of Redis, or None if Redis did not respond."""
        decision = (int(found[0]), int(found[1])) if found is not None else self._decide(step, counts)
        if not decision[0]:
            for count in counts:
                self._record(step, attempt_id, count)
        return decision

    def _decide(self, step: _Step, counts: Sequence[AttemptCount]) -> _Decision:
        if step not in ("check", "begin"):
            return 0, 0
        waits = [self._wait(count, with_running=step == "begin") for count in counts]
        longest = max(waits)
        return (waits.index(longest) + 1, longest) if longest else (0, 0)

    def _wait(self, count: AttemptCount, *, with_running: bool) -> int:
        window, now = self._windows.find(count.limit, count.name), time.monotonic()
        if window is None:
            return 0
        if window.failed >= count.limit.max_count:
            return max(1, ceil((window.ends_at - now) * 1000))
        return _BUSY_MS if with_running and window.failed + window.running_at(now) >= count.limit.max_count else 0

    def _record(self, step: _Step, attempt_id: str, count: AttemptCount) -> None:
        if step in ("begin", "fail"):
            self._windows.find_or_begin(count.limit, count.name)
        window = self._windows.find(count.limit, count.name)
        if window is None:
            return
        window.running.pop(attempt_id, None)
        if step == "begin":
            window.running[attempt_id] = time.monotonic() + LEASE_SECONDS
        elif step == "fail":
            window.failed += 1
        elif step == "succeed" and count.is_cleared:
            window.failed = 0
