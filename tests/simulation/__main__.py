"""`python -m tests.simulation [--histories N] [--first SEED]`, or `--seed N` to read one history."""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.simulation.histories import Outcome, read, run_many

AT_A_TIME = 250


def main() -> None:
    """Run histories, or print one."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="print this history")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes share the work")
    given = parser.parse_args()
    if given.seed is not None:
        why = read(given.seed, _say)
        _say(f"seed {given.seed}: {why or 'every promise was kept'}")
        sys.exit(why is not None)
    outcome = _share(given.first, given.histories, given.jobs)
    _say(f"from seed {given.first} in {given.jobs} processes: {outcome}")
    sys.exit(outcome.seed is not None)


def _share(first: int, histories: int, jobs: int) -> Outcome:
    """Run histories in several processes; ends with the first broken promise that any of them meets."""
    began, done, end = time.perf_counter(), 0, first + histories
    with ProcessPoolExecutor(jobs) as pool:
        chunks = [pool.submit(run_many, at, min(AT_A_TIME, end - at)) for at in range(first, end, AT_A_TIME)]
        for chunk in as_completed(chunks):
            outcome = chunk.result()
            done += outcome.histories
            if outcome.seed is not None:
                pool.shutdown(cancel_futures=True)
                return Outcome(done, time.perf_counter() - began, outcome.seed, outcome.why)
    return Outcome(done, time.perf_counter() - began)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
