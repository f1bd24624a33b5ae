"""Write what was measured into docs/benchmarks.md, between its markers, and draw the chart.

python -m benchmarks.report [--results FILE]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import machine
from benchmarks.chart import Bar, draw
from benchmarks.environment import FOLDER
from benchmarks.fanout import WHAT
from benchmarks.growth import Curve, curves
from benchmarks.peers.catalogue import PEERS
from benchmarks.progress import BASE
from benchmarks.ratios import ratio
from benchmarks.results import Measurement, Results
from benchmarks.stalls import PART
from benchmarks.table import markdown, medians, peers_of, seen, times
from benchmarks.workloads import Workload
from cli.output import say

PAGE: Final = Path(__file__).parents[1] / "docs/benchmarks.md"
CHART: Final = PAGE.with_suffix(".svg")
RESULTS: Final = FOLDER / "results.jsonl"
BEGIN: Final = "<!-- measured: written by `make bench-full`, not by hand -->"
END: Final = "<!-- end of what was measured -->"
NAMES: Final = (*(workload.value for workload in Workload), WHAT)
_LOWER_BOUNDS: Final = ("floor", "frames", "commits")


def write(measured: Sequence[Measurement], page: Path = PAGE, chart: Path = CHART) -> None:
    """Put the new figures where the old ones are, and leave the text around them alone.

    Raises:
        ValueError: the page has lost its markers.
    """
    text = page.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page} needs the lines {BEGIN} and {END}: the figures go in between.")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{figures(measured, chart.name)}\n\n{END}{after}")
    chart.write_text(draw("Requests or deliveries per second, times Mercurius + JIT", bars(measured)))


def figures(measured: Sequence[Measurement], chart: str) -> str:
    """The part of the page that is measured."""
    parts = [
        f"{machine.described()} Rounds: {_rounds(measured)}.",
        machine.versions(),
        f"![All peers in every workload, times Mercurius]({chart})",
        *_section(
            "**Times Mercurius + JIT**: the median of the ratios within each round (least – most).",
            times(measured, NAMES, BASE),
        ),
        *_section(
            "**Per second of the server's processor**, times Mercurius + JIT: what is left of it when nobody waits for "
            "the core that PostgreSQL and the clients share.",
            times(measured, NAMES, BASE, "per_cpu"),
        ),
        *_section("**Requests, for W5 deliveries, per second**", medians(measured, NAMES)),
        *_section(
            "**One connection, one request at a time**: p50 in milliseconds", medians(measured, NAMES, "alone", ".2f")
        ),
        *_section(
            "**Memory**: the most megabytes (RSS) of the server's processes under load",
            medians(measured, NAMES, "memory"),
        ),
        *_stalls(measured),
        *(part for curve in curves() for part in _curve(measured, curve)),
    ]
    return "\n\n".join(parts)


def _section(about: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return [about, markdown([["", *NAMES], *rows])] if rows else []


def _rounds(measured: Sequence[Measurement]) -> str:
    """How many there were, of the part that has the fewest and of the one that has the most."""
    found: dict[str, set[int]] = {}
    for each in measured:
        found.setdefault(each.what, set()).add(each.round)
    many = sorted({len(rounds) for rounds in found.values()})
    return f"{many[0]}" if len(many) == 1 else f"{many[0]} to {many[-1]}"


def bars(measured: Sequence[Measurement]) -> dict[str, list[Bar]]:
    """The groups of the chart."""
    about = {workload.value: f"{workload}: {workload.about.replace('`', '')}" for workload in Workload}
    about[WHAT] = f"{WHAT}: changes delivered to sockets"
    groups: dict[str, list[Bar]] = {}
    for what in NAMES:
        for peer in peers_of(measured, [what]):
            found = ratio(measured, what, peer, BASE)
            if found is not None:
                groups.setdefault(about[what], []).append(Bar(PEERS[peer].title, found, _kind(peer)))
    return groups


def _kind(peer: str) -> str:
    if peer in ("ours", BASE):
        return "ours" if peer == "ours" else "base"
    return "floor" if peer in _LOWER_BOUNDS else "other"


def _stalls(measured: Sequence[Measurement]) -> list[str]:
    found = dict.fromkeys(each.what for each in measured if each.what.startswith(f"{PART}/"))
    if not found:
        return []
    rows = [
        [
            what.removeprefix(f"{PART}/"),
            *(seen(measured, what, "ours", key) for key in (None, "cpu")),
        ]
        for what in found
    ]
    return [
        "**How long the event loop stands still**, in ms, while a costly document is answered for the first time",
        markdown([["", "longest gap", "longest stretch of processor time"], *rows]),
    ]


def _curve(measured: Sequence[Measurement], curve: Curve) -> list[str]:
    names = {point: f"{curve.name}/{point}" for point in curve.points}
    peers = peers_of(measured, list(names.values()))
    if not peers:
        return []
    rows = [
        [f"{point:,}", *(seen(measured, names[point], peer) for peer in peers)]
        for point in curve.points
        if peers_of(measured, [names[point]])
    ]
    heads = [curve.unit, *(f"{PEERS[peer].title}, per second" for peer in peers)]
    return [f"**How the cost grows**: {curve.about}", markdown([heads, *rows])]


def main() -> int:
    """Parse and write."""
    parser = argparse.ArgumentParser(prog="benchmarks.report", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    measured = Results(parser.parse_args().results).read()
    if not measured:
        say("Nothing has been measured: run `make bench-full` first.")
        return 1
    write(measured)
    say(f"Written: {PAGE.name} and {CHART.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
