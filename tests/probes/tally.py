"""What a run of probes has found, by entry point."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts by entry point. `faults` has a line for each leak and each other difference, with its seed."""

    probes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    controls: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    faulty: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Add the counts of another run."""
        for mine, its in zip(self._counters(), other._counters(), strict=True):
            mine.update(its)
        self.faults += other.faults

    def table(self) -> Iterator[str]:
        """A table with a line for each entry point."""
        yield f"{'entry point':24}{'probes':>9}{'refused':>9}{'controls':>10}{'leaks':>7}"
        for name in sorted(self.probes):
            yield self._line(name, *(counter[name] for counter in self._counters()))
        yield self._line("all", *(counter.total() for counter in self._counters()))

    def _counters(self) -> tuple[Counter[str], ...]:
        return self.probes, self.refused, self.controls, self.faulty

    @staticmethod
    def _line(name: str, probes: int, refused: int, controls: int, faulty: int) -> str:
        return f"{name:24}{probes:>9,}{refused:>9,}{controls:>10,}{faulty:>7,}"
