"""`python -m tests.simulation [--histories N] [--first SEED]`, or `--seed N` to read one history."""

import argparse
import sys

from tests.simulation.histories import read, run_many


def main() -> None:
    """Run histories, or tell one."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell this one history")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--histories", type=int, default=10_000)
    given = parser.parse_args()
    if given.seed is not None:
        why = read(given.seed, _say)
        _say(f"seed {given.seed}: {why or 'every promise was kept'}")
        sys.exit(why is not None)
    outcome = run_many(given.first, given.histories)
    _say(f"seeds {given.first} to {given.first + outcome.histories - 1}: {outcome}")
    sys.exit(outcome.seed is not None)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
