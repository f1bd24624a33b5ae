"""Keeps a comparison within its time: on a slow machine it has fewer rounds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class TimeLimit:
    """Decides whether there is time for a round.

    The time of a round is estimated by its weight, which is about the number of its measurements, and by the time for
    each unit of weight so far. The first rounds of later parts come before the next rounds of an earlier one.
    """

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _began: float = field(init=False)
    _measured: float = 0.0
    """The time of the finished rounds."""
    _weight: float = 0.0
    """The weight of the finished rounds."""

    def __post_init__(self) -> None:
        self._began = self.clock()

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self._began + self.seconds - self.clock()

    def note(self, weight: float, seconds: float) -> None:
        """A round of this weight has taken this time."""
        self._weight += weight
        self._measured += seconds

    def allows(self, *weights: float) -> bool:
        """Whether there is time for rounds with these weights."""
        pace = self._measured / self._weight if self._weight else 0.0
        return pace * sum(weights) < self.left
