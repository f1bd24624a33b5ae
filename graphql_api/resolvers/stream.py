"""Subscriptions: what the stream tells one listener, as the schema's items."""

from collections.abc import AsyncGenerator, Callable, Hashable
from datetime import UTC, datetime
from typing import Annotated, Generic, Self, TypeVar, cast

import strawberry

from graphql_api.auth.permissions import SIGNED_IN
from graphql_api.context import Context, FieldContext
from graphql_api.resolvers.delivery import Delivery, DirectDelivery, Sender
from graphql_api.resolvers.fields import subscription
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
from persistence.unit_of_work import UnitOfWork
from streaming.stream_items import Delivered, Item, Resync
from streaming.subscription import Subscriber
from streaming.task_cache import UNKNOWN, TaskSnapshot, current_tasks
from streaming.visibility import Viewpoint, Visibility, viewpoint

Filter = Annotated[
    TaskStreamFilterInput | None,
    strawberry.argument(description="The tasks to subscribe to. Default: all that you may see."),
]
After = Annotated[
    str | None,
    strawberry.argument(
        description="A stream cursor. You receive all items after it, then live items; none is missing, none twice."
    ),
]
Make = Callable[[], TaskStreamItem]
MakeItem = Callable[[Delivered, Task | None], TaskStreamItem]
Source = AsyncGenerator[TaskStreamItem, None]


@strawberry.type
class StreamSubscriptions:
    """Fields of Subscription."""

    @subscription(SIGNED_IN, "Receive changes of the status of tasks, live.")
    async def task_status_changed(self, field: FieldContext, filter: Filter = None, after: After = None) -> Source:
        """Moves, and what left one's sight."""
        return _listen(field.context, filter, after, _status_changed, only_status=True)

    @subscription(SIGNED_IN, "Receive all changes of tasks, live: created, changed and deleted tasks.")
    async def task_changed(self, field: FieldContext, filter: Filter = None, after: After = None) -> Source:
        """Every change."""
        return _listen(field.context, filter, after, _changed, only_status=False)


def _listen(
    context: Context, filter: TaskStreamFilterInput | None, after: str | None, make: MakeItem, *, only_status: bool
) -> Source:
    wanted = filter.to_filter() if filter is not None else None
    since = context.last_event_id or after
    subscriber = context.backend.stream.subscribe(context.actor, wanted, since, only_status=only_status)
    context.follow(subscriber)
    # To Strawberry this is what the schema says; the executor asks each telling for its item.
    return cast("Source", SubscriptionSource(context, subscriber, make))


class SubscriptionSource:
    """The source of one subscription: tellings, until it is closed."""

    def __init__(self, context: Context, subscriber: Subscriber, make: MakeItem) -> None:
        self._context = context
        self._subscriber = subscriber
        self._actor = subscriber.actor
        self._stream = context.backend.stream
        self._make = make

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delivery:
        return await self._tell(await anext(self._subscriber))

    def at_once(self, teller: Sender) -> None:
        """Have what comes told by *teller* while nobody does anything but wait for it."""
        if self._context.backend.shared:
            tell = DirectDelivery(self._subscriber, self._stream.task_cache, self._telling, teller)
            self._subscriber.deliver_directly(tell)

    async def aclose(self) -> None:
        """Stop listening."""
        await self._subscriber.aclose()

    async def _tell(self, item: Item) -> Delivery:
        if isinstance(item, Resync):
            return _ResyncDelivery(self, item, None, self._stream.task_cache.empty)
        return self._telling(
            item, await self._read(item) if item.visibility is Visibility.VISIBLE else self._stream.task_cache.empty
        )

    def _telling(self, item: Delivered, reading: TaskSnapshot) -> Delivery:
        seen_from = viewpoint(
            self._actor,
            item.event,
            cursor=item.cursor,
            visibility=item.visibility,
            people=reading.people,
            snapshot_number=reading.number,
        )
        return _TaskDelivery(self, item, seen_from, reading)

    async def tell_again(self, item: Item) -> Delivery:
        """The telling of an item once it is known anew whether, and as what, it may be told."""
        await self._subscriber.trust()
        return await self._tell(item)

    def is_current(self, at: float) -> bool:
        """Whether what was read at an instant can still be believed."""
        return self._subscriber.trusts(at)

    def item(self, told: Delivered, reading: TaskSnapshot) -> TaskStreamItem:
        """What is told of an event, with the task as the actor sees it now."""
        return _item(told, reading, self._make)

    @property
    def viewer(self) -> Hashable:
        """Who listens."""
        return self._actor.user_id

    async def _read(self, item: Delivered) -> TaskSnapshot:
        """The task as the actor sees it now: that may be no more than that it is gone."""
        context, stream, task_id = self._context, self._stream, item.event.task_id
        if not context.backend.shared:
            found, at = await current_tasks(stream.lease, context.backend.telling, self._unit_of_work, [task_id])
            current = found.get(task_id, UNKNOWN)
            return TaskSnapshot(current.row, current.deleted_of, 0, at)
        return await stream.task_cache.visible_to(self._actor, task_id, self._subscriber.upcoming_tasks)

    def _unit_of_work(self) -> UnitOfWork:
        return self._context.backend.database.unit_of_work(self._actor)


ItemT = TypeVar("ItemT", bound=Item)


class _ItemDelivery(Delivery, Generic[ItemT]):
    """One item on its way to one listener."""

    __slots__ = ("_listening", "_seen_from", "item", "reading")

    def __init__(
        self, listening: SubscriptionSource, item: ItemT, seen_from: Viewpoint | None, reading: TaskSnapshot
    ) -> None:
        super().__init__(seen_from, listening.viewer)
        self._listening = listening
        self._seen_from = seen_from
        self.item = item
        self.reading = reading

    def is_current(self) -> bool:
        return self._listening.is_current(self.reading.at)

    async def again(self) -> Delivery:
        return await self._listening.tell_again(self.item)


class _TaskDelivery(_ItemDelivery[Delivered]):
    __slots__ = ()

    def make(self) -> TaskStreamItem:
        return self._listening.item(self.item, self.reading)

    @property
    def standing(self) -> Hashable:
        seen_from = self._seen_from._replace(snapshot_number=0) if self._seen_from is not None else None
        return seen_from, self.reading.task is not None, self.reading.deleted_of is not None


class _ResyncDelivery(_ItemDelivery[Resync]):
    __slots__ = ()

    def make(self) -> TaskStreamItem:
        return _resync(self.item)

    @property
    def standing(self) -> Hashable:
        return None


def _item(item: Delivered, reading: TaskSnapshot, make: MakeItem) -> TaskStreamItem:
    if item.visibility is Visibility.DELETED:
        return TaskDeleted(cursor=item.cursor, at=item.event.at, task_id=_id(item), task=None)
    if reading.people is None:
        return TaskGone(cursor=item.cursor, at=item.event.at, task_id=_id(item), task=None)
    return make(item, Task.of(reading.task) if reading.task is not None else None)


def _status_changed(item: Delivered, task: Task | None) -> TaskStatusChanged:
    event = item.event
    # Only a creation has no status before, and that is no move; an unknown status after is not told.
    assert event.from_status is not None
    assert event.to_status is not None
    return TaskStatusChanged(
        cursor=item.cursor,
        at=event.at,
        task_id=_id(item),
        task=task,
        row=event,
        from_=event.from_status,
        to=event.to_status,
    )


def _changed(item: Delivered, task: Task | None) -> TaskChanged:
    event = item.event
    return TaskChanged(
        cursor=item.cursor, at=event.at, task_id=_id(item), task=task, row=event, changes=list(event.changes)
    )


def _resync(item: Resync) -> ResyncRequired:
    return ResyncRequired(cursor=item.cursor, at=datetime.now(UTC), task_id=None, task=None, reason=item.reason)


def _id(item: Delivered) -> strawberry.ID:
    return encode_id("Task", item.event.task_id)
