"""Write the measurements into docs/benchmarks.md, between its markers, and draw the chart.

    python -m benchmarks.report [--machine NAME] [--results FILE]

The page has a section for each machine. Only the section of this one is replaced.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks import imports, machine, targets
from benchmarks.chart import Bar, draw
from benchmarks.curve_chart import Line, Panel, draw_curves
from benchmarks.environment import FOLDER
from benchmarks.fanout import WHAT
from benchmarks.growth import Curve, curves
from benchmarks.parts import NAMES
from benchmarks.peers.catalogue import PEERS
from benchmarks.progress import BASE
from benchmarks.ratios import Spread, ratio, values
from benchmarks.results import Measurement, Results
from benchmarks.stalls import PART
from benchmarks.table import ABSENT, markdown, medians, peers_of, seen, times
from benchmarks.workloads import Workload
from cli.output import say

PAGE: Final = Path(__file__).parents[1] / "docs/benchmarks.md"
BEGIN: Final = "<!-- measured: written by `make bench-full`, not by hand -->"
END: Final = "<!-- end of what was measured -->"
_SECTION: Final = "<!-- machine: {} -->"
_SECTIONS: Final = re.compile(r"^<!-- machine: (.+) -->$", re.MULTILINE)
_TARGETS: Final = ("Taskriver", "target", "median (least – most)", "result")
_HEAD: Final = f"| {' | '.join(_TARGETS)} |"
_MACHINES: Final = 2
"""From this number on there is a table of all machines."""
_LOWER_BOUNDS: Final = ("floor", "frames", "commits")


def results_of(name: str) -> Path:
    """The file that keeps the rounds of a machine; rounds of different machines cannot be compared."""
    return FOLDER / f"results-{machine.slug(name)}.jsonl"


def write(measured: Sequence[Measurement], name: str, page: Path = PAGE) -> None:
    """Replace the section of the machine with this name, or add it. The rest of the page stays as it is.

    Raises:
        ValueError: the page has no markers.
    """
    text = page.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page} needs the lines {BEGIN} and {END}: the figures go in between.")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    chart = page.with_name(f"{page.stem}-{machine.slug(name)}.svg")
    sections = sections_of(old) | {name: f"### {name}\n\n{figures(measured, chart)}"}
    page.write_text(f"{before}{BEGIN}\n\n{side_by_side(sections)}{joined(sections)}\n\n{END}{after}")
    chart.write_text(draw("Requests or deliveries per second, times Mercurius + JIT", bars(measured)))
    if panels := _panels(measured):
        _growth_chart(chart).write_text(draw_curves("How the cost grows", panels))


def _growth_chart(chart: Path) -> Path:
    return chart.with_name(f"{chart.stem}-growth.svg")


def sections_of(text: str) -> dict[str, str]:
    """Name of the machine → its section; text before the first section is dropped."""
    _, *found = _SECTIONS.split(text)
    return {name: section.strip() for name, section in zip(found[::2], found[1::2], strict=True)}


def side_by_side(sections: Mapping[str, str]) -> str:
    """A table of the targets with a column for each machine, made of the tables of the sections; empty for one machine.

    The last two columns of a section's table are the spread and the mark.
    """
    found = {name: _marks_of(section) for name, section in sections.items()}
    targets = list(dict.fromkeys(target for marks in found.values() for target in marks))
    if len(sections) < _MACHINES or not targets:
        return ""
    head = ["target", *found]
    rows = [[" ".join(target), *(marks.get(target, ABSENT) for marks in found.values())] for target in targets]
    return f"**The targets on all machines**\n\n{markdown([head, *rows])}\n\n"


def _marks_of(section: str) -> dict[tuple[str, str], str]:
    """Text and limit of a target → its spread and its mark."""
    _, _, table = section.partition(_HEAD)
    rows = (line.strip("| ").split(" | ") for line in table.partition("\n\n")[0].splitlines()[2:])
    return {(text, limit): f"{spread}: {mark}" for text, limit, spread, mark in rows}


def joined(sections: Mapping[str, str]) -> str:
    """The sections with their markers."""
    return "\n\n".join(f"{_SECTION.format(name)}\n\n{section}" for name, section in sections.items())


def figures(measured: Sequence[Measurement], chart: Path) -> str:
    """The section of a machine. *chart* is the file of its first chart."""
    growth = [part for curve in curves() for part in _curve(measured, curve)]
    parts = [
        f"{machine.described(' and '.join(sorted({each.commit for each in measured})))} Rounds: {_rounds(measured)}.",
        machine.versions(),
        f"![All peers in every workload, times Mercurius]({chart.name})",
        *_targets(measured),
        *_section(
            "**Times Mercurius + JIT**: the median of the ratios within each round (least – most).",
            times(measured, NAMES, BASE),
        ),
        *_section(
            "**Per second of the server's processor**, times Mercurius + JIT. It does not depend on the core that "
            "PostgreSQL and the clients share.",
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
        *_imports(measured),
        *_stalls(measured),
        *([f"![How the cost grows]({_growth_chart(chart).name})"] if growth else []),
        *growth,
    ]
    return "\n\n".join(parts)


def _targets(measured: Sequence[Measurement]) -> list[str]:
    found = targets.rows(measured)
    if not found:
        return []
    return [
        "**Targets**: met or missed if all rounds agree, otherwise not decided.",
        markdown([_TARGETS, *(list(map(str, row)) for row in found)]),
    ]


def _section(about: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return [about, markdown([["", *NAMES], *rows])] if rows else []


def _rounds(measured: Sequence[Measurement]) -> str:
    """The number of rounds, from the measurement with the fewest to the one with the most."""
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
        "**How long the event loop is blocked**, in ms, while an expensive document is answered for the first time",
        markdown([["", "longest delay", "most processor time between two ticks"], *rows]),
    ]


def _curve(measured: Sequence[Measurement], curve: Curve) -> list[str]:
    names = {point: f"{curve.name}/{point}" for point in curve.points}
    peers = peers_of(measured, list(names.values()))
    if not peers:
        return []
    columns = [(peer, quantity) for quantity in curve.shown for peer in peers]
    rows = [
        [f"{point:,}", *(seen(measured, names[point], peer, each.number, each.form) for peer, each in columns)]
        for point in curve.points
        if peers_of(measured, [names[point]])
    ]
    heads = [curve.unit, *(f"{PEERS[peer].title}, {quantity.about}" for peer, quantity in columns)]
    return [f"**How the cost grows**: {curve.about}", markdown([heads, *rows])]


def _imports(measured: Sequence[Measurement]) -> list[str]:
    found = [kind for kind in imports.FORMATS if peers_of(measured, [f"{imports.PART}/{kind}"])]
    if not found:
        return []
    rows = [
        [kind, *(seen(measured, f"{imports.PART}/{kind}", "ours", number) for number in (None, "per_cpu", "memory"))]
        for kind in found
    ]
    heads = ["", "tasks per second", "per second of its processor", "memory (RSS) in MB"]
    return ["**Import**: tasks created by `taskriver import`", markdown([heads, *rows])]


def _panels(measured: Sequence[Measurement]) -> list[Panel]:
    """The curves for the chart, with the first quantity of each."""
    panels = []
    for curve in curves():
        names, number = [f"{curve.name}/{point}" for point in curve.points], curve.shown[0].number
        lines = {
            PEERS[peer].title: Line([_spread(measured, name, peer, number) for name in names], _kind(peer))
            for peer in peers_of(measured, names)
        }
        if lines:
            points = [f"{point:,}" for point in curve.points]
            panels.append(Panel(f"{curve.about}: {curve.shown[0].about}", curve.unit, points, lines))
    return panels


def _spread(measured: Sequence[Measurement], name: str, peer: str, number: str | None) -> Spread | None:
    found = values(measured, name, peer, number)
    return Spread.of(found.values()) if found else None


def main() -> int:
    """Parse and write."""
    parser = argparse.ArgumentParser(prog="benchmarks.report", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--machine", default=machine.name(), help="the name of the machine in the page")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    measured = Results(options.results or results_of(options.machine)).read()
    if not measured:
        say("There are no measurements: run `make bench-full` first.")
        return 1
    write(measured, options.machine)
    say(f"Written: {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
