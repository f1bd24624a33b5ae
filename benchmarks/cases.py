"""Requests independent of the APIs: the same for all peers, in the same order."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final
from uuid import UUID

from benchmarks.dataset import CREATED, DELETABLE, PEOPLE, TASKS, WRITTEN, row_id

PAGE_SIZE: Final = 20
READ_CASES: Final = 3_000
CREATE_CASES: Final = 3_000
SEARCH_CASES: Final = 450
_READABLE: Final = 40_000
_STATUSES: Final = ("TODO", "IN_PROGRESS", "DONE")
_DESCRIPTION: Final = "Collect the figures of all departments, compare them with the plan and write a summary."


class Operation(StrEnum):
    """What a request does."""

    TASK = "Task"
    PAGE = "Tasks"
    SEARCH = "Search"
    TYPENAME = "Typename"
    MOVE = "Move"
    EDIT = "Edit"
    ASSIGN = "Assign"
    CREATE = "Create"
    DELETE = "Delete"

    @property
    def writes(self) -> bool:
        """Whether it changes data."""
        return self in _WRITES


_WRITES: Final = frozenset({Operation.MOVE, Operation.EDIT, Operation.ASSIGN, Operation.CREATE, Operation.DELETE})


@dataclass(frozen=True, slots=True)
class Case:
    """One request. It has the values that its operation needs."""

    operation: Operation
    task: UUID | None = None
    status: str | None = None
    first: int = PAGE_SIZE
    title: str = ""
    description: str = ""
    priority: int = 2
    person: UUID | None = None
    """The assignee of ASSIGN, the owner of CREATE."""
    search: str = ""


def read_tasks(tasks: Sequence[UUID]) -> list[Case]:
    """Random recent tasks."""
    chosen = random.Random(1).choices(tasks[-_READABLE:], k=READ_CASES)  # noqa: S311 - nothing secret
    return [Case(Operation.TASK, task=task) for task in chosen]


def read_pages(first: int = PAGE_SIZE) -> list[Case]:
    """The first page of each status."""
    return [Case(Operation.PAGE, status=status, first=first) for status in _STATUSES]


def searches() -> list[Case]:
    """Texts that a few titles contain."""
    chosen = random.Random(2).choices(range(1_000, TASKS), k=SEARCH_CASES)  # noqa: S311 - nothing secret
    return [Case(Operation.SEARCH, search=f"Task {number}") for number in chosen]


def typename() -> list[Case]:
    """A request without data."""
    return [Case(Operation.TYPENAME)]


def moves(tasks: Sequence[UUID]) -> list[Case]:
    """Each request is a change, also when the list is repeated: a task gets the next status after all other tasks."""
    return [Case(Operation.MOVE, task=task, status=status) for status in _STATUSES for task in tasks]


def edits(tasks: Sequence[UUID]) -> list[Case]:
    """Each request is a change, also when the list is repeated."""
    return [
        Case(Operation.EDIT, task=task, title=f"Task {number} - edition {edition} of the quarterly report")
        for edition in (1, 2, 3)
        for number, task in enumerate(tasks, 1)
    ]


def assignments(tasks: Sequence[UUID]) -> list[Case]:
    """Each request is a change, also when the list is repeated."""
    return [
        Case(Operation.ASSIGN, task=task, person=row_id(f"u{1 + (number + turn * 331) % PEOPLE}"))
        for turn in range(3)
        for number, task in enumerate(tasks, 1)
    ]


def creations() -> list[Case]:
    """New tasks of the user who sends the requests."""
    return [
        Case(
            Operation.CREATE,
            title=f"{CREATED} {number} - prepare the quarterly report",
            description=_DESCRIPTION,
            priority=1 + number % 4,
            person=row_id("u1"),
        )
        for number in range(1, CREATE_CASES + 1)
    ]


def deletions(tasks: Sequence[UUID]) -> list[Case]:
    """Tasks that exist; the list cannot be repeated before they are restored."""
    return [Case(Operation.DELETE, task=task) for task in tasks[WRITTEN : WRITTEN + DELETABLE]]


MIX: Final[Mapping[Operation, int]] = {
    Operation.PAGE: 35,
    Operation.TASK: 35,
    Operation.MOVE: 10,
    Operation.EDIT: 10,
    Operation.CREATE: 5,
    Operation.SEARCH: 5,
}
"""Percent of the requests of a board."""
_MIXED_TASKS: Final = 300
_MIX_CASES: Final = 100 * 3 * _MIXED_TASKS // MIX[Operation.MOVE]
"""One cycle moves 300 tasks three times, and edits 300 others three times, so that it can be repeated."""


def mix(tasks: Sequence[UUID]) -> list[Case]:
    """The requests of a board in random order; the requests of one operation keep their order."""
    sources: dict[Operation, Iterator[Case]] = {
        operation: _repeated(source)
        for operation, source in {
            Operation.PAGE: read_pages,
            Operation.TASK: lambda: read_tasks(tasks),
            Operation.MOVE: lambda: moves(tasks[:_MIXED_TASKS]),
            Operation.EDIT: lambda: edits(tasks[_MIXED_TASKS : 2 * _MIXED_TASKS]),
            Operation.CREATE: creations,
            Operation.SEARCH: searches,
        }.items()
    }
    order = [operation for operation, percent in MIX.items() for _ in range(_MIX_CASES * percent // 100)]
    random.Random(3).shuffle(order)  # noqa: S311 - nothing secret
    return [next(sources[operation]) for operation in order]


def sample(some: Sequence[Case], size: int) -> list[Case]:
    """The first cases, as many of each operation; reads come first, because writes change what they return."""
    operations = [operation for operation in Operation if any(case.operation is operation for case in some)]
    each = max(1, size // len(operations))
    return [
        case
        for operation in operations
        for case in islice((case for case in some if case.operation is operation), each)
    ]


def _repeated(source: Callable[[], Sequence[Case]]) -> Iterator[Case]:
    while True:
        yield from source()
