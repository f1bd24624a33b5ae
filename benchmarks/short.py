"""The shortest comparison, for `make prove`: reading a task, compared with Mercurius and its JIT, in half a minute.

    python -m benchmarks.short FOLDER

Prints a JSON object: milliseconds from a request to its answer, one request at a time, of `ours` and of `theirs`; how
many times ours that is (`times`), and how many times their requests per second it answers when 32 ask at once (`rate`),
both as medians of the rounds with `least` and `most`. The exit status is 69, with a line on stderr, if a program
is missing.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.__main__ import choose
from benchmarks.environment import stage
from benchmarks.load import Missing, check_wrk
from benchmarks.parts import Answering
from benchmarks.ratios import Spread, ratio, values
from benchmarks.results import Measurement
from benchmarks.rounds import Plan
from benchmarks.workloads import Workload

OURS, THEIRS = "ours", "mercurius"
TASKS: Final = 10_000
PLAN: Final = Plan(seconds=1, rounds=5, alone_seconds=1, warm_up=0)


def main() -> int:
    """Compare, and print the result."""
    parser = argparse.ArgumentParser(prog="benchmarks.short", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the servers may keep their files")
    folder = parser.parse_args().folder
    try:
        with redirect_stdout(sys.stderr):
            check_wrk()
            part = Answering([Workload.W1], choose([OURS, THEIRS]))
            with stage(folder, TASKS) as ground:
                measured = [each for some in part.play(ground, PLAN, 0) for each in some]
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return os.EX_UNAVAILABLE
    sys.stdout.write(f"{json.dumps(summary(measured))}\n")
    return 0


def summary(measured: Iterable[Measurement]) -> dict[str, Any]:
    """The printed values of the rounds of both servers."""
    some = list(measured)
    ours, theirs = (Spread.of(values(some, Workload.W1, peer, "alone").values()).median for peer in (OURS, THEIRS))
    times, rate = ratio(some, Workload.W1, THEIRS, OURS, "alone"), ratio(some, Workload.W1, OURS, THEIRS)
    assert times is not None
    assert rate is not None
    return {"ours": ours, "theirs": theirs, "times": asdict(times), "rate": asdict(rate)}


if __name__ == "__main__":
    sys.exit(main())
