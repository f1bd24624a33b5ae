"""Limits of the writes per user and per token, which all processes share.

A process takes writes from Redis in blocks and spends them without asking again, so most writes do not wait for Redis.
All blocks together are never more than the limit. See docs/decisions/0044-write-limits.md.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from math import ceil
from typing import Final
from uuid import UUID

from asgi.request_context import Header
from domain.actor import Actor
from graphql_api.auth.rate_limits import RateLimit, RateLimiter

MAX_BLOCK: Final = 100
"""The most writes that a process takes at once."""

BLOCKS: Final = 100
"""A limit has at least so many blocks. A limit below has blocks of one write."""

_SCRIPT: Final = files(__package__).joinpath("write_limits.lua").read_text()
_MAX_SHARES: Final = 10_000


def no_writes_left(whose: str, most: int) -> str:
    """The message for a write beyond the limit of a user or a token."""
    return f"This {whose} may make {most:,} changes a minute, and has too few left for this request. Try again later."


@dataclass(frozen=True, slots=True)
class Budget:
    """What remains of a limit in the current window, as far as this process knows."""

    limit: RateLimit
    remaining: int
    reset_seconds: int


@dataclass(slots=True)
class _Share:
    """The part of a window that this process may spend: `left` of the `granted` writes of all processes."""

    ends_at: float
    left: int = 0
    granted: int = 0
    spent: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Shares:
    """The shares of one limit, by user or by token."""

    def __init__(self, limiter: RateLimiter, limit: RateLimit, whose: str) -> None:
        self._limiter = limiter
        self.limit = limit
        self._whose = whose
        self._block = max(1, min(MAX_BLOCK, limit.max_count // BLOCKS))
        self._by_id: OrderedDict[UUID, _Share] = OrderedDict()

    def find(self, identity: UUID) -> _Share | None:
        share = self._by_id.get(identity)
        return share if share is not None and share.ends_at > time.monotonic() else None

    def cost(self, cost: int) -> int:
        # What costs more than the limit takes all of it. Otherwise it could never be done.
        return min(cost, self.limit.max_count)

    async def fill(self, identity: UUID, cost: int) -> None:
        """Take writes, unless the share has enough.

        Raises:
            RateLimited: fewer remain.
        """
        share = self.find(identity) or self._begin(identity)
        async with share.lock:  # Requests that wait for the same share take one block, not one each.
            missing = self.cost(cost) - share.left
            if missing <= 0:
                return
            # Redis does not know what this process has spent while Redis was away.
            room = self.limit.max_count - share.spent - share.left
            granted = 0
            if share.granted < self.limit.max_count and missing <= room:
                granted = await self._grant(identity, share, missing, min(max(missing, self._block), room))
            if not granted:
                wait = max(1, ceil((share.ends_at - time.monotonic()) * 1000))
                self._limiter.refuse(self.limit, wait, no_writes_left(self._whose, self.limit.max_count))
            share.left += granted

    async def _grant(self, identity: UUID, share: _Share, missing: int, wanted: int) -> int:
        window = f"throttle:{self.limit.window(str(identity))}"
        length, asked_at = self.limit.seconds, time.monotonic()
        arguments = [self.limit.max_count, length * 1000, missing, wanted]
        answer = await self._limiter.redis.run(_SCRIPT, [window], arguments)
        if answer is None:
            return wanted  # Redis is away: this process is limited by what it has spent itself.
        granted, share.granted, milliseconds = map(int, answer)
        share.ends_at = asked_at + milliseconds / 1000
        return granted

    def _begin(self, identity: UUID) -> _Share:
        self._by_id.pop(identity, None)
        if len(self._by_id) >= _MAX_SHARES:
            self._by_id.popitem(last=False)
        share = self._by_id[identity] = _Share(time.monotonic() + self.limit.seconds)
        return share

    def budget(self, identity: UUID) -> Budget | None:
        share = self.find(identity)
        if share is None:
            return None
        used = max(share.granted - share.left, share.spent)
        seconds = max(1, ceil(share.ends_at - time.monotonic()))
        return Budget(self.limit, max(0, self.limit.max_count - used), seconds)


class WriteLimits:
    """Counts the writes of actors who have signed in or sent a token. The operator is not limited.

    While Redis does not respond, each process counts by itself.
    """

    def __init__(self, limiter: RateLimiter, *, per_user: RateLimit | None, per_token: RateLimit | None) -> None:
        """None is no limit. *limiter* has the connection to Redis, and counts refused requests."""
        self._users = _Shares(limiter, per_user, "user") if per_user is not None else None
        self._tokens = _Shares(limiter, per_token, "token") if per_token is not None else None
        limits = {"user": per_user, "token": per_token}
        self.policies = {
            limit: (name, f'"{name}";q={limit.max_count};w={limit.seconds}') for name, limit in limits.items() if limit
        }
        """The name and the policy of each limit, for `rate_limit_headers`."""

    def take_now(self, actor: Actor, cost: int) -> bool:
        """Count a write, if this process has a share that is large enough; else do nothing."""
        taken: list[tuple[_Share, int]] = []
        for shares, identity in self._of(actor):
            share, part = shares.find(identity), shares.cost(cost)
            if share is None or share.left < part:
                return False
            taken.append((share, part))
        for share, part in taken:
            share.left -= part
            share.spent += part
        return True

    async def take(self, actor: Actor, cost: int) -> None:
        """Count a write.

        Raises:
            RateLimited: a limit is reached; nothing is counted. The error says when the window ends.
        """
        while not self.take_now(actor, cost):
            for shares, identity in self._of(actor):
                await shares.fill(identity, cost)

    def give_back(self, actor: Actor, cost: int) -> None:
        """Count a write no more. If its window has ended, the one that has begun gets no more than it had."""
        for shares, identity in self._of(actor):
            share = shares.find(identity)
            if share is not None:
                part = min(shares.cost(cost), share.spent)
                share.left += part
                share.spent -= part

    def budgets(self, actor: Actor) -> list[Budget]:
        """What remains for the actor; nothing, if this process does not know a current window."""
        found = [shares.budget(identity) for shares, identity in self._of(actor)]
        return [each for each in found if each is not None]

    def _of(self, actor: Actor) -> Iterator[tuple[_Shares, UUID]]:
        if actor.session_id is None and actor.token_id is None:
            return
        if self._users is not None:
            yield self._users, actor.user_id
        if self._tokens is not None and actor.token_id is not None:
            yield self._tokens, actor.token_id

    def headers(self, budgets: Sequence[Budget]) -> list[Header]:
        """The headers `RateLimit-Policy` and `RateLimit`, with an item for each limit.

        Their syntax is that of draft-ietf-httpapi-ratelimit-headers-11: `q` is the quota, `w` the length of the window
        in seconds, `r` what remains, and `t` the seconds until the window ends.
        """
        if not budgets:
            return []
        policies = ", ".join(self.policies[each.limit][1] for each in budgets)
        remaining = ", ".join(
            f'"{self.policies[each.limit][0]}";r={each.remaining};t={each.reset_seconds}' for each in budgets
        )
        return [(b"ratelimit-policy", policies.encode("ascii")), (b"ratelimit", remaining.encode("ascii"))]
