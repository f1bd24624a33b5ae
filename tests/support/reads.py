"""Reads of lists, as a unit of work makes them."""

from collections.abc import Sequence
from uuid import UUID

from persistence.models import TaskHistoryRow, UserRow, VisibleTaskRow
from persistence.pagination import Page, PageCursor, PageRequest
from persistence.queries import event, user
from persistence.queries import task_page as task_pages
from persistence.queries.task_list import EVERYTHING, TaskFilter, TaskOrder
from persistence.unit_of_work import UnitOfWork


async def task_page(
    uow: UnitOfWork,
    request: PageRequest,
    *,
    wanted: TaskFilter = EVERYTHING,
    order: TaskOrder = TaskOrder.CREATED_DESC,
) -> Page[VisibleTaskRow]:
    """Tasks that the actor sees, between two cursors."""
    return await uow.page(VisibleTaskRow, task_pages.task_page(uow.actor, request, wanted, order))


async def user_page(uow: UnitOfWork, request: PageRequest, prefix: str = "") -> Page[UserRow]:
    """Users between two cursors."""
    return await uow.page(UserRow, user.user_page(request, prefix))


async def assignable_users(uow: UnitOfWork, prefix: str, *, at_most: int) -> Sequence[UserRow]:
    """Active users by the beginning of their names."""
    return await uow.rows(UserRow, user.assignable_users(None, prefix, at_most=at_most))


async def task_history(uow: UnitOfWork, task_id: UUID, request: PageRequest) -> Page[TaskHistoryRow]:
    """Events of a task between two cursors, newest first."""
    return await uow.page(TaskHistoryRow, event.HISTORY.page([task_id], request))


def positions(page: Page[TaskHistoryRow]) -> list[int]:
    """The positions of the events, which their cursors contain."""
    return [int(PageCursor.decode(cursor).value or "") for cursor in page.cursors]
