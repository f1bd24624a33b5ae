"""The whole comparison, for docs/benchmarks.md: all peers, the lower bounds and the curves. It takes some hours.

    make bench-full              or  python -m benchmarks.full [W1 page …] [--minutes 9] [--rounds 5] [--afresh]

It measures a clean commit, and continues an earlier run of the same commit: finished rounds are kept in
.taskriver/benchmarks, in one file for each processor model. With --minutes it stops before a round that would exceed
this time. docs/benchmarks.md keeps the tables of every machine; a run replaces those of its own.
"""

import argparse
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from benchmarks import machine, report
from benchmarks.__main__ import choose
from benchmarks.environment import Stage, stage
from benchmarks.growth import curves
from benchmarks.imports import Import
from benchmarks.load import Missing, check_wrk
from benchmarks.parts import NAMES, Part, workloads
from benchmarks.peers.catalogue import PEERS
from benchmarks.progress import line
from benchmarks.results import Measurement, Results
from benchmarks.rounds import Plan
from benchmarks.stalls import Stalls
from benchmarks.targets import marked
from cli.output import say

LEAST_ROUNDS: Final = 3


class Refused(Exception):
    """The results would mix or hide commits. The message says what to do."""


class Clock:
    """The time that is left."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + minutes * 60 if minutes else None

    def allows(self, seconds: float) -> bool:
        """Whether there is time for something that takes this long."""
        return self._end is None or time.monotonic() + seconds < self._end


def check_commit(commit: str, stored: Collection[Measurement], *, dirty: bool) -> None:
    """Check that all rounds measure the same clean commit; with *dirty* it may have changes, and the page says so.

    Raises:
        Refused: it has changes, or rounds of another commit are stored.
    """
    if commit.endswith(machine.DIRTY) and not dirty:
        raise Refused(f"This is {commit}: commit the changes first. With --dirty the page marks the results.")
    others = sorted({each.commit for each in stored} - {commit})
    if others:
        names = ", ".join(name or "an unknown commit" for name in others)
        raise Refused(f"The stored rounds are of {names}, and this is {commit}: remove them with --afresh.")


def play(ground: Stage, part: Part, plan: Plan, results: Results, clock: Clock, commit: str) -> bool:
    """Play the missing rounds; False if there was no time for all of them."""
    done = rounds_of(results, part)
    if done >= plan.rounds:
        return True
    if not clock.allows(0):
        return False
    say(f"\n{part.name}: {part.about}, {done} of {plan.rounds} rounds are finished")
    began = time.monotonic()
    for some in part.play(ground, plan, done):
        results.add(some, commit)
        done += 1
        for each in some:
            say(line(each, some))
        took, began = time.monotonic() - began, time.monotonic()
        if done < plan.rounds and not clock.allows(took):
            return False
    return True


def rounds_of(results: Results, part: Part) -> int:
    """The number of finished rounds of a part."""
    measured = results.read()
    return min(len({each.round for each in measured if each.what.partition("/")[0] == name}) for name in part.names)


def parts_of(peers: Sequence[str], names: Sequence[str]) -> list[Part]:
    """The parts with these names, or all.

    Raises:
        Missing: a name is unknown, or a peer cannot be installed.
    """
    others: list[Part] = [Import(), Stalls(), *curves()]
    known = [*NAMES, *(part.name for part in others)]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Missing(f"There is no {', '.join(unknown)}: choose from {', '.join(known)}.")
    chosen = [name for name in names if name in NAMES]
    asked = workloads(choose(peers), chosen) if chosen or not names else []
    return [*asked, *(part for part in others if not names or part.name in names)]


def main() -> int:
    """Parse, continue, and write the results."""
    options = _parser().parse_args()
    here = options.machine or machine.name()
    results = Results(options.results or report.results_of(here))
    if options.afresh:
        results.forget()
    commit = machine.commit()
    try:
        check_wrk()
        check_commit(commit, results.read(), dirty=options.dirty)
        parts = parts_of(options.peers.split(","), options.parts)
    except (Missing, Refused) as problem:
        say(str(problem))
        return 1
    say(f"Processor: {machine.processor()}, {commit}")
    plan, clock = Plan(options.seconds, options.rounds), Clock(options.minutes)
    with stage() as ground:
        finished = all(play(ground, part, plan, results, clock, commit) for part in parts)
    measured = results.read()
    for text in marked(measured):
        say(text)
    if measured and options.results is None:
        report.write(measured, here)
        say(f"\nWritten: docs/{report.PAGE.name}")
    if not finished:
        say("\nSome rounds are missing: run it again to continue.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.full", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", help="W1 to W10, import, stall, or a curve; default: all")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"from {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=_rounds, default=5, help="at least 3")
    parser.add_argument("--seconds", type=int, default=5, help="under load, each peer in each round")
    parser.add_argument("--minutes", type=float, default=0, help="stop after this time; 0: no limit")
    parser.add_argument("--afresh", action="store_true", help="remove the results of earlier runs")
    parser.add_argument("--dirty", action="store_true", help="measure a commit with changes, and mark the results")
    parser.add_argument("--machine", help="the name of this machine in the page; default: processor model and cores")
    parser.add_argument("--results", type=Path, help="another file for the rounds; the page is not written then")
    return parser


def _rounds(text: str) -> int:
    if int(text) < LEAST_ROUNDS:
        raise argparse.ArgumentTypeError(f"the spread needs at least {LEAST_ROUNDS} rounds")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
