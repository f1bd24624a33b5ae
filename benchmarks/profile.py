"""Profiles our server under a workload.

make profile WORKLOAD=W2     or  python -m benchmarks.profile W2 [--seconds 5] [--top 30]
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import fanout
from benchmarks.environment import Stage, stage, token_for
from benchmarks.load import Missing, check_wrk, put_under_load, write_requests
from benchmarks.peers.catalogue import PEERS
from benchmarks.process import ServerProcess
from benchmarks.rounds import FIRST_WARM_UP_SECONDS
from benchmarks.sampling import SWITCH, most
from benchmarks.workloads import Workload, cases
from cli.output import say

PATIENCE_SECONDS = 10.0
OURS = PEERS["ours"]


def answering(ground: Stage, workload: Workload, seconds: int, samples: Path) -> str:
    """Profile the server under load; returns its rate."""
    requests = ground.folder / "profiled.requests"
    dialect = OURS.dialect.value
    write_requests(requests, [dialect.request(case) for case in cases(workload, ground.tasks)])
    with ground.start(OURS, "--samples", str(samples)) as server:
        _rewind(ground, workload)
        put_under_load(server.port, requests, token_for(OURS), FIRST_WARM_UP_SECONDS)
        _rewind(ground, workload)
        _switch(server)
        load = put_under_load(server.port, requests, token_for(OURS), seconds)
        _switch(server)
        _wait_for(samples)
    return f"{workload}: {workload.about}, {load.rate:,.0f}/s while profiled"


def delivery(ground: Stage, samples: Path) -> str:
    """Profile one burst; returns the rate of its deliveries."""
    profiled = uvloop.run(
        fanout.measure(ground, OURS, 0, fanout.SOCKETS, "--samples", str(samples), edge=_switch),
    )
    _wait_for(samples)
    return f"{fanout.WHAT}: {profiled.value:,.0f} deliveries/s while profiled"


def report(samples: Path, top: int) -> None:
    """Print the lines and functions that were sampled most often."""
    seen: Any = json.loads(samples.read_text())
    say(f"{seen['looks']:,} samples")
    say(f"\nLines\n{chr(10).join(most(seen['lines'], seen['looks'], top))}")
    say(f"\nFunctions, with their calls\n{chr(10).join(most(seen['functions'], seen['looks'], top))}")


def _rewind(ground: Stage, workload: Workload) -> None:
    if workload.writes:
        uvloop.run(ground.rewind(OURS))


def _switch(server: ServerProcess) -> None:
    os.kill(server.pid, SWITCH)


def _wait_for(samples: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not samples.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("The server has not written its samples.")
        time.sleep(0.05)


def main() -> int:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="benchmarks.profile", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workload", choices=[*Workload, fanout.WHAT])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--top", type=int, default=30)
    options = parser.parse_args()
    try:
        check_wrk()
    except Missing as missing:
        say(str(missing))
        return 1
    with stage() as ground:
        samples = ground.folder / "samples.json"
        samples.unlink(missing_ok=True)
        if options.workload == fanout.WHAT:
            say(delivery(ground, samples))
        else:
            say(answering(ground, Workload(options.workload), options.seconds, samples))
        report(samples, options.top)
    return 0


if __name__ == "__main__":
    sys.exit(main())
