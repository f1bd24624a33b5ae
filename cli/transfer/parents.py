"""The parents of subtasks in a check, which creates nothing: they are lines of the file, or tasks that exist."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.import_export import ImportedTask
from services.task_batch import parent_problem


@dataclass(slots=True)
class _Line:
    """A good line, whose task may be a parent."""

    project_id: UUID
    parent_id: UUID | None
    subtask_count: int = 0


@dataclass(slots=True)
class CheckedParents:
    """Remembers the good lines with tasks of projects. That takes about 250 bytes for each."""

    _lines: dict[UUID, _Line] = field(default_factory=dict)

    def without_parents(self, tasks: Sequence[ImportedTask]) -> list[ImportedTask]:
        """The tasks, without the parents that are lines of the file: nothing is to be looked up for them."""
        batch = {task.task_id for task in tasks}
        in_file = [task.parent_id in self._lines or task.parent_id in batch for task in tasks]
        return [replace(task, parent_id=None) if found else task for task, found in zip(tasks, in_file, strict=True)]

    def take(self, tasks: Sequence[ImportedTask], refused: dict[UUID, str]) -> None:
        """Remember the tasks of a batch, and add to *refused* those whose parents are lines and cannot have them."""
        good = [task for task in tasks if task.task_id not in refused and task.project_id is not None]
        good = [task for task in good if task.task_id not in self._lines]  # a repeated line creates nothing
        for task in good:
            assert task.project_id is not None
            self._lines[task.task_id] = _Line(task.project_id, task.parent_id)
        in_file = {task.task_id for task in tasks} | self._lines.keys()
        for task in good:
            if task.parent_id not in in_file:
                continue
            parent = self._lines.get(task.parent_id)
            problem = parent_problem(task.project_id, parent)
            if problem is not None:
                refused[task.task_id] = problem
                del self._lines[task.task_id]
            elif parent is not None:
                parent.subtask_count += 1
