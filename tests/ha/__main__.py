"""`python -m tests.ha --cycles 100`: failovers of a real cluster, and their table."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from embedded.accounts import account_for
from embedded.errors import EmbeddedError
from server import signals
from tests.chaos.process import PROJECT
from tests.ha.cluster import Shape, running
from tests.ha.folder import run_folder
from tests.ha.kinds import KINDS, Kind
from tests.ha.programs import PACKAGES, Programs, find_or_install
from tests.ha.results import Cycle, Part, Results, put_table
from tests.ha.run import FEW, MANY, ClusterRun
from tests.support import newer_pgbouncer

MODES: Final = ("synchronous", "asynchronous")
PART: Final = 12
"""So many cycles share a cluster, and are judged together."""
UNAVAILABLE: Final = os.EX_UNAVAILABLE
"""The exit status without the programs: nothing was tested."""
MISSING: Final = (
    "make ha was left out: etcd, HAProxy, PgBouncer or Patroni is missing, and cannot be installed here"
    f" (as root on Debian: apt-get install {' '.join(PACKAGES.values())}; Patroni comes from the Python index)."
)


def _say(text: object) -> None:
    sys.stderr.write(f"{text}\n")


async def main() -> int:
    """Run the cycles that are wanted, and print the table of all so far.

    Returns 0 if every goal is met, 1 if not, and `UNAVAILABLE` if the programs are missing.
    """
    options = _options()
    programs = await asyncio.to_thread(_programs, newer_pooler=options.newer_pooler)
    if programs is None:
        sys.stdout.write(f"{MISSING}\n")
        return UNAVAILABLE
    shape = Shape(options.mode == "synchronous", "pooler" not in options.without, "sentinel" not in options.without)
    path = PROJECT / ".taskriver" / f"{options.results or f'ha-{options.mode}'}.json"
    if options.new:
        path.unlink(missing_ok=True)
    results = Results.read(path)
    results.versions = programs.versions(pooler=shape.pooler)
    for kinds in _parts(len(results.cycles), options.cycles, _chosen(options.only, shape)):
        part = await _part(programs, kinds, shape, len(results.cycles), short=options.short)
        results.add(part, list(part.problems(synchronous=shape.synchronous, timed=not options.short)))
        results.write(path)
        _say(f"not acknowledged: {part.failures}; {part.reconnects} reconnects")
    table = results.table()
    if options.page:
        put_table(options.page, options.mode, table)
    sys.stdout.write("\n".join([*table, *results.problems, ""]))
    return 1 if results.problems else 0


def _programs(*, newer_pooler: bool) -> Programs | None:
    try:
        programs = find_or_install(account_for())
    except EmbeddedError as error:
        _say(error)
        return None
    if programs is None or not newer_pooler:
        return programs
    pooler = newer_pgbouncer.find_or_install()
    return replace(programs, pgbouncer=pooler) if pooler is not None else None


def _options() -> argparse.Namespace:
    names = [kind.inject.__name__ for kind in KINDS]
    parser = argparse.ArgumentParser(prog="make ha")
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--mode", choices=MODES, default=MODES[0])
    parser.add_argument("--only", choices=names, nargs="*", help="only these kinds")
    parser.add_argument("--without", choices=("pooler", "sentinel"), nargs="*", default=(), help="a smaller cluster")
    parser.add_argument("--newer-pooler", action="store_true", help="PgBouncer 1.24, and DATABASE_POOLER=prepared")
    parser.add_argument("--new", action="store_true", help="forget the results of earlier runs")
    parser.add_argument("--results", help="the name of the file with the results")
    parser.add_argument("--page", type=Path, help="put the table into this page, too")
    parser.add_argument("--short", action="store_true", help="few clients, and a time over its goal is no failure")
    return parser.parse_args()


def _chosen(only: list[str] | None, shape: Shape) -> list[Kind]:
    return [kind for kind in KINDS if kind.fits(shape) and (not only or kind.inject.__name__ in only)]


def _parts(done: int, cycles: int, chosen: list[Kind]) -> Iterator[list[Kind]]:
    """The kinds of the next cycles, by parts."""
    turns = range(done, done + cycles)
    for start in range(0, cycles, PART):
        yield [chosen[turn % len(chosen)] for turn in turns[start : start + PART]]


async def _part(programs: Programs, kinds: list[Kind], shape: Shape, seed: int, *, short: bool) -> Part:
    with run_folder() as folder:
        async with running(folder, programs, shape) as deployment:
            return await ClusterRun(deployment, FEW if short else MANY, seed=seed).part(kinds, _say_cycle)


def _say_cycle(cycle: Cycle) -> None:
    _say(f"{cycle.kind}: {cycle.seconds:.1f} s without writes, {cycle.resynced} of {cycle.clients} clients resync")


if __name__ == "__main__":
    sys.exit(signals.run(main()))  # a signal ends the processes, too
