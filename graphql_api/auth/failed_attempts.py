"""Limits on failed attempts, counted for all processes together; an attempt counts while it runs.

    attempt = failures.attempt([Tally(PER_ACCOUNT, key, is_cleared=True), Tally(PER_ADDRESS, address)], message=…)
    await attempt.begin()                    # refuse, or note that it runs
    await attempt.end(failed=not matches)    # a success clears the failures before it

While it runs an attempt counts as a failure, so that no more than `most` guesses which arrive together reach the
password. A success clears the failures that have ended; those that still run count when they fail. Only keys that the
success proves something about are cleared: the account. A key of many accounts (an address) keeps its failures, or a
guesser could sign in to an own account now and then and start afresh.
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
"""An attempt that has not ended by then is given up: its process died."""

_SCRIPT: Final = files(__package__).joinpath("failed_attempts.lua").read_text()
_BUSY_MS: Final = 1_000
_MOST_WINDOWS: Final = 10_000

_Happens = Literal["look", "begin", "fail", "succeed", "give_up"]
_Refusal = tuple[int, int]
"""The number of the limit that refuses, from 1, and the milliseconds to come back after; (0, 0): none does."""


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """A limit for a key; *is_cleared*: a success clears its failures."""

    limit: RateLimit
    key: str
    is_cleared: bool = False

    @property
    def name(self) -> str:
        """Names its window."""
        return self.limit.window(self.key)

    @property
    def keys(self) -> tuple[str, str]:
        """Where Redis keeps what has failed, and what runs."""
        return f"throttle:failed:{self.name}", f"throttle:running:{self.name}"


class FailedAttempts:
    """Counts in Redis, and in this process alone while Redis does not answer, as `RateLimiter` does."""

    def __init__(self, throttle: RateLimiter, *, most_windows: int = _MOST_WINDOWS) -> None:
        self._throttle = throttle
        self._own = _OwnFailures(most_windows)

    def attempt(self, tallies: Sequence[AttemptCount], *, message: str) -> "Attempt":
        """An attempt that has not begun; *message* says why it is refused."""
        return Attempt(self, tallies, message)

    async def step(self, happens: _Happens, attempt_id: str, tallies: Sequence[AttemptCount], message: str) -> None:
        """Note what happens to an attempt.

        Raises:
            RateLimited: a limit refuses it.
        """
        keys = [key for tally in tallies for key in tally.keys]
        found = await self._throttle.redis.run(
            _SCRIPT, keys, [happens, attempt_id, LEASE_SECONDS * 1000, *_arguments(tallies)]
        )
        number, wait = self._own.step(happens, attempt_id, tallies, found)
        if number:
            self._throttle.refuse(tallies[number - 1].limit, wait, message)


class Attempt:
    """One attempt: begun once it is certain that its work will be done, and then ended or given up."""

    def __init__(self, failures: FailedAttempts, tallies: Sequence[AttemptCount], message: str) -> None:
        self._failures = failures
        self._tallies = tallies
        self._message = message
        self._id = secrets.token_hex(8)
        self._runs = False

    async def check(self) -> None:
        """Refuse if there are too many failures already; attempts that run are not looked at.

        Raises:
            RateLimited: there are.
        """
        await self._step("look")

    async def begin(self) -> None:
        """Refuse if failures and running attempts are too many, else count this one as running.

        Raises:
            RateLimited: they are.
        """
        await self._step("begin")
        self._runs = True

    async def end(self, *, failed: bool) -> None:
        """Count it as a failure, or clear the failures before it."""
        self._runs = False
        await self._step("fail" if failed else "succeed")

    async def give_up(self) -> None:
        """Count it no longer, if it runs: nobody knows how it would have ended."""
        if self._runs:
            self._runs = False
            await self._step("give_up")

    async def _step(self, happens: _Happens) -> None:
        await self._failures.step(happens, self._id, self._tallies, self._message)


def _arguments(tallies: Sequence[AttemptCount]) -> list[int]:
    return [
        argument
        for tally in tallies
        for argument in (tally.limit.most, tally.limit.seconds * 1000, int(tally.is_cleared))
    ]


@dataclass(slots=True)
class _Window:
    ends_at: float
    failed: int = 0
    running: dict[str, float] = field(default_factory=dict)
    """The instants at which attempts are given up, by their ids."""

    def runs_at(self, now: float) -> int:
        self.running = {each: until for each, until in self.running.items() if until > now}
        return len(self.running)


class _OwnFailures:
    """What `failures.lua` does, in this process's memory. Attempts that run across the end of a window are lost."""

    def __init__(self, most_windows: int) -> None:
        self._windows = LocalWindows(most_windows, _Window)

    def step(
        self, happens: _Happens, attempt_id: str, tallies: Sequence[AttemptCount], found: list[int] | None
    ) -> _Refusal:
        """Note what happens; *found* is what Redis decided, None if it did not."""
        refusal = (int(found[0]), int(found[1])) if found is not None else self._refusal(happens, tallies)
        if not refusal[0]:
            for tally in tallies:
                self._note(happens, attempt_id, tally)
        return refusal

    def _refusal(self, happens: _Happens, tallies: Sequence[AttemptCount]) -> _Refusal:
        if happens not in ("look", "begin"):
            return 0, 0
        waits = [self._wait(tally, with_running=happens == "begin") for tally in tallies]
        longest = max(waits)
        return (waits.index(longest) + 1, longest) if longest else (0, 0)

    def _wait(self, tally: AttemptCount, *, with_running: bool) -> int:
        window, now = self._windows.find(tally.limit, tally.name), time.monotonic()
        if window is None:
            return 0
        if window.failed >= tally.limit.most:
            return max(1, ceil((window.ends_at - now) * 1000))
        return _BUSY_MS if with_running and window.failed + window.runs_at(now) >= tally.limit.most else 0

    def _note(self, happens: _Happens, attempt_id: str, tally: AttemptCount) -> None:
        if happens in ("begin", "fail"):
            self._windows.find_or_begin(tally.limit, tally.name)
        window = self._windows.find(tally.limit, tally.name)
        if window is None:
            return
        window.running.pop(attempt_id, None)
        if happens == "begin":
            window.running[attempt_id] = time.monotonic() + LEASE_SECONDS
        elif happens == "fail":
            window.failed += 1
        elif happens == "succeed" and tally.is_cleared:
            window.failed = 0
