"""What has become of a task that an item is about, when the item is told."""

from collections.abc import Callable
from uuid import UUID

from domain.errors import Unavailable
from graphql_api.realtime.forever import Backoff
from graphql_api.realtime.lease import Lease
from persistence.models import TaskRow
from persistence.unit_of_work import UnitOfWork
from services import task as task_service


async def current_task(lease: Lease, unit_of_work: Callable[[], UnitOfWork], task_id: UUID) -> TaskRow | None:
    """The task as the actor sees it now; while the database is away or too busy this waits, however long."""
    backoff = Backoff()
    while True:
        try:
            return (await task_service.find_tasks(unit_of_work(), ids=[task_id])).get(task_id)
        except Unavailable:
            await backoff.pause()
        # The wait may have been long: what the actor may see must be known anew before anything is shown.
        while not lease.fresh:
            await backoff.pause()
