"""What the judge found."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """How a stream can lie."""

    LOST = "lost"
    """Acknowledged, and somebody who may see it was not told; or it is not in the log at all."""
    DUPLICATED = "duplicated"
    """Told twice on one connection, or although the cursor said that it was known."""
    OUT_OF_ORDER = "out of order"
    """Told, or numbered, before what came before it."""
    FORBIDDEN = "forbidden"
    """Told to somebody who may not see it."""
    WRONG = "wrong"
    """Told, but not what happened; or what a client makes of it is not what the database says."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, and where."""

    fault: Fault
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.fault}: {self.where}: {self.what}"


@dataclass(slots=True)
class Report:
    """The verdict. *delivered* counts items that were told for the first time to their listener."""

    acknowledged: int = 0
    delivered: int = 0
    repeated: int = 0
    """Items told again on a later connection, which at-least-once allows."""
    resyncs: int = 0
    findings: list[Finding] = field(default_factory=list)

    def note(self, fault: Fault, where: str, what: str) -> None:
        """One more fault."""
        self.findings.append(Finding(fault, where, what))

    def count(self, fault: Fault) -> int:
        """How many faults of a kind."""
        return Counter(finding.fault for finding in self.findings)[fault]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def to_json(self) -> dict[str, object]:
        """The verdict for programs: counts by word, and every finding."""
        counts = {fault.name.lower(): self.count(fault) for fault in Fault}
        return {
            "clean": self.clean,
            "acknowledged": self.acknowledged,
            "delivered": self.delivered,
            "repeated": self.repeated,
            "resyncs": self.resyncs,
            **counts,
            "findings": [str(finding) for finding in self.findings],
        }

    def line(self) -> str:
        """The verdict in one line."""
        counts = [(self.acknowledged, "acknowledged"), (self.delivered, "delivered")]
        counts += [(self.count(fault), fault.value) for fault in Fault]
        return ", ".join(f"{number:,} {word}" for number, word in counts)
