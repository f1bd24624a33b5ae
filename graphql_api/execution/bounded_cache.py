"""A cache that cannot grow without end."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


class BoundedCache(Generic[ValueT]):
    """Values by text or another key, least recently used first to go, within a count and a number of bytes."""

    def __init__(self, *, max_count: int, max_bytes: int) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._held: OrderedDict[Hashable, tuple[ValueT, int]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable) -> ValueT | None:
        """The value, which now counts as just used; None when it is not here."""
        held = self._held.get(key)
        if held is None:
            return None
        self._held.move_to_end(key)
        return held[0]

    def put(self, key: Hashable, value: ValueT, *, size: int) -> None:
        """Keep a value of *size* bytes; one that is larger than the whole cache is not kept."""
        if size > self._max_bytes:
            return
        self._drop(key)
        self._held[key] = (value, size)
        self.bytes += size
        while len(self._held) > self._max_count or self.bytes > self._max_bytes:
            self._drop(next(iter(self._held)))

    def _drop(self, key: Hashable) -> None:
        _, size = self._held.pop(key, (None, 0))
        self.bytes -= size
