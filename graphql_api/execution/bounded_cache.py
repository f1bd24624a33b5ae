"""An LRU cache that is limited by count and by size."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


class BoundedCache(Generic[ValueT]):
    """An LRU cache with at most *max_count* values, which together have at most *max_bytes*."""

    def __init__(self, *, max_count: int, max_bytes: int) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, tuple[ValueT, int]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def get(self, key: Hashable) -> ValueT | None:
        """The value, or None. It becomes the most recently used one."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, value: ValueT, *, size: int) -> None:
        """Store a value of *size* bytes, unless it is larger than the whole cache."""
        if size > self._max_bytes:
            return
        self._drop(key)
        self._entries[key] = (value, size)
        self.bytes += size
        while len(self._entries) > self._max_count or self.bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def take(self, key: Hashable) -> ValueT | None:
        """Remove a value and return it; None if there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._drop(key)
        return entry[0]

    def oldest_first(self) -> list[Hashable]:
        """The keys, the least recently used one first."""
        return list(self._entries)

    def _drop(self, key: Hashable) -> None:
        _, size = self._entries.pop(key, (None, 0))
        self.bytes -= size
