"""The projects of tasks that a process has changed, so that a change locks the project without a search for it."""

from collections import OrderedDict
from enum import Enum
from typing import Final
from uuid import UUID

_MAX_TASKS: Final = 10_000


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""The process has not seen the task."""


class TaskProjects:
    """The last known project of tasks; None is that of a personal task.

    It is only a hint: the code that locks the task and the project compares them.
    """

    def __init__(self) -> None:
        self._projects: OrderedDict[UUID, UUID | None] = OrderedDict()

    def of(self, task_id: UUID) -> UUID | Unknown | None:
        """The project of a task."""
        return self._projects.get(task_id, UNKNOWN)

    def note(self, task_id: UUID, project_id: UUID | None) -> None:
        """Remember the project of a task."""
        self._projects[task_id] = project_id
        self._projects.move_to_end(task_id)
        if len(self._projects) > _MAX_TASKS:
            self._projects.popitem(last=False)
