"""Where our server spends its time under a workload.

make profile WORKLOAD=W2     or  python -m benchmarks.profile W2 [--seconds 5] [--top 30]
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.load import Missing, check_wrk, put_under_load, write_requests
from benchmarks.peers.catalogue import PEERS
from benchmarks.process import ServerProcess
from benchmarks.rounds import FIRST_WARM_UP_SECONDS
from benchmarks.sampling import SWITCH, most
from benchmarks.stage import Stage, stage, token_for
from benchmarks.workloads import Workload, cases
from graphql_api.cli.saying import say

PATIENCE_SECONDS = 10.0


def profile(ground: Stage, workload: Workload, seconds: int, top: int) -> None:
    """Put it under load, look, and say what was seen."""
    samples, requests = ground.folder / "samples.json", ground.folder / "profiled.requests"
    samples.unlink(missing_ok=True)
    ours = PEERS["ours"]
    dialect = ours.dialect.value
    write_requests(requests, [dialect.request(workload, case) for case in cases(workload, ground.tasks)])
    with ground.start(ours, "--samples", str(samples)) as server:
        put_under_load(server.port, requests, token_for(ours), FIRST_WARM_UP_SECONDS)
        os.kill(server.pid, SWITCH)
        load = put_under_load(server.port, requests, token_for(ours), seconds)
        os.kill(server.pid, SWITCH)
        seen = _read(samples, server)
    say(f"{workload}: {workload.about}, {load.rate:,.0f}/s while looked at, {seen['looks']:,} looks")
    say(f"\nLines, by themselves\n{chr(10).join(most(seen['lines'], seen['looks'], top))}")
    say(f"\nFunctions, with all they call\n{chr(10).join(most(seen['functions'], seen['looks'], top))}")


def _read(samples: Path, server: ServerProcess) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not samples.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Process {server.pid} has not written what it saw.")
        time.sleep(0.05)
    return json.loads(samples.read_text())


def main() -> int:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="benchmarks.profile", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workload", type=Workload, choices=list(Workload))
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--top", type=int, default=30)
    options = parser.parse_args()
    try:
        check_wrk()
    except Missing as missing:
        say(str(missing))
        return 1
    with stage() as ground:
        profile(ground, options.workload, options.seconds, options.top)
    return 0


if __name__ == "__main__":
    sys.exit(main())
