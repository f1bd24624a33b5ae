"""`python -m embedded FOLDER`: run both servers until Ctrl-C or SIGTERM, and print their URLs."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from embedded import EmbeddedError, running


def _exit(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the stop
    raise SystemExit(0)


def main() -> None:
    """Start the servers, print their URLs, and wait for a signal."""
    parser = argparse.ArgumentParser(prog="python -m embedded", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder for the data")
    parser.add_argument("--for-tests", action="store_true", help="faster, but a crash of the machine can lose data")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    try:
        with running(options.folder, durable=not options.for_tests) as servers:
            sys.stdout.write(f"DATABASE_URL={servers.database_url}\nREDIS_URL={servers.redis_url}\n")
            sys.stdout.flush()
            while True:
                signal.pause()
    except EmbeddedError as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
