"""The results of all parts of a mode, in a file, and the table of them."""

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.ha.kinds import KINDS, Kind
from tests.ha.verdict import Verdict

MOST_RESYNCED: Final = 0.01
_HEADER: Final = (
    "| fault | cycles | seconds until writes work: median | longest | goal | clients with a resync |",
    "| --- | --- | --- | --- | --- | --- |",
)


@dataclass(frozen=True)
class Cycle:
    """One fault: seconds without writes, how many of the clients got a resync, whether another node is the primary."""

    kind: str
    seconds: float
    resynced: int
    clients: int
    replaced: bool = False


@dataclass(frozen=True)
class Part:
    """Cycles on one cluster, and the verdict on all of them."""

    cycles: list[Cycle]
    verdict: Verdict
    logged_errors: list[str]
    failures: dict[str, int]
    reconnects: int = 0
    """How often clients that listen had to connect again."""

    def problems(self, *, synchronous: bool, timed: bool) -> Iterator[str]:
        """What is against the goals; *timed*: with those for times."""
        goals = {kind.name: kind for kind in KINDS}
        for cycle in self.cycles:
            if timed and cycle.seconds > goals[cycle.kind].goal:
                yield f"{cycle.kind}: no writes for {cycle.seconds} s, and the goal is {goals[cycle.kind].goal} s"
            yield from _problems(cycle, synchronous=synchronous)
        verdict = self.verdict
        lost = verdict.lost if synchronous else 0
        if lost or verdict.duplicated or verdict.forbidden or verdict.wrong:
            yield from verdict.findings[:20]
        yield from self.logged_errors[:20]


@dataclass
class Results:
    """All parts of a mode."""

    versions: dict[str, str] = field(default_factory=dict)
    cycles: list[Cycle] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """What was against the goals in all parts."""

    @classmethod
    def read(cls, path: Path) -> "Results":
        """The stored results; none if there is no file."""
        if not path.exists():
            return cls()
        stored = json.loads(path.read_text())
        return cls(**{**stored, "cycles": [Cycle(**each) for each in stored["cycles"]]})

    def write(self, path: Path) -> None:
        """Replace the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), indent=1) + "\n")
        fresh.replace(path)

    def add(self, part: Part, problems: Sequence[str]) -> None:
        """Add a part with its problems."""
        self.cycles += part.cycles
        self.problems += problems
        for name in ("acknowledged", "lost", "duplicated", "forbidden", "wrong"):
            self.totals[name] = self.totals.get(name, 0) + getattr(part.verdict, name)

    def table(self) -> list[str]:
        """The table in Markdown, and the verdict."""
        rows = [_row(kind, found) for kind in KINDS if (found := [c for c in self.cycles if c.kind == kind.name])]
        verdict = ", ".join(f"{count:,} {name}" for name, count in self.totals.items())
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return [*_HEADER, *rows, "", f"{len(self.cycles)} cycles: {verdict}. {versions}."]


def put_table(page: Path, name: str, table: Sequence[str]) -> None:
    """Replace the text between the comments `ha NAME` and `/ha` of a page."""
    begin, end = f"<!-- ha {name} -->\n", "<!-- /ha -->"
    before, _, rest = page.read_text().partition(begin)
    assert rest, f"{page} has no {begin.strip()}"
    text = "\n".join(table)
    page.write_text(f"{before}{begin}\n{text}\n\n{end}{rest.partition(end)[2]}")


def _row(kind: Kind, cycles: Sequence[Cycle]) -> str:
    seconds = [each.seconds for each in cycles]
    resynced, clients = sum(each.resynced for each in cycles), sum(each.clients for each in cycles)
    cells = (
        kind.name,
        len(cycles),
        f"{statistics.median(seconds):.1f}",
        f"{max(seconds):.1f}",
        kind.goal,
        f"{resynced} of {clients}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _problems(cycle: Cycle, *, synchronous: bool) -> Iterator[str]:
    if synchronous and cycle.resynced > MOST_RESYNCED * cycle.clients:
        yield f"{cycle.kind}: {cycle.resynced} of {cycle.clients} clients got a resync"
    if not synchronous and cycle.replaced and cycle.resynced < cycle.clients:
        yield f"{cycle.kind}: only {cycle.resynced} of {cycle.clients} clients got a resync"
