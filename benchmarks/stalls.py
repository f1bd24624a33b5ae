"""How long the event loop is blocked by the most expensive documents that are accepted.

Each document is sent three times: when it is new, when it is known, for which it is compiled, and when it is compiled.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop

from benchmarks import answer_checks
from benchmarks.dialects import Request
from benchmarks.environment import Stage, token_for
from benchmarks.expensive_documents import Document, creation, documents
from benchmarks.peers.catalogue import PEERS
from benchmarks.results import Measurement
from benchmarks.rounds import Plan

PART: Final = "stall"
OURS: Final = PEERS["ours"]
REPEATS: Final = 2
TIMES: Final = 3
_LONG_TASKS: Final = 100
_TICK_WAIT_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Stalls:
    """The longest delay of a 5 ms timer in the event loop, in milliseconds, while documents are sent one by one.

    `cpu` is the most processor time that the loop uses between two ticks: the delay on an idle machine.
    """

    name: str = PART
    names: tuple[str, ...] = (PART,)
    about: str = "how long the event loop is blocked by expensive documents, in milliseconds"

    @property
    def weight(self) -> float:
        """The time of a round, in ordinary measurements of a workload."""
        return 4

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        """In each round, each document with a few different comments."""
        for number in range(first, plan.rounds):
            gaps = ground.folder / "gaps"
            gaps.unlink(missing_ok=True)
            try:
                with ground.start(OURS, "--gaps", str(gaps)) as server:
                    tasks = [_created(server.port, each) for each in range(_LONG_TASKS)]
                    yield [_measure(server.port, gaps, document, number) for document in documents(tasks[0])]
            finally:
                uvloop.run(ground.rewind(OURS))


def _created(port: int, number: int) -> str:
    """The id of a new task with the longest texts. It is among the newest, which the pages contain."""
    return str(json.loads(_send(port, creation(number), "created"))["data"]["createTask"]["task"]["id"])


def _measure(port: int, gaps: Path, document: Document, number: int) -> Measurement:
    gaps.unlink(missing_ok=True)
    for repeat in range(REPEATS):
        for _ in range(TIMES):
            _send(port, document, f"{number}-{repeat}")
    time.sleep(_TICK_WAIT_SECONDS)
    seen = json.loads(gaps.read_text())
    return Measurement(f"{PART}/{document.name}", OURS.name, number, seen["wall"], {"cpu": seen["cpu"]})


def _send(port: int, document: Document, comment: str) -> bytes:
    request = Request("POST", "/graphql", document.body(comment).decode())
    status, raw = answer_checks.send(port, request, token_for(OURS))
    refused = b'"errors"' in raw[:300]
    if status != 200 or refused != document.is_refused:
        raise RuntimeError(f"{document.name} was answered with {status}: {raw[:500]!r}")
    return raw
