"""`make prove`: test the promises of README on this machine, with private servers, in one to two minutes."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import embedded
from cli.table import Column, table
from embedded.ports import free_port
from verification.promises.promise import PROMISES, Promise
from verification.promises.stack import Measured, Outcome, PromiseNotTried, Stack

TIMEOUT_SECONDS: Final = 60.0
STYLES: Final = {
    Outcome.KEPT.value: "green",
    Outcome.BROKEN.value: "bold red",
    Outcome.NOT_DECIDED.value: "yellow",
    Outcome.NOT_TRIED.value: "yellow",
}
DEVELOPMENT: Final = {"BCRYPT_ROUNDS": "4"}
PRODUCTION: Final = {"ENVIRONMENT": "production"}


def main() -> int:
    """Test the named promises, or all; returns 1 if a promise is broken."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    known = {each.name: each for each in PROMISES}
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"the promises to test: {', '.join(known)}; by default all"
    )
    names = parser.parse_args().names or list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"unknown promise {unknown[0]}; the promises are {', '.join(known)}")
    chosen = [known[name] for name in names]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="taskriver-prove-") as folder, running(Path(folder)) as stack:
        outcomes = [(each, tried(each, stack)) for each in chosen]
    rows = [[each.text, each.command, found.value, found.outcome.value] for each, found in outcomes]
    columns = [Column("promise"), Column("command"), Column("measured"), Column("kept?", styles=STYLES)]
    sys.stdout.write(table(columns, rows) + "\n")
    return 1 if any(found.outcome is Outcome.BROKEN for _, found in outcomes) else 0


def tried(promise: Promise, stack: Stack) -> Measured:
    """Test one promise. A failed test breaks it; a test that cannot run does not."""
    sys.stderr.write(f"Testing: {promise.text}\n")
    try:
        return asyncio.run(promise.prove(stack))
    except PromiseNotTried as reason:
        return Measured(str(reason), Outcome.NOT_TRIED)
    except Exception as error:
        return Measured(f"the test failed: {type(error).__name__} {error}".strip(), Outcome.BROKEN)


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Run private servers, and the processes that use them."""
    sys.stderr.write("Starting PostgreSQL, Valkey and three Taskriver processes …\n")
    with embedded.running(folder / "servers", durable=False) as servers, ExitStack() as ends:
        known = {
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "SECRET_KEYS": f"prove:{os.urandom(32).hex()}",
            "REGISTRATIONS_PER_ADDRESS": "1000",
            "LOG_LEVEL": "error",
        }
        subprocess.run(taskriver("migrate"), env=os.environ | known, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        yield Stack(
            *(ends.enter_context(served(folder, known | more)) for more in (DEVELOPMENT, DEVELOPMENT, PRODUCTION))
        )


@contextmanager
def served(folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """Run a server process; yields its URL."""
    port = free_port(None)
    environment = os.environ | settings | {"PORT": str(port), "HOST": "127.0.0.1"}
    process = subprocess.Popen(taskriver("serve"), env=environment, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(process, f"{url}/readyz")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    """Wait until the process serves requests."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - a loopback address
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"A Taskriver process did not start: it ended with status {process.poll()}.")
            time.sleep(0.1)


def taskriver(command: str) -> list[str]:
    """The command line of a `taskriver` command with this interpreter."""
    return [sys.executable, "-m", "cli", command]


if __name__ == "__main__":
    sys.exit(main())
