"""How many idempotency keys each account has, without counting them for every write."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

_MOST_ACCOUNTS: Final = 10_000
_SECONDS: Final = 60.0
_SECONDS_WHEN_FULL: Final = 1.0


@dataclass(frozen=True, slots=True)
class KeysKept:
    """How many keys an account has, and since when it has the oldest one."""

    number: int
    oldest: datetime | None = None


@dataclass(slots=True)
class _Count:
    kept: KeysKept
    at: float
    claimed_since: int = 0


class KeyCounts:
    """What one process knows of the accounts' keys; *most* is how many an account may have.

    A count is good for an eighth of the room that it has found, so up to eight processes that count by themselves
    do not exceed the limit together, and for a minute. Near the limit it is good for a thousandth of the limit: that
    much more may be kept.
    """

    def __init__(self, most: int) -> None:
        self.most: Final = most
        self._counts: OrderedDict[UUID, _Count] = OrderedDict()

    async def after_claim(self, actor_id: UUID, count: Callable[[], Awaitable[KeysKept]]) -> KeysKept:
        """The keys of an account that has claimed one more, counted by *count* if what is known is not good enough."""
        known = self._counts.get(actor_id)
        if known is None or not self._is_good(known):
            self._counts[actor_id] = known = _Count(await count(), at=time.monotonic())
            self._forget_the_oldest()
        else:
            known.claimed_since += 1
        self._counts.move_to_end(actor_id)
        return KeysKept(known.kept.number + known.claimed_since, known.kept.oldest)

    def _is_good(self, known: _Count) -> bool:
        age, room = time.monotonic() - known.at, self.most - known.kept.number
        if room < 0:
            return age < _SECONDS_WHEN_FULL
        return age < _SECONDS and known.claimed_since + 1 < max(room // 8, self.most // 1_000, 1)

    def _forget_the_oldest(self) -> None:
        while len(self._counts) > _MOST_ACCOUNTS:
            self._counts.popitem(last=False)
