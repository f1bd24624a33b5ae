"""The result of a run."""

from collections import Counter
from dataclasses import dataclass, field

from verification.history import History
from verification.report import Report


@dataclass
class Outcome:
    """The result of a run."""

    report: Report
    cycles: int
    seconds: float
    settled: dict[str, list[float]]
    reconnects: int
    failures: Counter[str]
    logged_errors: list[str]
    history: History = field(repr=False)

    @property
    def slowest(self) -> float:
        """The longest time after which all listeners were up to date."""
        return max((each for times in self.settled.values() for each in times), default=0.0)

    def line(self) -> str:
        """The result in one line."""
        return (
            f"{self.cycles} cycles in {self.seconds:.0f} s: {self.report.line()};"
            f" settled within {self.slowest:.2f} s; {self.reconnects} reconnects,"
            f" {self.report.repeated} items repeated, {self.report.resyncs} resyncs"
        )


def details(outcome: Outcome) -> list[str]:
    """The details behind the line."""
    lines = [f"  {name:16} {' '.join(f'{each:.2f}' for each in times)}" for name, times in outcome.settled.items()]
    changes = len(outcome.history.membership_writes)
    lines.append(f"  {changes} acknowledged changes of memberships")
    lines.append(f"  not acknowledged {dict(outcome.failures)}")
    lines += [f"  {finding}" for finding in outcome.report.findings[:40]]
    lines += [f"  log: {line}" for line in outcome.logged_errors[:20]]
    return lines
