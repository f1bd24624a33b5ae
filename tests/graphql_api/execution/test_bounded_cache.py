"""The cache stays within its bounds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.execution.bounded_cache import BoundedCache


def test_the_least_recently_used_entry_is_removed() -> None:
    """First of all."""
    cache: BoundedCache[int] = BoundedCache(max_count=2, max_bytes=100)
    cache.put("a", 1, size=1)
    cache.put("b", 2, size=1)
    cache.get("a")
    cache.put("c", 3, size=1)

    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_an_entry_larger_than_the_cache_is_not_stored() -> None:
    """Other entries stay."""
    cache: BoundedCache[int] = BoundedCache(max_count=2, max_bytes=100)
    cache.put("a", 1, size=1)
    cache.put("giant", 2, size=101)

    assert (cache.get("a"), cache.get("giant")) == (1, None)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 60))))
def test_the_bounds_hold(puts: list[tuple[str, int]]) -> None:
    """Count and bytes hold after any sequence of puts, and the bytes equal those of the entries."""
    cache: BoundedCache[int] = BoundedCache(max_count=4, max_bytes=100)
    for key, size in puts:
        cache.put(key, size, size=size)
        held = [value for value in map(cache.get, "abcdefgh") if value is not None]
        assert len(cache) == len(held) <= 4
        assert cache.bytes == sum(held) <= 100
