"""A histogram of durations: plain counters without locks."""

from bisect import bisect_left
from typing import Final

BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the buckets in seconds; the last bucket has no bound."""


class Histogram:
    """The number of durations in each bucket, and their sum."""

    __slots__ = ("buckets", "sum")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float, count: int = 1) -> None:
        """Add *count* equal durations. A negative one counts as 0: it comes from a difference between two clocks."""
        seconds = max(seconds, 0.0)
        self.buckets[bisect_left(BOUNDS, seconds)] += count
        self.sum += seconds * count
