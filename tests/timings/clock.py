"""Seconds, as a person's watch counts them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def timed(seconds: list[float]) -> Iterator[None]:
    """Add how long the block took."""
    begun = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - begun)
