"""`make prove`: what README promises, tried on this machine in a minute or two, on servers of its own."""

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
from verification.promises.stack import Measured, NotTried, Outcome, Stack

PATIENCE_SECONDS: Final = 60.0
STYLES: Final = {
    Outcome.KEPT.value: "green",
    Outcome.BROKEN.value: "bold red",
    Outcome.NOT_DECIDED.value: "yellow",
    Outcome.NOT_TRIED.value: "yellow",
}
DEVELOPMENT: Final = {"BCRYPT_ROUNDS": "4"}
PRODUCTION: Final = {"ENVIRONMENT": "production"}


def main() -> int:
    """Try the promises that are named, or all of them; 1 if one is broken."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    known = {each.name: each for each in PROMISES}
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(known)}; without, all of them")
    names = parser.parse_args().names or list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(known)}")
    chosen = [known[name] for name in names]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="taskriver-prove-") as folder, running(Path(folder)) as stack:
        outcomes = [(each, tried(each, stack)) for each in chosen]
    rows = [[each.text, each.command, found.value, found.outcome.value] for each, found in outcomes]
    columns = [Column("promise"), Column("command"), Column("measured"), Column("kept?", styles=STYLES)]
    sys.stdout.write(table(columns, rows) + "\n")
    return 1 if any(found.outcome is Outcome.BROKEN for _, found in outcomes) else 0


def tried(promise: Promise, stack: Stack) -> Measured:
    """What came out; a proof that fails breaks its promise, one that lacks something does not."""
    sys.stderr.write(f"Trying: {promise.text}\n")
    try:
        return asyncio.run(promise.prove(stack))
    except NotTried as reason:
        return Measured(str(reason), Outcome.NOT_TRIED)
    except Exception as error:
        return Measured(f"could not be tried: {type(error).__name__} {error}".strip(), Outcome.BROKEN)


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Servers of our own, and the processes on them."""
    sys.stderr.write("Starting PostgreSQL, Valkey and three processes of Taskriver …\n")
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
    """A process that serves, and its URL."""
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
    """Wait until it serves."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"A process of Taskriver did not start: it ended with {process.poll()}.")
            time.sleep(0.1)


def taskriver(command: str) -> list[str]:
    """The command line of a command, by this interpreter."""
    return [sys.executable, "-m", "cli", command]


if __name__ == "__main__":
    sys.exit(main())
