"""Ratios within a round, in which other load of the machine affects both sides."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.results import Measurement


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the rounds, the smallest and the largest value."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """The spread of at least one value."""
        all_of_them = sorted(values)
        return cls(median(all_of_them), all_of_them[0], all_of_them[-1])


def values(measured: Iterable[Measurement], what: str, peer: str, number: str | None = None) -> dict[int, float]:
    """Round → value, or one of the other numbers in the rounds that have it."""
    mine = (each for each in measured if each.what == what and each.peer == peer)
    if number is None:
        return {each.round: each.value for each in mine}
    return {each.round: each.numbers[number] for each in mine if number in each.numbers}


def ratio(measured: Iterable[Measurement], what: str, peer: str, base: str, number: str | None = None) -> Spread | None:
    """How many times *base* a peer is, over the rounds in which both took part; None if there are none."""
    some = list(measured)
    ours, theirs = (values(some, what, each, number) for each in (peer, base))
    ratios = [value / theirs[number] for number, value in ours.items() if theirs.get(number)]
    return Spread.of(ratios) if ratios else None
