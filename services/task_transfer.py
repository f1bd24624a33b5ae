"""What changes of a task that goes to another project: the values that do not fit there.

A personal task has no number, rank, labels and parent. In a project the task gets the next number and the last rank. An
assignee who is not a member is removed. A label stays if the other project has one with the same name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from persistence.models import TaskCounterRow, TaskRow
from persistence.unit_of_work import UnitOfWork
from services.task_order import next_place


@dataclass(frozen=True, slots=True)
class Destination:
    """The locked counter of a project, and what of the tasks that come to it exists there."""

    counter: TaskCounterRow
    members: frozenset[UUID]
    labels: Mapping[UUID, UUID]
    """The labels of the same names, by the labels of the tasks."""

    @classmethod
    async def read(cls, uow: UnitOfWork, counter: TaskCounterRow, tasks: Sequence[TaskRow]) -> "Destination":
        """Read what these tasks need."""
        assignees = {task.assignee_id for task in tasks if task.assignee_id is not None}
        labels = {label_id for task in tasks for label_id in task.label_ids}
        members = await uow.projects.members_among(counter.id, assignees) if assignees else ()
        same = await uow.labels.of_same_names(labels, counter.id) if labels else {}
        return cls(counter, frozenset(members), same)

    def values_of(self, uow: UnitOfWork, task: TaskRow) -> dict[str, Any]:
        """The values that the task has there."""
        place = next_place(uow, self.counter)
        stays = task.assignee_id in self.members
        return {
            "project_id": self.counter.id,
            "number": place.number,
            "rank": place.rank,
            "assignee_id": task.assignee_id if stays else None,
            "label_ids": sorted({self.labels[each] for each in task.label_ids if each in self.labels}),
        }


def values_of_personal() -> dict[str, Any]:
    """The values that a task has outside projects."""
    return {"project_id": None, "number": None, "rank": None, "label_ids": [], "parent_id": None}
