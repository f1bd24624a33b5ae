"""Keys are counted seldom, and never too few of them."""

from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from persistence import idempotency_counts as module
from persistence.idempotency_counts import KeyCounts, KeyUsage


class Table:
    """An account's keys, and how often they were counted."""

    def __init__(self) -> None:
        self.keys = 0
        self.counted = 0
        self.actor_id: UUID = uuid4()

    async def claim(self, counts: KeyCounts) -> int:
        """Claim one more; returns how many there are, as far as is known."""
        self.keys += 1
        return (await counts.after_claim(self.actor_id, self.count)).number

    async def count(self) -> KeyUsage:
        """All of them."""
        self.counted += 1
        return KeyUsage(self.keys)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The process's clock, to be turned by hand."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


async def test_a_hundred_thousand_keys_are_counted_some_dozen_times(clock: SimpleNamespace) -> None:
    """The number that is known is right all the time, and the table was counted for one write in a thousand."""
    counts, table = KeyCounts(100_000), Table()
    for number in range(1, 100_001):
        assert await table.claim(counts) == number
    assert table.counted <= 100


async def test_small_limits_are_exact(clock: SimpleNamespace) -> None:
    """Near the limit every write counts."""
    counts, table = KeyCounts(10), Table()
    assert [await table.claim(counts) for _ in range(12)] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]


async def test_a_full_account_is_counted_once_a_second(clock: SimpleNamespace) -> None:
    """Not for each refusal."""
    counts, table = KeyCounts(10), Table()
    table.keys = 10
    for _ in range(100):
        assert await table.claim(counts) > 10
    assert table.counted == 1
    table.keys = 3
    clock.now += 1.0
    assert await table.claim(counts) == 4


async def test_keys_of_other_processes_count_within_a_minute(clock: SimpleNamespace) -> None:
    """A count expires."""
    counts, table = KeyCounts(100_000), Table()
    await table.claim(counts)
    table.keys = 100_000
    clock.now += 60.0
    assert await table.claim(counts) == 100_001


async def test_eight_processes_keep_the_limit_together(clock: SimpleNamespace) -> None:
    """Each counts by itself, and all of them together exceed the limit by no more than a thousandth each."""
    table, processes, most = Table(), [KeyCounts(10_000) for _ in range(8)], 10_000
    made = 0
    for _ in range(2 * most // 8):
        for counts in processes:
            if await table.claim(counts) > most:
                table.keys -= 1
            else:
                made += 1
    assert most <= made <= most + 8 * most // 1_000


async def test_accounts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded."""
    monkeypatch.setattr(module, "_MAX_ACCOUNTS", 3)
    counts = KeyCounts(10)
    for _ in range(5):
        await Table().claim(counts)
    assert len(counts._counts) == 3
