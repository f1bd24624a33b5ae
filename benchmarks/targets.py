"""The targets, and whether the measurements meet them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchmarks import imports, stalls
from benchmarks.peers.catalogue import PEERS
from benchmarks.ratios import Spread, values
from benchmarks.results import Measurement

_LEAST_ROUNDS: Final = 2
_OURS: Final = "ours"
_BASE: Final = "mercurius"
_WITH_EVENT: Final = "mercurius-event"
_PER_CPU: Final = "per_cpu"
_ALONE: Final = "alone"
_UNITS: Final = {_PER_CPU: "per processor second", _ALONE: "p50 of one connection", None: "rate"}


class Mark(StrEnum):
    """The result of a comparison with a target."""

    MET = "met"
    MISSED = "missed"
    NOT_DECIDED = "not decided"


@dataclass(frozen=True, slots=True)
class Side:
    """The measurements on one side of a ratio."""

    what: str
    peer: str
    number: str | None = None

    def by_round(self, measured: Sequence[Measurement]) -> dict[int, float]:
        """Round → value."""
        return values(measured, self.what, self.peer, self.number)


@dataclass(frozen=True, slots=True)
class Longest:
    """The greatest number among all measurements of a part, in the rounds that have all of them."""

    part: str
    peer: str
    number: str

    def by_round(self, measured: Sequence[Measurement]) -> dict[int, float]:
        """Round → value."""
        names = {each.what for each in measured if each.what.startswith(f"{self.part}/")}
        found = [values(measured, name, self.peer, self.number) for name in names]
        complete = set.intersection(*map(set, found)) if found else set()
        return {number: max(each[number] for each in found) for number in sorted(complete)}


@dataclass(frozen=True, slots=True)
class Target:
    """A bound of the ratio `over` / `under` within each round; without `under` of the number itself."""

    text: str
    over: Side | Longest
    under: Side | None
    bound: float
    at_most: bool = False

    def ratios(self, measured: Sequence[Measurement]) -> list[float]:
        """One ratio for each round that has both sides."""
        over = self.over.by_round(measured)
        if self.under is None:
            return list(over.values())
        under = self.under.by_round(measured)
        return [value / under[number] for number, value in over.items() if under.get(number)]

    def shown(self, ratios: Sequence[float]) -> str:
        """The median and the spread."""
        spread, form = Spread.of(ratios), ".2f" if self.under else ",.0f"
        return f"{spread.median:{form}} ({spread.least:{form}} – {spread.most:{form}})"

    def mark(self, ratios: Sequence[float]) -> Mark:
        """Met or missed if all rounds agree; not decided if they do not, or if there is only one."""
        met = {ratio <= self.bound if self.at_most else ratio >= self.bound for ratio in ratios}
        if len(met) > 1 or len(ratios) < _LEAST_ROUNDS:
            return Mark.NOT_DECIDED
        return Mark.MET if met == {True} else Mark.MISSED

    @property
    def limit(self) -> str:
        """The bound with its direction, as `≥ 1.5`."""
        return f"{'≤' if self.at_most else '≥'} {self.bound:,g}"


def _times(what: str, bound: float, peer: str = _BASE, number: str | None = _PER_CPU) -> Target:
    text = f"{what}, {_UNITS[number]}, times {PEERS[peer].title}"
    return Target(text, Side(what, _OURS, number), Side(what, peer, number), bound, at_most=number == _ALONE)


def _cost(what: str, bound: float, number: str, about: str) -> Target:
    """The processor time of a change, as a multiple of a move of the same round."""
    text = f"{what}, processor time{about}, times W3"
    return Target(text, Side("W3", _OURS, number), Side(what, _OURS, number), bound, at_most=True)


def _memory(what: str) -> Target:
    return Target(f"{what}, memory (RSS) in MB", Side(what, _OURS, "memory"), None, 120, at_most=True)


def _import(kind: str) -> Target:
    return Target(f"Import of {kind}, tasks per second", Side(f"{imports.PART}/{kind}", _OURS), None, 10_000)


_OTHER_WRITES: Final = ("W6", "W7", "W8", "W9")
TARGETS: Final = (
    _times("W1", 1.5),
    _times("W1", 1.0, number=_ALONE),
    _times("W2", 1.8),
    _times("W2", 1.0, number=_ALONE),
    _times("W3", 1.0),
    _times("W3", 0.9, number=None),
    _times("W3", 1.3, number=_ALONE),
    _times("W5", 2.5),
    *(_cost(what, 2.0, _PER_CPU, "") for what in _OTHER_WRITES),
    *(_cost(what, 1.6, "alone_per_cpu", " with one connection") for what in _OTHER_WRITES),
    *(_times(what, 0.8, _WITH_EVENT) for what in _OTHER_WRITES),
    _times("W10", 1.3),
    *(_memory(what) for what in ("W1", "W2", "W3", "W4", *_OTHER_WRITES)),
    *(_import(kind) for kind in imports.FORMATS),
    Target(
        "Event loop, longest block by an accepted document in ms of processor time",
        Longest(stalls.PART, _OURS, "cpu"),
        None,
        50,
        at_most=True,
    ),
)


def rows(measured: Iterable[Measurement]) -> list[tuple[str, str, str, Mark]]:
    """The text, the limit, the spread and the mark of each target that was measured."""
    some = list(measured)
    found = [(target, target.ratios(some)) for target in TARGETS]
    return [
        (target.text, target.limit, target.shown(ratios), target.mark(ratios)) for target, ratios in found if ratios
    ]


def marked(measured: Iterable[Measurement]) -> list[str]:
    """A line for each target that was measured."""
    return [f"{mark:<12} {text} {limit}: {spread}" for text, limit, spread, mark in rows(measured)]
