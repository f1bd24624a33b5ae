"""What Locust counted, and the figures that were documented for the older API."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds, requests per second, a share of requests, and megabytes."""

    title: str
    requests: int
    failures: int
    average: float
    p50: float
    p95: float
    p99: float
    longest: float
    rate: float
    memory: float = 0.0

    @property
    def share_of_failures(self) -> float:
        """0 to 1."""
        return self.failures / self.requests if self.requests else 1.0


DOCUMENTED: Final = ("documented, 4 workers", "11 ms", "", "20 ms", "", "280 ms", "< 0.01 %", "150/s", "2,000 MB")
HEADINGS: Final = ("", "average", "p50", "p95", "p99", "longest", "failures", "rate", "memory")


def read(file: Path, title: str = "", name: str = "Aggregated") -> Figures:
    """The row of a request's name in Locust's `…_stats.csv`.

    Raises:
        ValueError: there is none.
    """
    for row in csv.DictReader(file.read_text().splitlines()):
        if row["Name"] == name:
            return _figures(row, title or name)
    raise ValueError(f"{file} knows nothing of {name}")


def read_all(file: Path) -> list[Figures]:
    """All rows, the sum last."""
    return [_figures(row, row["Name"]) for row in csv.DictReader(file.read_text().splitlines())]


def of(title: str, milliseconds: Sequence[float], seconds: float, *, failures: int = 0) -> Figures:
    """The row for single times."""
    times = sorted(milliseconds) or [0.0]
    p50, p95, p99 = (times[min(len(times) - 1, int(share * len(times)))] for share in (0.5, 0.95, 0.99))
    average = sum(times) / len(times)
    count = len(milliseconds)
    return Figures(title, count, failures, average, p50, p95, p99, times[-1], count / seconds)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns below one another."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def cells(each: Figures) -> tuple[str, ...]:
    """A row of the table."""
    times = (each.average, each.p50, each.p95, each.p99, each.longest)
    return (
        each.title,
        *(f"{milliseconds:,.0f} ms" for milliseconds in times),
        f"{each.share_of_failures:.2%}" if each.failures else "0",
        f"{each.rate:,.0f}/s",
        f"{each.memory:,.0f} MB" if each.memory else "",
    )


def _figures(row: dict[str, str], title: str) -> Figures:
    def number(key: str) -> float:
        return float(row[key]) if row[key] not in ("", "N/A") else 0.0

    return Figures(
        title=title,
        requests=int(row["Request Count"]),
        failures=int(row["Failure Count"]),
        average=number("Average Response Time"),
        p50=number("50%"),
        p95=number("95%"),
        p99=number("99%"),
        longest=number("Max Response Time"),
        rate=number("Requests/s"),
    )
