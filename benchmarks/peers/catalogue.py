"""The servers that are compared: how each is started, and which workloads it answers."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.dialects import Dialects
from benchmarks.listeners import GRAPHQL, Endpoint
from benchmarks.load import Missing
from benchmarks.workloads import WRITES, Workload
from cli.output import say

SECRET: Final = "a-secret-of-the-benchmark-and-of-nothing-else"  # noqa: S105 - it protects nothing
_HERE: Final = Path(__file__).parent
_NODE: Final = _HERE / "node"
_NODE_22: Final = _HERE / "postgraphile"
_ALL: Final = frozenset(Workload)
_NONE: Final[frozenset[Workload]] = frozenset()
_EVENTS: Final = {"EVENTS": "1"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A server. `command` may contain `{port}`, `{database}` and `{redis}`; `packages` is the folder for npm.

    `endpoint` is the URL of its subscriptions; a peer without one takes no part in W5, and has no subscribers in W10.
    """

    name: str
    title: str
    command: tuple[str, ...]
    dialect: Dialects = Dialects.GRAPHQL
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Path | None = None
    endpoint: Endpoint | None = None
    workloads: frozenset[Workload] = _ALL
    """The workloads that it answers. W5 depends on `endpoint`."""
    records_events: bool = False
    """Whether each change inserts one row into `events`, in the same transaction."""

    @property
    def is_ours(self) -> bool:
        """Whether it works on our tables, with our tokens."""
        return self.dialect is Dialects.OURS

    def prepare(self) -> None:
        """Install its packages, unless they are installed.

        Raises:
            Missing: node is missing, or npm failed.
        """
        if self.packages is None:
            return
        if shutil.which("node") is None or shutil.which("npm") is None:
            raise Missing(f"node is missing, and {self.title} needs it: install Node.js 20 or newer, with npm.")
        installed, locked = (self.packages / name for name in ("node_modules/.package-lock.json", "package-lock.json"))
        if installed.exists() and installed.stat().st_mtime >= locked.stat().st_mtime:
            return
        say(f"Installing {self.title} …")
        npm = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
        if subprocess.run(npm, cwd=self.packages, check=False).returncode:
            raise Missing(f"{self.title} cannot be installed: see what `npm ci` says in {self.packages}.")


def _uvicorn(application: str) -> tuple[str, ...]:
    options = ("--loop", "uvloop", "--http", "httptools", "--log-level", "warning", "--no-access-log")
    return (sys.executable, "-m", "uvicorn", application, *options, "--port", "{port}")


def _node(script: str) -> tuple[str, ...]:
    return ("node", str(_NODE / script))


def _with_events(name: str, title: str, script: str) -> Peer:
    """A Node peer that also inserts an event in the transaction of each change."""
    return Peer(
        name,
        title,
        _node(script),
        environment=_EVENTS,
        packages=_NODE,
        workloads=frozenset(WRITES),
        records_events=True,
    )


_STRAWBERRY: Final = _uvicorn("benchmarks.peers.python.strawberry_app:app")

PEERS: Final = {
    peer.name: peer
    for peer in (
        Peer(
            "ours",
            "Taskriver",
            (sys.executable, "-m", "benchmarks.server", "{database}", "{redis}", "{port}"),
            Dialects.OURS,
            endpoint=GRAPHQL,
            records_events=True,
        ),
        Peer("mercurius", "Mercurius + JIT", _node("mercurius.mjs"), packages=_NODE, endpoint=GRAPHQL),
        _with_events("mercurius-event", "Mercurius + JIT, with event", "mercurius.mjs"),
        Peer(
            "strawberry-cached", "Strawberry + both caches", _STRAWBERRY, environment={"CACHES": "1"}, endpoint=GRAPHQL
        ),
        Peer("strawberry", "Strawberry", _STRAWBERRY, endpoint=GRAPHQL),
        Peer(
            "fastapi",
            "FastAPI, REST",
            _uvicorn("benchmarks.peers.python.fastapi_app:app"),
            Dialects.REST,
            endpoint=Endpoint("/ws/tasks?token={token}", converses=False, mark=b'"updatedAt"'),
        ),
        Peer("apollo", "Apollo Server 5", _node("apollo.mjs"), packages=_NODE),
        _with_events("apollo-event", "Apollo Server 5, with event", "apollo.mjs"),
        Peer(
            "postgraphile",
            "PostGraphile 5",
            (str(_NODE_22 / "node_modules/node/bin/node"), str(_NODE_22 / "postgraphile.mjs")),
            Dialects.POSTGRAPHILE,
            {"GRAPHILE_ENV": "production"},
            _NODE_22,
            workloads=_ALL - {Workload.W10},
        ),
        Peer(
            "floor",
            "bound: written by hand",
            _uvicorn("benchmarks.baselines.compiled:app"),
            workloads=_ALL - {Workload.W10},
        ),
        Peer(
            "frames",
            "bound: one frame for all",
            _uvicorn("benchmarks.baselines.frames:app"),
            endpoint=Endpoint("/", converses=False),
            workloads=_NONE,
        ),
        Peer("commits", "bound: bare asyncpg", (), workloads=_NONE),
    )
}
SHORT: Final = ("ours", "mercurius", "mercurius-event")
"""The participants of `make bench`."""
