"""Changes of several tasks by one request."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from domain.errors import BadRequest, Refusal
from persistence.models import VisibleTaskRow
from persistence.unit_of_work import UnitOfWork
from services.idempotency import find_earlier_result
from services.task import update_task
from services.task_edit import TaskEdit

MAX_TASKS: Final = 100

PartOf = Callable[[UUID | None], UnitOfWork]
"""Makes the unit of work for one task or, with None, for the request. If it has a key, each part has its own one."""
Outcome = VisibleTaskRow | Refusal
"""A task after its change, or why it was not changed."""


async def update_tasks(part: PartOf, *, task_ids: Sequence[UUID], edit: TaskEdit) -> Mapping[UUID, Outcome]:
    """Make the same change of several tasks, each in a separate transaction; returns the outcomes by id.

    A request that is repeated under its key changes no task again that it has changed. If the process ends before all
    tasks are changed, the repeated request changes the others.

    Raises:
        BadRequest: there are more than 100 ids.
        Invalid: a value breaks a limit.
        IdempotencyMismatch: the key was used for another request.
        RateLimited: the actor has fewer writes left than there are tasks; none is changed.
        Unavailable: the database does not answer; some tasks may be changed.
    """
    if len(task_ids) > MAX_TASKS:
        raise BadRequest(f"At most {MAX_TASKS} ids at a time, not {len(task_ids)}.")
    unique = list(dict.fromkeys(task_ids))
    if not unique:
        return {}
    await _claim(part(None), unique, edit)

    def update_one(uow: UnitOfWork, task_id: UUID) -> Awaitable[VisibleTaskRow]:
        uow.cost = 0  # counted for all tasks together
        return update_task(uow, task_id=task_id, edit=edit)

    outcomes = await asyncio.gather(*(update_one(part(each), each) for each in unique), return_exceptions=True)
    found: dict[UUID, Outcome] = {}
    for task_id, outcome in zip(unique, outcomes, strict=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, Refusal):
            raise outcome  # all others have ended
        found[task_id] = outcome
    return found


async def _claim(uow: UnitOfWork, task_ids: Sequence[UUID], edit: TaskEdit) -> None:
    """Check the values, use the key for this request only, and count one write per task unless it is a repetition."""
    request: dict[str, object] = {"task_ids": task_ids, **edit.checked()}
    async with uow:
        if await find_earlier_result(uow, "update_tasks", task_ids[0], request) is None:
            uow.cost = len(task_ids)
            await uow.count_write()
        await uow.commit()
