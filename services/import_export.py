"""Tasks that come from elsewhere, and tasks that are taken elsewhere: many at a time."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.errors import Invalid
from domain.stream_cursor import StreamCursor
from domain.task import TaskPriority, TaskStatus, check_past, completed_at
from persistence.models import TaskRow
from persistence.unit_of_work import UnitOfWork
from services.task import creation, require_owner
from services.task_edit import EDITABLE, checked_values

AT_A_TIME: Final = 1_000
"""Tasks in one statement: more are hardly faster, and hold their locks longer."""

_INACTIVE: Final = "There is no active user whom this task could be assigned to."
_TAKEN: Final = "Another task has this id."


@dataclass(frozen=True, slots=True)
class ImportedTask:
    """A task from elsewhere. Its id comes with it, or is made of its name there: the same task has the same id.

    `created_at` is when it was created there, `completed_at` when a task that is DONE was completed; None: now.
    """

    task_id: UUID
    title: str
    description: str = ""
    status: TaskStatus = TaskStatus.TODO
    priority: TaskPriority = TaskPriority.MEDIUM
    due_at: datetime | None = None
    assignee_id: UUID | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None

    def checked(self, now: datetime) -> "ImportedTask":
        """The same, with its values as they are stored.

        Raises:
            Invalid: one of them breaks a rule.
        """
        if self.completed_at is not None and self.status is not TaskStatus.DONE:
            raise Invalid("completedAt is for a task that is DONE.", path=("completedAt",))
        values = {name: getattr(self, name) for name in EDITABLE if hasattr(self, name)}
        return replace(
            self,
            **checked_values(values),
            created_at=self.created_at and check_past(self.created_at, now, field="createdAt"),
            completed_at=self.completed_at and check_past(self.completed_at, now, field="completedAt"),
        )


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What has become of them: created now, here before, or refused and why, by id."""

    created: frozenset[UUID]
    known: frozenset[UUID]
    refused: dict[UUID, str]


async def import_tasks(uow: UnitOfWork, *, arrivals: Sequence[ImportedTask]) -> ImportResult:
    """Create tasks from elsewhere for the actor, each in the column in which it was there, in one transaction.

    Each one is an event: it was created here, now. A task that came before is left alone, even if it was changed or
    deleted since, so that an import that was cut off may begin anew.

    Raises:
        Forbidden: if the actor is the operator, who is no user and can own nothing.
        Invalid: if a value breaks a rule; `ImportedTask.checked` tells before.
    """
    require_owner(uow.actor)
    wanted = {each.task_id: each.checked(uow.now) for each in arrivals}
    async with uow:
        refused = await _without_assignee(uow, wanted.values())
        known = await uow.events.deleted_of(wanted)
        fresh = [_row(uow, each) for key, each in wanted.items() if key not in refused and key not in known]
        created = await uow.tasks.add_many(fresh)
        await uow.record_many([creation(uow, row) for row in fresh if row.id in created])
        taken = {row.id: row for row in fresh if row.id not in created}
        there = await uow.tasks.find_many(taken)
        await uow.commit()
    for task_id, row in taken.items():
        if _is_another(row, there.get(task_id)):
            refused[task_id] = _TAKEN
        else:
            known.add(task_id)
    return ImportResult(frozenset(created), frozenset(known), refused)


@dataclass(frozen=True, slots=True)
class ExportedTask:
    """A task that is taken elsewhere, with the names of its people."""

    task: TaskRow
    owner: str
    assignee: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every task that the actor sees, as of one moment, and where the stream stood at that moment."""

    uow: UnitOfWork
    cursor: StreamCursor

    async def pages(self) -> AsyncIterator[list[ExportedTask]]:
        """All of them in the order of their ids, some at a time."""
        last = None
        while rows := await self.uow.tasks.after_id(last, at_most=AT_A_TIME):
            people = {each for row in rows for each in (row.owner_id, row.assignee_id) if each is not None}
            names = {user.id: user.username for user in (await self.uow.users.find_many(people)).values()}
            yield [ExportedTask(row, names[row.owner_id], _name(names, row.assignee_id)) for row in rows]
            last = rows[-1].id


@asynccontextmanager
async def snapshot_of_tasks(uow: UnitOfWork) -> AsyncIterator[Snapshot]:
    """Look at all tasks of one moment, for as long as that takes.

    Whoever listens on from its cursor misses nothing: a change is in the snapshot or behind the cursor, or both if
    it was about to get its place.
    """
    actor = uow.actor
    async with uow:
        await uow.freeze()
        head = await uow.events.head()
        yield Snapshot(uow, StreamCursor(head.epoch, head.position, actor.access_version))


def _name(names: Mapping[UUID, str], user_id: UUID | None) -> str | None:
    return None if user_id is None else names[user_id]


async def _without_assignee(uow: UnitOfWork, arrivals: Collection[ImportedTask]) -> dict[UUID, str]:
    """Which of them are assigned to somebody who is not there, or not active."""
    users = await uow.users.find_many({each.assignee_id for each in arrivals if each.assignee_id is not None})
    active = {None, *(user.id for user in users.values() if user.is_active)}
    return {each.task_id: _INACTIVE for each in arrivals if each.assignee_id not in active}


def _row(uow: UnitOfWork, arrival: ImportedTask) -> TaskRow:
    return TaskRow(
        id=arrival.task_id,
        title=arrival.title,
        description=arrival.description,
        status=arrival.status,
        priority=arrival.priority,
        due_at=arrival.due_at,
        owner_id=uow.actor.user_id,
        assignee_id=arrival.assignee_id,
        version=1,
        created_at=arrival.created_at or uow.now,
        updated_at=uow.now,
        completed_at=arrival.completed_at or completed_at(arrival.status, uow.now),
    )


def _is_another(arrival: TaskRow, there: TaskRow | None) -> bool:
    """Whether the task that has the id is not the one that arrives: somebody else's, or another one from the start."""
    if there is None or there.owner_id != arrival.owner_id:
        return True
    unchanged = there.version == 1
    return unchanged and (there.title, there.description) != (arrival.title, arrival.description)
