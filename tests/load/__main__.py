"""Put the server under the load of many clients, and hold the figures against those that were documented.

    make load                    or  python -m tests.load [documented|mixed|highest] [--workers 2] [--seconds 90]

documented: 300 users who arrive five a second, list tasks and think for one to three seconds; counted once all are
there. mixed: 20 clients without a pause, and 20 listeners. highest: how many lists a second with a p95 of 50 ms, beside
FastAPI. Reports go to .taskriver/load.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.environment import Stage, stage
from cli.output import say
from tests.load import figures
from tests.load.figures import Figures
from tests.load.highest import P95_MILLISECONDS, highest
from tests.load.run import Scenario, Target, fastapi, ours, put_under_load

FOLDER: Final = Path(".taskriver/load")
USERS: Final = 300
ARRIVING: Final = 5
STEP_SECONDS: Final = 8


def documented(ground: Stage, workers: list[int], seconds: int) -> None:
    """The documented scenario, with each number of workers."""
    scenario = Scenario("documented", USERS, ARRIVING, seconds, settled=True)
    rows: list[tuple[str, ...]] = [figures.HEADINGS, figures.DOCUMENTED]
    for many in workers:
        out = FOLDER / f"documented-{many}-workers"
        with ours(ground, many) as target:
            rows.append(figures.cells(put_under_load(target, scenario, out)))
    say(f"\n{USERS} users list tasks, once they are all there\n{figures.table(rows)}")


def mixed(ground: Stage, workers: list[int], seconds: int) -> None:
    """The honest scenario, request by request."""
    scenario = Scenario("mixed", 40, 10, seconds, settled=True, subscribers=20)
    for many in workers:
        out = FOLDER / f"mixed-{many}-workers"
        with ours(ground, many) as target:
            total = put_under_load(target, scenario, out)
        counted = figures.read_all(out.with_name(f"{out.name}_stats.csv"))
        rows = [figures.HEADINGS, *(figures.cells(each) for each in counted[:-1]), figures.cells(total)]
        say(f"\n20 clients without a pause and 20 listeners, {many} workers\n{figures.table(rows)}")


def compare_highest(ground: Stage, workers: list[int], seconds: int) -> None:
    """The highest rate, ours and FastAPI's."""
    for many in workers:
        found = {name: _highest(name, start, ground, many) for name, start in (("ours", ours), ("fastapi", fastapi))}
        rows = [figures.HEADINGS, *(figures.cells(each) for each in found.values() if each)]
        say(f"\nThe highest rate with a p95 of {P95_MILLISECONDS:.0f} ms\n{figures.table(rows)}")
        mine, theirs = found["ours"], found["fastapi"]
        if mine and theirs:
            say(f"{mine.rate / theirs.rate:.2f} × FastAPI")
        else:
            say("A server was too slow even for the fewest clients: is the machine busy?")


def _highest(
    name: str, start: Callable[[Stage, int], AbstractContextManager[Target]], ground: Stage, workers: int
) -> Figures | None:
    with start(ground, workers) as target:

        def attempt(users: int) -> Figures:
            scenario = Scenario("paced", users, users, STEP_SECONDS, settled=True)
            found = put_under_load(target, scenario, FOLDER / f"paced-{name}")
            say(f"  {target.title}: {found.rate:,.0f}/s, p95 {found.p95:.0f} ms, {found.failures} failures")
            return found

        return highest(attempt)


@contextmanager
def load_stage() -> Iterator[Stage]:
    """Rows of its own, for these clients write."""
    with stage(FOLDER, pinned=False) as ground:
        yield ground


RUNS: Final = {"documented": documented, "mixed": mixed, "highest": compare_highest}


def main() -> int:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="tests.load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "scenarios", nargs="*", choices=list(RUNS), default="documented", metavar="documented | mixed | highest"
    )
    parser.add_argument("--workers", default="2,4", help="server processes, one run for each number")
    parser.add_argument("--seconds", type=int, default=90, help="how long a run takes, the arriving included")
    options = parser.parse_args()
    workers = [int(many) for many in options.workers.split(",")]
    with load_stage() as ground:
        for name in [options.scenarios] if isinstance(options.scenarios, str) else options.scenarios:
            RUNS[name](ground, workers, options.seconds)
    say(f"\nReports: {FOLDER}/*.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
