"""The table of docs/outages.md: a row for each measurement."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.outages.measurement import Measurement
from tests.outages.outages import OUTAGES

PAGE: Final = Path(__file__).parents[2] / "docs" / "outages.md"
HEADS: Final = (
    *("outage", "injected", "requests that fail", "with retries", "subscribers", "lost changes"),
    *("the operator sees", "the operator does"),
)
_START, _END = "<!-- measured -->\n", "<!-- end of measured -->"
_LOG_LINES: Final = 2


def cells(measured: Measurement) -> tuple[str, ...]:
    """The row of a measurement."""
    outage = measured.outage
    return (
        outage.name,
        outage.injected.format(seconds=measured.seconds),
        _requests(measured),
        f"at most {measured.longest_request:.1f} s",
        _subscribers(measured),
        f"{len(measured.problems)} of {measured.acknowledged}",
        _signs(measured),
        outage.advice,
    )


def page(text: str, rows: Sequence[tuple[str, ...]], versions: str) -> str:
    """The page with these rows instead of those of the same names, in the order of the outages."""
    before, _, rest = text.partition(_START)
    old, _, after = rest.partition(_END)
    known = {match[1]: match[0] for match in re.finditer(r"^\| ([^|]+) \|.*$", old, re.MULTILINE)}
    known |= {row[0]: _line(row) for row in rows}
    lines = [_line(HEADS), _line(["---"] * len(HEADS)), *(known[each.name] for each in OUTAGES if each.name in known)]
    table = "\n".join(lines)
    return f"{before}{_START}\n{table}\n\n{versions}\n\n{_END}{after}"


def _requests(measured: Measurement) -> str:
    failed = measured.failed
    if not failed:
        return f"0 of {len(measured.attempts)}"
    results = ", ".join(
        f"{count} {_named(result)}" for result, count in Counter(each.result for each in failed).most_common()
    )
    first = min(each.begun for each in failed) - measured.begun
    last = max(each.ended for each in failed) - measured.begun
    slowest = max(each.seconds for each in failed)
    return (
        f"{len(failed)} of {len(measured.attempts)}: {results}; from {max(0.0, first):.1f} s to {last:.1f} s,"
        f" each after at most {slowest:.1f} s"
    )


def _named(result: str) -> str:
    return result if " " in result else f"`{result}`"


def _subscribers(measured: Measurement) -> str:
    return (
        f"changes arrive after at most {measured.longest_delay:.1f} s (before: {1000 * measured.usual_delay:.0f} ms);"
        f" {measured.reconnects} reconnects of {measured.listeners} subscribers, {measured.resyncs} resyncs"
    )


def _signs(measured: Measurement) -> str:
    health = f"`/readyz`: {', '.join(measured.health)}" if measured.health else "`/readyz`: ok"
    lines = [f"“{line}”" for line, _ in measured.log_lines.most_common(_LOG_LINES)]
    return "; ".join([health, *measured.metrics, *([f"log: {', '.join(lines)}"] if lines else [])])


def _line(row: Sequence[str]) -> str:
    return f"| {' | '.join(each.replace('|', '/') for each in row)} |"
