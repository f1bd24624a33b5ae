"""`python -m tests.outages`: measure every outage, and print the rows of the table or write them to docs/outages.md."""

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime

from embedded.accounts import account_for
from embedded.binaries import find_postgres, find_valkey
from server import signals
from tests.outages.disks import NoDiskError
from tests.outages.measurement import measure
from tests.outages.outages import OUTAGES
from tests.outages.table import HEADS, PAGE, cells, page
from tests.support.release import NoHistoryError


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


async def main() -> int:
    """Measure; 0 if no change was lost and no repeated request failed."""
    parser = argparse.ArgumentParser(prog="make outages")
    parser.add_argument("--seconds", type=float, default=10, help="how long an outage lasts")
    parser.add_argument("--only", choices=[each.name for each in OUTAGES], nargs="*")
    parser.add_argument("--write", action="store_true", help="write the rows to docs/outages.md")
    options = parser.parse_args()
    rows, problems = [], 0
    for outage in OUTAGES:
        if options.only and outage.name not in options.only:
            continue
        try:
            measured = await measure(outage, options.seconds)
        except (NoDiskError, NoHistoryError) as missing:
            _say(f"{outage.name} is left out. {missing}")
            continue
        problems += len(measured.problems)
        rows.append(cells(measured))
        sys.stdout.write("\n".join([*(f"{head}: {cell}" for head, cell in zip(HEADS, rows[-1], strict=True)), "", ""]))
        sys.stdout.write("".join(f"  {problem}\n" for problem in measured.problems[:20]))
        sys.stdout.flush()
    if options.write:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), rows, _versions()), encoding="utf-8")
    return 1 if problems else 0


def _versions() -> str:
    postgres, valkey = find_postgres(account_for()).folder / "postgres", find_valkey(account_for())
    outputs = [
        subprocess.run([str(each), "--version"], capture_output=True, text=True, check=True).stdout
        for each in (postgres, valkey)
    ]
    names = [f"PostgreSQL {outputs[0].split()[2]}", f"Valkey {outputs[1].partition('v=')[2].split()[0]}"]
    return (
        f"Measured on {datetime.now(UTC):%-d %B %Y} with {', '.join(names)}, Python {platform.python_version()} and"
        f" {os.cpu_count()} cores (`make outages`)."
    )


if __name__ == "__main__":
    sys.exit(signals.run(main()))  # a signal ends the servers, too
