"""What an import of many batches would refuse, without creating anything.

Each batch is decided by the code of the import. What the import would have created in earlier batches is remembered,
and counts as if it were stored.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from persistence.models import TaskRow
from persistence.models.rows import new_row
from persistence.unit_of_work import UnitOfWork, repeated_for_other_rows
from services.import_export import ImportedTask, ImportResult, difference, difference_of, new_task
from services.task_batch import LockedBatch, read_for_creation


@dataclass(frozen=True, slots=True)
class _Created:
    """A task that the import would have created: what decides about later tasks with its id, and about its subtasks."""

    owner_id: UUID
    project_id: UUID | None
    parent_id: UUID | None
    texts: int

    @property
    def version(self) -> int:
        return 1


@dataclass(slots=True)
class ImportCheck:
    """The check of one import. Its memory grows with each task that the import would create."""

    _created: dict[UUID, _Created] = field(default_factory=dict)
    _subtasks: Counter[UUID] = field(default_factory=Counter)
    """The number of subtasks that the import would have added, by their parent."""

    @repeated_for_other_rows
    async def take(self, uow: UnitOfWork, *, tasks: Sequence[ImportedTask]) -> ImportResult:
        """The result that `import_tasks` would have for the next batch. No row is locked.

        Batches that name the same task, also as a parent, must be taken one after the other.

        Raises:
            Invalid: if a value breaks a rule; `ImportedTask.checked` finds it before.
            Unavailable: if at every attempt, another transaction creates the same tasks.
        """
        checked = {each.task_id: each.checked(uow.now) for each in tasks}
        async with uow:
            batch = await read_for_creation(uow, checked.values())
            known = await uow.events.deleted_of(checked)
            left_out = batch.refused.keys() | known
            new = {task_id: new_task(uow, each) for task_id, each in checked.items() if task_id not in left_out}
            stored = await uow.tasks.taken_among(new)
            visible = await uow.tasks.find_many(stored) if stored else {}
            taken = {task_id: row for task_id, row in new.items() if task_id in stored or task_id in self._created}
            created = self._would_create(uow, batch, new, taken)
        for task_id, row in taken.items():
            problem = difference(row, visible.get(task_id)) if task_id in stored else self._difference(row)
            if problem is not None:
                batch.refused[task_id] = problem
            else:
                known.add(task_id)
        return ImportResult(frozenset(created), frozenset(known), batch.refused)

    def _would_create(
        self, uow: UnitOfWork, batch: LockedBatch, new: Mapping[UUID, TaskRow], taken: Collection[UUID]
    ) -> set[UUID]:
        """Remember what the import would create; returns the ids."""
        absent = [row for task_id, row in new.items() if task_id not in taken]
        parents = self._parents(batch, absent)
        created = replace(batch, parents=parents).add_to_parents(uow, absent, taken)
        for row in created:
            self._created[row.id] = _Created(row.owner_id, row.project_id, row.parent_id, _texts(row))
            if row.parent_id is not None:
                self._subtasks[row.parent_id] += 1
        return {row.id for row in created}

    def _parents(self, batch: LockedBatch, tasks: Sequence[TaskRow]) -> dict[UUID, TaskRow]:
        """The parents that the import would find in the database, with the subtasks that they would have."""
        for parent in batch.parents.values():
            parent.subtask_count += self._subtasks[parent.id]
        named = {task.parent_id for task in tasks if task.parent_id is not None}
        return {each: self._row(each) for each in named if each in self._created} | batch.parents

    def _row(self, task_id: UUID) -> TaskRow:
        """What `LockedBatch` needs of a parent."""
        task = self._created[task_id]
        return new_row(
            TaskRow,
            id=task_id,
            project_id=task.project_id,
            parent_id=task.parent_id,
            subtask_count=self._subtasks[task_id],
            done_subtask_count=0,
        )

    def _difference(self, task: TaskRow) -> str | None:
        earlier = self._created[task.id]
        return difference_of(task, earlier, has_same_texts=earlier.texts == _texts(task))


def _texts(task: TaskRow) -> int:
    """The hash of the texts: they are compared without being kept."""
    return hash((task.title, task.description))
