"""Subscriptions: the items of the event stream, as types of the schema."""

from collections.abc import AsyncGenerator, Callable, Hashable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar, cast

import strawberry

from domain.actor import Actor
from domain.events import DeliveredEvent, MembershipEvent, ProjectEvent, TaskEvent, TaskScopedEvent
from domain.policy import Action, may_project
from domain.project import ProjectRole
from graphql_api.auth.permissions import TASKS_READ
from graphql_api.context import Context, FieldContext
from graphql_api.resolvers.delivery import Delivery, DirectDelivery, Sender
from graphql_api.resolvers.fields import subscription
from graphql_api.schema.ids import encode_id
from graphql_api.schema.project_stream import (
    MemberChanged,
    ProjectAppeared,
    ProjectChanged,
    ProjectGone,
    ProjectOfEvent,
    ProjectRoleChanged,
)
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
from persistence.models import VisibleTaskRow
from persistence.models.rows import replaced
from persistence.unit_of_work import UnitOfWork
from streaming.stream_items import Delivered, Item, Resync
from streaming.subscription import Subscriber
from streaming.task_cache import UNKNOWN, TaskSnapshot, current_tasks
from streaming.visibility import TASK_EVENTS, StreamFilter, Viewpoint, Visibility, viewpoint

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
WithProjects = Annotated[
    bool,
    strawberry.argument(
        description="True: you receive ProjectAppeared, ProjectRoleChanged and ProjectGone when your own role in a "
        "project changes. False: you receive ResyncRequired then."
    ),
]
Make = Callable[[], TaskStreamItem]
MakeItem = Callable[[Delivered, Task | None], TaskStreamItem]
Source = AsyncGenerator[TaskStreamItem, None]


@strawberry.type
class StreamSubscriptions:
    """Fields of Subscription."""

    @subscription(TASKS_READ, "Receive changes of the status of tasks, live.")
    async def task_status_changed(self, field: FieldContext, filter: Filter = None, after: After = None) -> Source:
        """Changes of status, and tasks that become invisible to the subscriber."""
        return listen(field.context, wanted_of(filter), after, _status_changed, only_status=True)

    @subscription(TASKS_READ, "Receive all changes of tasks, live: created, changed and deleted tasks.")
    async def task_changed(
        self, field: FieldContext, filter: Filter = None, after: After = None, with_projects: WithProjects = False
    ) -> Source:
        """Every change."""
        return listen(field.context, wanted_of(filter), after, task_changed, follows_projects=with_projects)


def wanted_of(filter: TaskStreamFilterInput | None) -> StreamFilter | None:
    """The filter of the stream.

    Raises:
        BadRequest: an id is malformed, or there are too many.
    """
    return filter.to_filter() if filter is not None else None


def listen(
    context: Context,
    wanted: StreamFilter | None,
    after: str | None,
    make: MakeItem,
    *,
    events: frozenset[type[DeliveredEvent]] = TASK_EVENTS,
    only_status: bool = False,
    follows_projects: bool = False,
) -> Source:
    """The source of a subscription to classes of events. *make* makes the item of a task that the actor may see.

    A subscriber also learns of tasks that are deleted or that it may no longer see.

    Raises:
        BadRequest: the cursor was not made by this API.
    """
    since = context.last_event_id or after
    subscriber = context.backend.stream.subscribe(
        context.actor, wanted, since, only_status=only_status, events=events, follows_projects=follows_projects
    )
    context.follow(subscriber)
    # Strawberry expects the items of the schema; the executor gets them from `Delivery.make`.
    return cast("Source", SubscriptionSource(context, subscriber, make))


class SubscriptionSource:
    """The source of one subscription: deliveries until it is closed."""

    def __init__(self, context: Context, subscriber: Subscriber, make: MakeItem) -> None:
        self._context = context
        self._subscriber = subscriber
        self._actor = subscriber.actor
        self._stream = context.backend.stream
        self._make = make
        self._direct: DirectDelivery | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delivery:
        return await self._deliver(await anext(self._subscriber))

    def deliver_directly(self, sender: Sender) -> None:
        """Deliver events through *sender* while the subscriber only waits for the next one."""
        if self._context.backend.shared:
            self._direct = DirectDelivery(self._subscriber, self._stream.task_cache, self._delivery_of, sender)
            self._subscriber.deliver_directly(self._direct)

    async def aclose(self) -> None:
        """Stop listening."""
        await self._subscriber.aclose()
        self._direct = None  # it refers back to this object

    async def _deliver(self, item: Item) -> Delivery:
        if isinstance(item, Resync):
            return _ResyncDelivery(self, item, None, self._stream.task_cache.empty)
        if item.visibility is not Visibility.VISIBLE:
            return self._delivery_of(item, self._stream.task_cache.empty)
        direct = self._direct
        if direct is None:
            return self._delivery_of(item, await self._read(item))
        reading = direct.started_with(item.position) or await self._read(item)
        direct.start_upcoming()
        return self._delivery_of(item, reading)

    def _delivery_of(self, item: Delivered, reading: TaskSnapshot) -> Delivery:
        from_viewpoint = viewpoint(
            self._actor,
            item.event,
            cursor=item.cursor,
            visibility=item.visibility,
            people=reading.people,
            snapshot_number=reading.number,
        )
        return _TaskDelivery(self, item, from_viewpoint, reading)

    async def renew(self, item: Item) -> Delivery:
        """The delivery of an item, after the rights and the task were read again."""
        await self._subscriber.trust()
        return await self._deliver(item)

    def is_current(self, at: float) -> bool:
        """Whether the lease covers what was read at an instant."""
        return self._subscriber.trusts(at)

    def item(self, delivered: Delivered, reading: TaskSnapshot, role: ProjectRole | None) -> TaskStreamItem:
        """The item for an event, with the task or the project as a user with this role in the project sees it."""
        if delivered.visibility in (Visibility.PROJECT, Visibility.OWN_ROLE):
            return project_item(delivered, self._actor, role)
        return _item(delivered, reading, self._make, role)

    @property
    def viewer(self) -> Hashable:
        """The user who subscribed."""
        return self._actor.user_id

    async def _read(self, item: Delivered) -> TaskSnapshot:
        """The task as the actor sees it now; without a row if it is gone."""
        context, stream, task_id = self._context, self._stream, item.task_event.task_id
        if not context.backend.shared:
            found, at = await current_tasks(
                stream.lease, context.backend.delivery_gate, self._unit_of_work, lambda: [task_id]
            )
            current = found.get(task_id, UNKNOWN)
            return TaskSnapshot(current.row, current.deleted_of, 0, at)
        return await stream.task_cache.visible_to(self._actor, task_id, self._subscriber.upcoming_tasks)

    def _unit_of_work(self) -> UnitOfWork:
        return self._context.backend.database.unit_of_work(self._actor)


ItemT = TypeVar("ItemT", bound=Item)


class _ItemDelivery(Delivery, Generic[ItemT]):
    """The delivery of one item to one subscriber."""

    __slots__ = ("_source", "_viewpoint", "item", "reading")

    def __init__(
        self, source: SubscriptionSource, item: ItemT, from_viewpoint: Viewpoint | None, reading: TaskSnapshot
    ) -> None:
        super().__init__(from_viewpoint, source.viewer)
        self._source = source
        self._viewpoint = from_viewpoint
        self.item = item
        self.reading = reading

    def is_current(self) -> bool:
        return self._source.is_current(self.reading.at)

    async def renewed(self) -> Delivery:
        return await self._source.renew(self.item)


class _TaskDelivery(_ItemDelivery[Delivered]):
    __slots__ = ()

    def make(self) -> TaskStreamItem:
        # Not the current role of the actor: the answer is shared with others who have the role of the viewpoint.
        role = self._viewpoint.project_role if self._viewpoint is not None else None
        return self._source.item(self.item, self.reading, role)

    @property
    def rights(self) -> Hashable:
        read_anytime = self._viewpoint._replace(snapshot_number=0) if self._viewpoint is not None else None
        return read_anytime, self.reading.task is not None, self.reading.deleted_of is not None


class _ResyncDelivery(_ItemDelivery[Resync]):
    __slots__ = ()

    def make(self) -> TaskStreamItem:
        return _resync(self.item)

    @property
    def rights(self) -> Hashable:
        return None


def _item(item: Delivered, reading: TaskSnapshot, make: MakeItem, role: ProjectRole | None) -> TaskStreamItem:
    if item.visibility is Visibility.DELETED:
        return TaskDeleted(**common_fields(item, None))
    if reading.people is None:
        return TaskGone(**common_fields(item, None))
    return make(item, Task.of(_with_role(reading.task, role)) if reading.task is not None else None)


def _with_role(task: VisibleTaskRow, role: ProjectRole | None) -> VisibleTaskRow:
    """The task, which was read for all subscribers, as one with this role in its project sees it."""
    return task if task.project_id is None else replaced(task, viewer_role=role)


def _status_changed(item: Delivered, task: Task | None) -> TaskStatusChanged:
    event = item.event
    assert isinstance(event, TaskEvent)
    # Only a creation has no status before, and it is no change of status. An unknown status is not delivered.
    assert event.from_status is not None
    assert event.to_status is not None
    return TaskStatusChanged(
        **common_fields(item, task),
        row=event,
        from_=event.from_status,
        to=event.to_status,
    )


def task_changed(item: Delivered, task: Task | None) -> TaskChanged:
    """The item for a change of a task."""
    event = item.event
    assert isinstance(event, TaskEvent)
    return TaskChanged(**common_fields(item, task), row=event, changes=list(event.changes))


def common_fields(item: Delivered, task: Task | None) -> dict[str, Any]:
    """The fields of `TaskStreamItem`."""
    event = item.event
    task_id = encode_id("Task", event.task_id) if isinstance(event, TaskScopedEvent) else None
    return {"cursor": item.cursor, "at": event.at, "task_id": task_id, "task": task, "mutation_id": event.mutation_id}


def item_of(kind: Callable[..., TaskStreamItem]) -> MakeItem:
    """Makes items of a class that has the event in `row`, and no other field of its own without a resolver."""
    return lambda item, task: kind(**common_fields(item, task), row=item.event)


def _resync(item: Resync) -> ResyncRequired:
    return ResyncRequired(cursor=item.cursor, at=datetime.now(UTC), task_id=None, task=None, reason=item.reason)


def project_item(item: Delivered, actor: Actor, role: ProjectRole | None) -> TaskStreamItem:
    """The item for a change of a project, or of a role in it, for a user with this role in it now."""
    event, common = item.event, common_fields(item, None)
    assert isinstance(event, ProjectEvent | MembershipEvent)
    if not may_project(actor, Action.READ_PROJECT, role):
        return ProjectGone(**common, project_id=encode_id("Project", event.project_id))
    row = ProjectOfEvent.of(event, role)
    if isinstance(event, ProjectEvent):
        return ProjectChanged(**common, row=row, project_change=event.change, label_id=_label_id(event))
    if item.visibility is Visibility.PROJECT:
        return MemberChanged(**common, row=row, role=event.role)
    if event.previous_role is None:
        return ProjectAppeared(**common, row=row)
    return ProjectRoleChanged(**common, row=row)


def _label_id(event: ProjectEvent) -> strawberry.ID | None:
    return encode_id("Label", event.label_id) if event.label_id is not None else None
