"""`python -m tests.chaos --cycles 100`: a run with faults, and its result in one line."""

import argparse
import sys
import tempfile
from pathlib import Path

from server import signals
from tests.chaos.fault_run import FaultRun
from tests.chaos.faults import FAULTS, undo
from tests.chaos.outcome import details
from tests.chaos.stack import running


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


async def main() -> int:
    """Run it; 0 if no fault was found."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", choices=[fault.__name__ for fault in FAULTS], nargs="*")
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if not options.only or fault.__name__ in options.only]
    with tempfile.TemporaryDirectory(prefix="taskriver-chaos-") as folder:
        async with running(Path(folder)) as stack:
            try:
                outcome = await FaultRun(stack, seed=options.seed, projects=True).run(options.cycles, chosen, _say)
            finally:
                await undo(stack)
    sys.stdout.write("\n".join([*details(outcome), outcome.line(), ""]))
    return 0 if outcome.report.clean and not outcome.logged_errors else 1


if __name__ == "__main__":
    sys.exit(signals.run(main()))  # a signal ends the processes, too
