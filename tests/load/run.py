"""One server and one run of Locust against it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.dataset import MODERATORS, PEOPLE
from benchmarks.environment import Stage, token_for
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.process import ServerProcess, started
from tests.load import clients, figures
from tests.load.figures import Figures
from tests.load.generator_delay import DELAY_FILE
from tests.load.server_times import BEFORE_FILE, METRICS_PORT
from tests.support.ports import reserved_port

_HERE: Final = Path(__file__).parent
_GRACE_SECONDS: Final = 60
_LOOK_SECONDS: Final = 0.5
MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """A file of Locust's, how many clients it has, how many come each second, and for how long it goes on.

    With *settled*, only what happens after the last client has come is counted.
    """

    name: str
    users: int
    arriving: float
    seconds: int
    settled: bool = False
    subscribers: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """A running server, the tokens it accepts, and the path of its list."""

    title: str
    process: ServerProcess
    peer: Peer
    list_path: str
    metrics_port: int = 0


@contextmanager
def ours(stage: Stage, workers: int, cpu: int | None = None) -> Iterator[Target]:
    """`taskriver serve` as in production, except for its secrets, on any cores unless *cpu* is given."""
    port, metrics_port = reserved_port(), reserved_port()
    environment = {
        "DATABASE_URL": stage.ours,
        "REDIS_URL": stage.redis,
        "PORT": str(port),
        "WORKERS": str(workers),
        "LOG_LEVEL": "info",
        "METRICS_PORT": str(metrics_port),
    }
    command = [sys.executable, "-m", "cli", "serve"]
    with (
        (stage.folder / "load-server.log").open("w") as log,
        started(command, port=port, cpu=cpu, environment=environment, log=log) as process,
    ):
        yield Target(f"here, {workers} workers", process, PEERS["ours"], "/api/v1/tasks/", metrics_port)


@contextmanager
def fastapi(stage: Stage, workers: int) -> Iterator[Target]:
    """The peer that serves REST, on whichever cores there are."""
    peer = PEERS["fastapi"]
    with stage.start(peer, "--workers", str(workers), cpu=None) as process:
        yield Target(f"FastAPI, {workers} workers", process, peer, "/tasks?first=10")


def put_under_load(target: Target, scenario: Scenario, out: Path) -> Figures:
    """Run it, write `<out>.html`, and return the counts and the peak memory of the server. Raises: RuntimeError: Locust
    itself has failed; failed requests are counted instead.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    people = out.parent / "people.json"
    people.write_text(json.dumps(_users(target.peer)))
    command = [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary", "--loglevel", "WARNING"),
        *("--locustfile", str(_HERE / f"{scenario.name}.py"), "--host", f"http://127.0.0.1:{target.process.port}"),
        *("--users", str(scenario.users), "--spawn-rate", f"{scenario.arriving:g}"),
        *("--run-time", f"{scenario.seconds}s", "--stop-timeout", "5", "--exit-code-on-error", "0"),
        *("--csv", str(out), "--html", str(out.with_suffix(".html"))),
        *(("--reset-stats",) if scenario.settled else ()),
    ]
    environment = {
        **os.environ,
        clients.PEOPLE_FILE: str(people),
        clients.SUBSCRIBERS: str(scenario.subscribers),
        clients.LIST_PATH: target.list_path,
        DELAY_FILE: str(delay_file(out)),
        BEFORE_FILE: str(before_file(out)),
        METRICS_PORT: str(target.metrics_port),
    }
    with _weighing(target.process) as weighed:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=scenario.seconds + _GRACE_SECONDS,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"Locust ended with {done.returncode}: {done.stderr[-2_000:]}")
    counted = figures.read(out.with_name(f"{out.name}_stats.csv"), target.title)
    return replace(counted, memory=max(weighed, default=0) / MEGABYTE)


def delay_file(out: Path) -> Path:
    """Where a run writes how late the load generator was."""
    return out.with_name(f"{out.name}_delay.json")


def before_file(out: Path) -> Path:
    """Where a run writes what the server had measured when all clients were there."""
    return out.with_name(f"{out.name}_before.json")


@contextmanager
def _weighing(server: ServerProcess) -> Iterator[list[int]]:
    """What the server weighs, now and then."""
    weighed: list[int] = []
    over = threading.Event()

    def weigh() -> None:
        while not over.wait(_LOOK_SECONDS):
            weighed.append(server.tree_memory)

    thread = threading.Thread(target=weigh, daemon=True)
    thread.start()
    try:
        yield weighed
    finally:
        over.set()
        thread.join()


def _users(peer: Peer) -> list[tuple[str, str]]:
    """All users who are no moderators, each with a new token."""
    return [(f"user{person}", token_for(peer, person)) for person in range(MODERATORS + 1, PEOPLE + 1)]
