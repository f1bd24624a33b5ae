"""The whole comparison, for docs/benchmarks.md: all peers, the lower bounds, the curves; more than an hour.

    make bench-full              or  python -m benchmarks.full [W1 page …] [--minutes 9] [--rounds 5] [--afresh]

It goes on where it was: every finished round is kept in .taskriver/benchmarks/results.jsonl. With --minutes it stops
before a round that would take it too far, to be called again.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.__main__ import choose
from benchmarks.environment import Stage, stage
from benchmarks.growth import curves
from benchmarks.load import Missing, check_wrk
from benchmarks.parts import Part, workloads
from benchmarks.peers.catalogue import PEERS
from benchmarks.progress import line
from benchmarks.results import Results
from benchmarks.rounds import Plan
from benchmarks.stalls import Stalls
from cli.output import say


class Clock:
    """How much time is left."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + minutes * 60 if minutes else None

    def allows(self, seconds: float) -> bool:
        """Whether something that takes so long may still be begun."""
        return self._end is None or time.monotonic() + seconds < self._end


def play(ground: Stage, part: Part, plan: Plan, results: Results, clock: Clock) -> bool:
    """The rounds that are missing; False if there was no time for all of them."""
    done = rounds_of(results, part)
    if done >= plan.rounds:
        return True
    if not clock.allows(0):
        return False
    say(f"\n{part.name}: {part.about}, {done} of {plan.rounds} rounds are there")
    began = time.monotonic()
    for some in part.play(ground, plan, done):
        results.add(some)
        done += 1
        for each in some:
            say(f"{each.what:<20} {line(each, some)}" if "/" in each.what else line(each, some))
        took, began = time.monotonic() - began, time.monotonic()
        if done < plan.rounds and not clock.allows(took):
            return False
    return True


def rounds_of(results: Results, part: Part) -> int:
    """How many rounds of a part there are."""
    return len({each.round for each in results.read() if each.what.partition("/")[0] == part.name})


def parts_of(peers: Sequence[str], names: Sequence[str]) -> list[Part]:
    """The parts of these names, or all.

    Raises:
        Missing: there is no such part, or a peer cannot be installed.
    """
    parts: list[Part] = [*workloads(choose(peers)), Stalls(), *curves()]
    unknown = [name for name in names if name not in {part.name for part in parts}]
    if unknown:
        raise Missing(f"There is no {', '.join(unknown)}: take some of {', '.join(part.name for part in parts)}.")
    return [part for part in parts if not names or part.name in names]


def main() -> int:
    """Parse, go on, and write what there is."""
    options = _parser().parse_args()
    results, plan, clock = Results(options.results), Plan(options.seconds, options.rounds), Clock(options.minutes)
    if options.afresh:
        results.forget()
    try:
        check_wrk()
        parts = parts_of(options.peers.split(","), options.parts)
    except Missing as missing:
        say(str(missing))
        return 1
    with stage() as ground:
        finished = all(play(ground, part, plan, results, clock) for part in parts)
    measured = results.read()
    if measured and options.results == report.RESULTS:
        report.write(measured)
        say(f"\nWritten: docs/{report.PAGE.name}")
    if not finished:
        say("\nThere is more to do: call it again, and it goes on.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.full", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", help="W1 to W5, stall, or a curve; default: all")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"some of {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="under load, each peer in each round")
    parser.add_argument("--minutes", type=float, default=0, help="stop in time; 0: go on to the end")
    parser.add_argument("--afresh", action="store_true", help="forget what was measured before")
    parser.add_argument(
        "--results", type=Path, default=report.RESULTS, help="where rounds are kept; another file than usual: no page"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
