"""Plain numbers that only grow, for whoever wants to show them: nothing here locks, sends or looks anything up."""

from bisect import bisect_left
from typing import Final

BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; the upper ends of the buckets, the last of which is open."""


class Histogram:
    """How long things took: how many ended in each bucket, and the sum of all."""

    __slots__ = ("buckets", "sum")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one; clocks of two machines differ, so that less than nothing counts as nothing."""
        seconds = max(seconds, 0.0)
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds
