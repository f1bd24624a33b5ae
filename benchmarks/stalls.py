"""How long the event loop is blocked by the most expensive documents that are accepted, each when it is new."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import answer_checks
from benchmarks.dialects import Request
from benchmarks.environment import Stage, token_for
from benchmarks.peers.catalogue import PEERS
from benchmarks.results import Measurement
from benchmarks.rounds import Plan

PART: Final = "stall"
OURS: Final = PEERS["ours"]
REPEATS: Final = 5
_TICK_WAIT_SECONDS: Final = 0.2
_FIELDS: Final = """id title description status priority dueAt version createdAt updatedAt completedAt
    owner { id username } assignee { id username } viewerCanUpdate viewerCanUpdateStatus viewerCanAssign viewerCanDelete
"""
_HISTORY: Final = "history(first: 5) { nodes { at to version by { username } } }"


@dataclass(frozen=True, slots=True)
class Document:
    """A document that the server accepts. A comment before `text` makes it a new document."""

    name: str
    text: str


_PEOPLE: Final = "title owner { username } assignee { username } viewerCanDelete"

DOCUMENTS: Final = (
    Document("a page of 100, all fields", f"{{ tasks(first: 100) {{ totalCount edges {{ node {{ {_FIELDS} }} }} }} }}"),
    Document("a page of 60, histories too", f"{{ tasks(first: 60) {{ nodes {{ id title {_HISTORY} }} }} }}"),
    Document(
        "15 lists by alias",
        f"{{ {' '.join(f'a{number}: tasks(first: 10) {{ nodes {{ {_PEOPLE} }} }}' for number in range(15))} }}",
    ),
    Document(
        "the same fields 50 times",
        f"{{ tasks(first: 20) {{ {' '.join('nodes { id title }' for _ in range(50))} }} }}",
    ),
    Document("the schema", "{ __schema { types { name description fields { name description type { name } } } } }"),
)
"""Close to the limits of the server."""


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
        """About the number of its measurements in a round."""
        return 2

    def play(self, ground: Stage, plan: Plan, first: int) -> Iterator[list[Measurement]]:
        """In each round, each document with a few different comments."""
        for number in range(first, plan.rounds):
            gaps = ground.folder / "gaps"
            gaps.unlink(missing_ok=True)
            with ground.start(OURS, "--gaps", str(gaps)) as server:
                _send(server.port, "{ me { id } }", token_for(OURS))
                yield [_measure(server.port, gaps, document, number) for document in DOCUMENTS]


def _measure(port: int, gaps: Path, document: Document, number: int) -> Measurement:
    gaps.unlink(missing_ok=True)
    for repeat in range(REPEATS):
        _send(port, f"# {number}-{repeat}\n{document.text}", token_for(OURS))
    time.sleep(_TICK_WAIT_SECONDS)
    seen = json.loads(gaps.read_text())
    return Measurement(f"{PART}/{document.name}", OURS.name, number, seen["wall"], {"cpu": seen["cpu"]})


def _send(port: int, query: str, token: str) -> None:
    status, raw = answer_checks.send(port, Request("POST", "/graphql", json.dumps({"query": query})), token)
    if status != 200 or b'"errors"' in raw[:200]:
        raise RuntimeError(f"{query[:200]} was answered with {status}: {raw[:500]!r}")
