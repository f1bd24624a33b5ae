"""The result of a check."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """The kinds of faults of a stream."""

    LOST = "lost"
    """An acknowledged change was not delivered to a subscriber who may see it, or it is not in the log."""
    DUPLICATED = "duplicated"
    """An event was delivered twice on one connection, or again although the cursor was after it."""
    OUT_OF_ORDER = "out of order"
    """An event was delivered, or numbered, before an earlier one."""
    FORBIDDEN = "forbidden"
    """An event was delivered to a subscriber who may not see it."""
    WRONG = "wrong"
    """An event was delivered with wrong values, or the client's cache differs from the database."""


@dataclass(frozen=True, slots=True)
class FoundFault:
    """One fault and its place."""

    fault: Fault
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.fault}: {self.where}: {self.what}"


@dataclass(slots=True)
class Report:
    """The result. *delivered* counts items that a listener received for the first time."""

    acknowledged: int = 0
    delivered: int = 0
    repeated: int = 0
    """Items delivered again on a later connection, which at-least-once delivery allows."""
    resyncs: int = 0
    findings: list[FoundFault] = field(default_factory=list)

    def note(self, fault: Fault, where: str, what: str) -> None:
        """Add a fault."""
        self.findings.append(FoundFault(fault, where, what))

    def count(self, fault: Fault) -> int:
        """The number of faults of a kind."""
        return Counter(finding.fault for finding in self.findings)[fault]

    @property
    def clean(self) -> bool:
        """Whether there are no faults."""
        return not self.findings

    def to_json(self) -> dict[str, object]:
        """The result for programs: counts by kind, and all findings."""
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
        """The result in one line."""
        counts = [(self.acknowledged, "acknowledged"), (self.delivered, "delivered")]
        counts += [(self.count(fault), fault.value) for fault in Fault]
        return ", ".join(f"{number:,} {word}" for number, word in counts)
