"""Counts of this process alone, for as long as their windows last."""

import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from graphql_api.auth.limit import Limit


class Ending(Protocol):
    """What is kept until an instant of `time.monotonic`."""

    ends_at: float


WindowT = TypeVar("WindowT", bound=Ending)


class Windows(Generic[WindowT]):
    """Windows by limit and name, at most *most* of each limit; the oldest give way to new ones."""

    def __init__(self, most: int, begin: Callable[[float], WindowT]) -> None:
        """*begin* makes a window that ends at the given instant."""
        self._most = most
        self._begin = begin
        # Apart by limit: windows of equal length end in the order in which they began, so only the first of them
        # has to be looked at to find one that has ended.
        self._by_limit: defaultdict[Limit, OrderedDict[str, WindowT]] = defaultdict(OrderedDict)

    def count(self, limit: Limit) -> int:
        """How many windows of a limit are kept."""
        return len(self._by_limit[limit])

    def find(self, limit: Limit, name: str) -> WindowT | None:
        """The window, unless it has ended."""
        window = self._by_limit[limit].get(name)
        if window is not None and window.ends_at <= time.monotonic():
            self.forget(limit, name)
            return None
        return window

    def find_or_begin(self, limit: Limit, name: str) -> WindowT:
        """The window; a new one if there is none."""
        return self.find(limit, name) or self._new(limit, name)

    def forget(self, limit: Limit, name: str) -> None:
        """Keep it no longer."""
        self._by_limit[limit].pop(name, None)

    def _new(self, limit: Limit, name: str) -> WindowT:
        windows, now = self._by_limit[limit], time.monotonic()
        _drop_ended(windows, now)
        if len(windows) >= self._most:
            windows.popitem(last=False)
        window = windows[name] = self._begin(now + limit.seconds)
        return window


def _drop_ended(windows: OrderedDict[str, WindowT], now: float) -> None:
    # Two for each that begins: memory goes back to normal, and no caller pays for everybody's past.
    for _ in range(2):
        oldest = next(iter(windows.values()), None)
        if oldest is None or oldest.ends_at > now:
            return
        windows.popitem(last=False)
