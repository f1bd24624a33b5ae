"""The number of idempotency keys of each account, without a COUNT query for every write."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

_MAX_ACCOUNTS: Final = 10_000
_MAX_AGE_SECONDS: Final = 60.0
_MAX_AGE_WHEN_FULL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """The number of keys of an account, and the time of the oldest one."""

    number: int
    oldest: datetime | None = None


@dataclass(slots=True)
class _Count:
    usage: KeyUsage
    at: float
    claimed_since: int = 0


class KeyCounts:
    """One process's cache of the number of keys per account; *most* is the limit per account.

    A cached count is used for a minute, and for an eighth of the keys that were left. So up to eight processes with
    separate caches do not exceed the limit together. Near the limit it is used for a thousandth of the limit: by so
    much the limit may be exceeded.
    """

    def __init__(self, most: int) -> None:
        self.most: Final = most
        self._counts: OrderedDict[UUID, _Count] = OrderedDict()

    async def after_claim(self, actor_id: UUID, count: Callable[[], Awaitable[KeyUsage]]) -> KeyUsage:
        """The usage of an account after one more claim; calls *count* if the cached count is not accurate enough."""
        known = self._counts.get(actor_id)
        if known is None or not self._is_accurate_enough(known):
            self._counts[actor_id] = known = _Count(await count(), at=time.monotonic())
            self._evict_oldest()
        else:
            known.claimed_since += 1
        self._counts.move_to_end(actor_id)
        return KeyUsage(known.usage.number + known.claimed_since, known.usage.oldest)

    def _is_accurate_enough(self, known: _Count) -> bool:
        age, room = time.monotonic() - known.at, self.most - known.usage.number
        if room < 0:
            return age < _MAX_AGE_WHEN_FULL_SECONDS
        return age < _MAX_AGE_SECONDS and known.claimed_since + 1 < max(room // 8, self.most // 1_000, 1)

    def _evict_oldest(self) -> None:
        while len(self._counts) > _MAX_ACCOUNTS:
            self._counts.popitem(last=False)
