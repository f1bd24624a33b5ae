"""Subscriptions: what the stream tells one listener, as the schema's items."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Annotated

import strawberry

from graphql_api.auth.permissions import SIGNED_IN
from graphql_api.realtime.current import current_task
from graphql_api.realtime.items import Resync, Told
from graphql_api.realtime.sight import Sight
from graphql_api.resolvers.fields import subscription
from graphql_api.schema.common import Info
from graphql_api.schema.ids import encode_id
from graphql_api.schema.stream import (
    ResyncRequired,
    TaskChanged,
    TaskDeleted,
    TaskGone,
    TaskStatusChanged,
    TaskStreamFilterInput,
    TaskStreamItem,
)
from graphql_api.schema.task import Task

Filter = Annotated[
    TaskStreamFilterInput | None, strawberry.argument(description="Which tasks; left out: all you may see.")
]
After = Annotated[
    str | None,
    strawberry.argument(description="A stream cursor: first what was missed since then, then live, without a seam."),
]
MakeItem = Callable[[Told, Task], TaskStreamItem]


@strawberry.type
class StreamSubscriptions:
    """Fields of Subscription."""

    @subscription(SIGNED_IN, "Tasks that move to another column of the board, as it happens.")
    async def task_status_changed(
        self, info: Info, filter: Filter = None, after: After = None
    ) -> AsyncGenerator[TaskStreamItem, None]:
        """Moves, and what left one's sight."""
        async for item in _listen(info, filter, after, _status_changed, only_status=True):
            yield item

    @subscription(SIGNED_IN, "Tasks that are created, changed or deleted, as it happens.")
    async def task_changed(
        self, info: Info, filter: Filter = None, after: After = None
    ) -> AsyncGenerator[TaskStreamItem, None]:
        """Every change."""
        async for item in _listen(info, filter, after, _changed, only_status=False):
            yield item


async def _listen(
    info: Info, filter: TaskStreamFilterInput | None, after: str | None, make: MakeItem, *, only_status: bool
) -> AsyncGenerator[TaskStreamItem, None]:
    context = info.context
    wanted = filter.to_filter() if filter is not None else None
    async with context.backend.stream.subscribe(context.actor, wanted, after, only_status=only_status) as subscriber:
        context.follow(subscriber)
        async for item in subscriber:
            yield _resync(item) if isinstance(item, Resync) else await _told(info, item, make)


async def _told(info: Info, item: Told, make: MakeItem) -> TaskStreamItem:
    """The item with the task as the actor sees it now: that may be no more than that it is gone."""
    if item.sight is Sight.DELETED:
        return TaskDeleted(cursor=item.cursor, at=item.event.at, task_id=_id(item), task=None)
    context = info.context
    row = await current_task(context.backend.stream.lease, lambda: context.renewed().unit_of_work(), item.event.task_id)
    if row is None or item.sight is Sight.GONE:
        return TaskGone(cursor=item.cursor, at=item.event.at, task_id=_id(item), task=None)
    return make(item, Task.of(row))


def _status_changed(item: Told, task: Task) -> TaskStatusChanged:
    event = item.event
    return TaskStatusChanged(
        cursor=item.cursor,
        at=event.at,
        task_id=_id(item),
        task=task,
        event=event,
        from_=event.from_status,
        to=event.to_status,
    )


def _changed(item: Told, task: Task) -> TaskChanged:
    event = item.event
    return TaskChanged(
        cursor=item.cursor, at=event.at, task_id=_id(item), task=task, event=event, changes=list(event.changes)
    )


def _resync(item: Resync) -> ResyncRequired:
    return ResyncRequired(cursor=item.cursor, at=datetime.now(UTC), task_id=None, task=None, reason=item.reason)


def _id(item: Told) -> strawberry.ID:
    return encode_id("Task", item.event.task_id)
