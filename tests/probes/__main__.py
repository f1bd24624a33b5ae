"""`python -m tests.probes --probes 100000 --seed 1`: many probes in several processes, and a table of what they found.

`--first N --probes 1` repeats one probe.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.probes.batch import run_batch
from tests.probes.tally import Tally

AT_A_TIME = 5_000


def main() -> None:
    """Run the probes; the exit code is 1 if there are faults."""
    parser = argparse.ArgumentParser(prog="make probes", description=__doc__)
    parser.add_argument("--probes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first probe")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes share the work")
    given = parser.parse_args()
    tally = _share(given.seed, given.first, given.probes, given.jobs)
    _say("\n".join([*tally.faults, *tally.table()]))
    sys.exit(bool(tally.faults))


def _share(seed: int, first: int, count: int, jobs: int) -> Tally:
    """Run batches in several processes."""
    tally, end = Tally(), first + count
    with ProcessPoolExecutor(jobs, max_tasks_per_child=1) as pool:
        starts = range(first, end, AT_A_TIME)
        batches = [pool.submit(run_batch, seed, at, min(AT_A_TIME, end - at)) for at in starts]
        for batch in as_completed(batches):
            tally.add(batch.result())
            _say(f"{tally.probes.total():,} of {count:,} probes, {len(tally.faults)} faults")
    return tally


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
