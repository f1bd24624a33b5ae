"""The requests to all peers, in the same order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from benchmarks.dataset import WRITTEN

PAGE_SIZE: Final = 20
READ_CASES: Final = 3_000
_READABLE: Final = 40_000
_STATUSES: Final = ("TODO", "IN_PROGRESS", "DONE")


class Workload(StrEnum):
    """Requests of one kind."""

    W1 = "W1"
    W2 = "W2"
    W3 = "W3"
    W4 = "W4"

    @property
    def about(self) -> str:
        """What it is, in a few words."""
        return _TITLES[self]


_TITLES: Final = {
    Workload.W1: "a task with its owner and assignee",
    Workload.W2: "a page of 20 tasks with their people",
    Workload.W3: "a task moved, committed and delivered",
    Workload.W4: "`__typename`, signed in",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One request, independent of the APIs."""

    task: UUID | None = None
    status: str | None = None
    first: int = PAGE_SIZE


def cases(workload: Workload, tasks: Sequence[UUID], first: int = PAGE_SIZE) -> list[Case]:
    """The requests of a workload; *tasks* are all there are, the oldest first.

    Those of W3 go round and round, and every one of them is a change: the same task comes again only after all others,
    with the next status.
    """
    if workload is Workload.W1:
        chosen = random.Random(1).choices(tasks[-_READABLE:], k=READ_CASES)  # noqa: S311 - nothing secret
        return [Case(task=task) for task in chosen]
    if workload is Workload.W2:
        return [Case(status=status, first=first) for status in _STATUSES]
    if workload is Workload.W3:
        return [Case(task=task, status=status) for status in _STATUSES for task in tasks[:WRITTEN]]
    return [Case()]
