"""The highest rate at which 19 of 20 answers still come within 50 milliseconds."""

from collections.abc import Callable
from typing import Final

from tests.load.clients import PER_USER
from tests.load.figures import Figures

P95_MILLISECONDS: Final = 50.0
LEAST_KEPT: Final = 0.9
"""The share of requests that a server must answer to keep up."""
FINE_ENOUGH: Final = 1.1

Try = Callable[[int], Figures]
"""Puts the server under load with so many clients."""


def highest(attempt: Try, most: int = 1_024) -> Figures | None:
    """Look for it: twice as many clients until it is too many, then in between; None if even eight are too many."""
    best: Figures | None = None
    good, bad = 0, 0
    users = 8
    while users <= most:
        found = attempt(users)
        if is_healthy(found, users):
            good, best = users, found
        else:
            bad = users
        if bad and (good == 0 or bad <= good * FINE_ENOUGH):
            break
        users = good * 2 if not bad else (good + bad) // 2
        if users in (good, bad):
            break
    return best


def is_healthy(found: Figures, users: int) -> bool:
    """Whether the server kept up with the rate."""
    kept_up = found.rate >= LEAST_KEPT * users * PER_USER
    return kept_up and not found.failures and found.p95 <= P95_MILLISECONDS
