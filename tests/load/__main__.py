"""Put the server under the load of many clients, and hold the figures against those that were documented.

    make load                    or  python -m tests.load [documented|mixed|moves|highest] [--workers 2] [--seconds 90]

documented: 300 users who arrive five a second, list tasks and think for one to three seconds; counted once all are
there. mixed: 20 clients without a pause, and 20 listeners. moves: so many moves a second (--rate), the server on one
core, and 20 subscribers who see all of them. moves-with-people: they also receive the owner and the assignee. highest:
how many lists a second with a p95 of 50 ms, beside FastAPI. Reports go to .taskriver/load.

mixed and moves also print the time from commit to write that the server measures, and how late the load generator is.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.environment import Stage, stage
from benchmarks.peers.catalogue import PEERS
from benchmarks.process import cores
from benchmarks.workloads import Workload, cases
from cli.output import say
from tests.load import figures, generator_delay, server_times
from tests.load.figures import Figures
from tests.load.highest import P95_MILLISECONDS, highest
from tests.load.moves import LISTEN, LISTEN_WITH_PEOPLE, METRICS_SECONDS, measure
from tests.load.run import Scenario, Target, before_file, delay_file, fastapi, ours, put_under_load
from tests.load.server_times import COMMIT_TO_WRITE

FOLDER: Final = Path(".taskriver/load")
USERS: Final = 300
ARRIVING: Final = 5
STEP_SECONDS: Final = 8
SUBSCRIBERS: Final = 20


def documented(ground: Stage, workers: list[int], seconds: int, _rate: int) -> None:
    """The documented scenario, with each number of workers."""
    scenario = Scenario("documented", USERS, ARRIVING, seconds, settled=True)
    rows: list[tuple[str, ...]] = [figures.HEADINGS, figures.DOCUMENTED]
    for many in workers:
        out = FOLDER / f"documented-{many}-workers"
        with ours(ground, many) as target:
            rows.append(figures.cells(put_under_load(target, scenario, out)))
    say(f"\n{USERS} users list tasks, once they are all there\n{figures.table(rows)}")


def mixed(ground: Stage, workers: list[int], seconds: int, _rate: int) -> None:
    """The honest scenario, request by request."""
    scenario = Scenario("mixed", 40, 10, seconds, settled=True, subscribers=20)
    for many in workers:
        out = FOLDER / f"mixed-{many}-workers"
        with ours(ground, many) as target:
            total = put_under_load(target, scenario, out)
            time.sleep(METRICS_SECONDS)
            written = server_times.read(target.metrics_port).since(server_times.load(before_file(out)))
        counted = figures.read_all(out.with_name(f"{out.name}_stats.csv"))
        delay = generator_delay.load(delay_file(out))
        settled = seconds - scenario.users / scenario.arriving
        found = (*counted[:-1], server_times.figures(written, settled), delay, total)
        rows = [figures.HEADINGS, *map(figures.cells, found)]
        say(f"\n20 clients without a pause and 20 listeners, {many} workers\n{figures.table(rows)}")


def moves(ground: Stage, workers: list[int], seconds: int, rate: int, listen: str = LISTEN) -> None:
    """Moves at a given rate. A single worker has one core, and everything else the other one."""
    requests = [PEERS["ours"].dialect.value.request(each) for each in cases(Workload.W3, ground.tasks)]
    for many in workers:
        uvloop.run(ground.rewind(PEERS["ours"]))  # so that each move is a change
        with ours(ground, many, cores()[0] if many == 1 else None) as target:
            found, used = uvloop.run(measure(target, requests, rate, seconds, listen, SUBSCRIBERS))
        rows = [figures.HEADINGS, *map(figures.cells, found)]
        say(f"\n{rate} moves a second, {SUBSCRIBERS} subscribers, {many} workers\n{figures.table(rows)}")
        responses, written = found[0], next(each for each in found if each.title == COMMIT_TO_WRITE)
        say(f"p95 from commit to write: {written.p95 / max(responses.p95, 1):.1f} × the p95 of a response")
        say(f"the server used {used / seconds:.2f} cores")


def compare_highest(ground: Stage, workers: list[int], _seconds: int, _rate: int) -> None:
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
def load_stage(*, pinned: bool) -> Iterator[Stage]:
    """Rows of its own, for these clients write."""
    with stage(FOLDER, pinned=pinned) as ground:
        yield ground


RUNS: Final[dict[str, Callable[[Stage, list[int], int, int], None]]] = {
    "documented": documented,
    "mixed": mixed,
    "moves": moves,
    "moves-with-people": partial(moves, listen=LISTEN_WITH_PEOPLE),
    "highest": compare_highest,
}


def main() -> int:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="tests.load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "scenarios", nargs="*", choices=list(RUNS), default="documented", metavar="documented | mixed | moves | highest"
    )
    parser.add_argument("--workers", default="2,4", help="server processes, one run for each number")
    parser.add_argument("--seconds", type=int, default=90, help="how long a run takes, the arriving included")
    parser.add_argument("--rate", type=int, default=400, help="moves per second")
    options = parser.parse_args()
    workers = [int(many) for many in options.workers.split(",")]
    for name in [options.scenarios] if isinstance(options.scenarios, str) else options.scenarios:
        with load_stage(pinned=name.startswith("moves") and workers == [1]) as ground:
            RUNS[name](ground, workers, options.seconds, options.rate)
    say(f"\nReports: {FOLDER}/*.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
