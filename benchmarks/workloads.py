"""The workloads: which requests each of them sends."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

from benchmarks import cases as requests
from benchmarks.cases import PAGE_SIZE, Case
from benchmarks.dataset import WRITTEN


class Workload(StrEnum):
    """The workloads that consist of requests. W5, the delivery of events, is in `benchmarks/fanout.py`."""

    W1 = "W1"
    W2 = "W2"
    W3 = "W3"
    W4 = "W4"
    W6 = "W6"
    W7 = "W7"
    W8 = "W8"
    W9 = "W9"
    W10 = "W10"

    @property
    def about(self) -> str:
        """A short description."""
        return _TITLES[self]

    @property
    def writes(self) -> bool:
        """Whether it changes data, so that the rows are restored before each measurement."""
        return self in WRITES or self is Workload.W10


WRITES: Final = (Workload.W3, Workload.W6, Workload.W7, Workload.W8, Workload.W9)
"""The workloads of one kind of change. They are measured in the same rounds, so that they can be compared."""
_TITLES: Final = {
    Workload.W1: "a task with its owner and assignee",
    Workload.W2: "a page of 20 tasks with their people",
    Workload.W3: "a task moved, committed and delivered",
    Workload.W4: "`__typename`, signed in",
    Workload.W6: "a task created",
    Workload.W7: "the title of a task edited",
    Workload.W8: "a task assigned",
    Workload.W9: "a task deleted",
    Workload.W10: "the requests of a board, with 10 subscribers",
}
_CASES: Final[Mapping[Workload, Callable[[Sequence[UUID]], list[Case]]]] = {
    Workload.W1: requests.read_tasks,
    Workload.W3: lambda tasks: requests.moves(tasks[:WRITTEN]),
    Workload.W4: lambda tasks: requests.typename(),
    Workload.W6: lambda tasks: requests.creations(),
    Workload.W7: lambda tasks: requests.edits(tasks[:WRITTEN]),
    Workload.W8: lambda tasks: requests.assignments(tasks[:WRITTEN]),
    Workload.W9: requests.deletions,
    Workload.W10: requests.mix,
}


def cases(workload: Workload, tasks: Sequence[UUID], first: int = PAGE_SIZE) -> list[Case]:
    """The requests of a workload; *tasks* are all tasks, the oldest first."""
    if workload is Workload.W2:
        return requests.read_pages(first)
    return _CASES[workload](tasks)
