"""Delivers one event to one subscriber, without waking its task where possible."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, NamedTuple, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from domain.events import DeliveredEvent, TaskScopedEvent
from domain.policy import TaskPeople
from domain.project import ProjectRole
from streaming.asyncio_helpers import SingleFlight
from streaming.stream_items import Delivered
from streaming.subscription import Subscriber
from streaming.subscription_queue import QueuedEvent
from streaming.task_cache import TaskCache, TaskSnapshot
from streaming.visibility import Visibility, may_see

AnswerT = TypeVar("AnswerT")

MAX_ANSWERS: Final = 16
"""Answers that one queued event keeps. It may stay in a queue for long; `execution/delivery` keeps more answers."""


class Delivery(ABC):
    """An event that is being delivered to one subscriber: the input of one execution of a subscription.

    An operation has the same response for two deliveries with an equal `viewpoint`, and with an equal `viewer` too if
    it selects personal fields. With None as the viewpoint, the response cannot be shared.
    """

    __slots__ = ("viewer", "viewpoint")

    def __init__(self, viewpoint: Hashable | None, viewer: Hashable) -> None:
        self.viewpoint = viewpoint
        self.viewer = viewer

    @abstractmethod
    def make(self) -> Any:
        """The value of the root field."""

    @property
    @abstractmethod
    def rights(self) -> Hashable:
        """The rights by which the actor receives the event. An answer is valid as long as they are equal."""

    @abstractmethod
    def is_current(self) -> bool:
        """Whether the lease covers what was read: the rights and the task."""

    @abstractmethod
    async def renewed(self) -> "Delivery":
        """The delivery of the same event, read again under a fresh lease."""


class Sender(Protocol):
    """Makes and sends the answers to deliveries without waiting.

    Senders with an equal `sharing_key` have interchangeable answers, as `Delivery` describes. None: never.
    """

    sharing_key: Hashable | None

    def get_or_execute(self, delivery: Delivery) -> Any:
        """The answer to a delivery, or the `SingleFlight` that makes it; None if it cannot be shared."""

    def send(self, answer: Any) -> bool:
        """Send an answer; False if it cannot be sent now."""


@runtime_checkable
class DeliversDirectly(Protocol):
    """A source of deliveries that can deliver without waking the task of the subscriber."""

    def deliver_directly(self, sender: Sender) -> None:
        """Deliver events through *sender* while the subscriber only waits for the next one."""


async def current_answer(delivery: Delivery, answer: Callable[[Delivery], Awaitable[AnswerT]]) -> AnswerT:
    """The answer to a delivery, for which the actor still has the rights when it is complete.

    If the lease expires meanwhile, the answer is made again only if the rights have changed. Otherwise a process that
    is too busy to answer within one lease would never finish.

    Raises:
        Unauthenticated: the actor's rights have changed meanwhile.
        StopAsyncIteration: the subscription has ended.
    """
    found = await answer(delivery)
    while not delivery.is_current():
        renewed = await delivery.renewed()
        if renewed.rights != delivery.rights:
            found = await answer(renewed)
        delivery = renewed
    return found


MAX_STARTED: Final = 100
"""Queued events whose executions are started before the first of them is sent, if executions have to wait."""
STARTS_PER_TURN: Final = 10
"""Executions that are started before other subscribers get their turn."""


class KnownAnswer(NamedTuple):
    """An answer, or its execution, for all users who have `role` in the task's project; None: who are not members.

    It is not for the *people* of the task, whose user ids are numbers here.
    """

    answer: Any
    people: frozenset[int]
    reading: TaskSnapshot
    role: ProjectRole | None


class DirectDelivery:
    """Delivers a queued event to a subscriber, or returns the execution that must end first."""

    def __init__(
        self,
        subscriber: Subscriber,
        task_cache: TaskCache,
        delivery_of: Callable[[Delivered, TaskSnapshot], Delivery],
        sender: Sender,
    ) -> None:
        self._subscriber = subscriber
        self._task_cache = task_cache
        self._delivery_of = delivery_of
        self._sender = sender
        actor = subscriber.actor
        self._actor = actor
        self._number = actor.user_id.int  # a UUID's hash is made in Python
        self._started: dict[int, TaskSnapshot | None] = {}
        """By position: the task with which the execution of a queued event was started; None if it must not be kept."""
        self._key: Hashable = (
            (sender.sharing_key, actor.role.value, actor.access_version, actor.scopes, actor.project_id)
            if sender.sharing_key is not None
            else None
        )

    def __call__(self, queued: QueuedEvent) -> SingleFlight[Any] | bool:
        """True if it was delivered; an execution to wait for; False if the task of the subscriber must deliver it."""
        known: KnownAnswer | SingleFlight[Any] | None = queued.answers.get(self._key)
        if isinstance(known, SingleFlight):
            return known if not known.done else self._execute(queued)
        if known is not None and self._may_receive(queued, known):
            return self._send_known(queued, known.answer)
        return self._execute(queued)

    def _send_known(self, queued: QueuedEvent, answer: Any) -> SingleFlight[Any] | bool:
        if not isinstance(answer, SingleFlight):
            return self._sender.send(answer)
        if not answer.done:
            return answer
        return self._sender.send(answer.value) if not answer.failed else self._execute(queued)

    def _may_receive(self, queued: QueuedEvent, known: KnownAnswer) -> bool:
        if self._number in known.people or known.reading.superseded:
            return False
        if known.role is not self._role_in(queued, known.reading):
            return False
        return self._subscriber.trusts(known.reading.at)

    def started_with(self, position: int) -> TaskSnapshot | None:
        """The task with which the event at this position was started, unless it must be read again."""
        reading = self._started.pop(position, None)
        if reading is None or (not reading.superseded and self._subscriber.trusts(reading.at)):
            return reading if reading is None or self._may_see(reading) else None
        self._started.clear()  # the others are about as old
        return None

    def _may_see(self, reading: TaskSnapshot) -> bool:
        """Whether the actor may still see the task; a role in its project may have ended since it was read."""
        return reading.people is None or may_see(self._actor, reading.people)

    def start_upcoming(self) -> None:
        """Start to execute the next events, so that they do not wait for each other."""
        later = [each for each in self._subscriber.upcoming(MAX_STARTED) if each.position not in self._started]
        for queued in later[:STARTS_PER_TURN]:
            reading = self._read(queued)
            if isinstance(reading, SingleFlight):
                return  # the tasks of all of them are being read
            self._start(queued, reading)
        if len(later) > STARTS_PER_TURN:
            self._subscriber.add_turn(self.start_upcoming)

    def _start(self, queued: QueuedEvent, reading: TaskSnapshot) -> None:
        self._note_started(queued, reading)
        if self._key not in queued.answers:
            self._answer(queued, reading, self._delivery_of(self._subscriber.item_for(queued), reading))

    def _note_started(self, queued: QueuedEvent, reading: TaskSnapshot) -> None:
        if len(self._started) >= 2 * MAX_STARTED:
            self._started.clear()  # most of them were delivered
        # Without people it may be a copy, which is never marked as superseded.
        self._started[queued.position] = reading if reading.people is not None else None

    def _execute(self, queued: QueuedEvent) -> SingleFlight[Any] | bool:
        reading = self.started_with(queued.position) or self._read(queued)
        if isinstance(reading, SingleFlight):
            self._store(queued, reading)
            return reading
        delivery = self._delivery_of(self._subscriber.item_for(queued), reading)
        answer = self._answer(queued, reading, delivery)
        if isinstance(answer, SingleFlight):
            self._note_started(queued, reading)
            self.start_upcoming()
            return answer
        if answer is None or not delivery.is_current():
            return False
        return self._sender.send(answer)

    def _answer(self, queued: QueuedEvent, reading: TaskSnapshot, delivery: Delivery) -> Any:
        """The answer, or its execution; other subscribers find it next to the event."""
        answer = self._sender.get_or_execute(delivery)
        people = _people(queued, reading)
        if answer is not None and self._number not in people and delivery.is_current():
            self._store(queued, KnownAnswer(answer, people, reading, self._role_in(queued, reading)))
        return answer

    def _role_in(self, queued: QueuedEvent, reading: TaskSnapshot) -> ProjectRole | None:
        # Without people, the task may be gone for this actor only, whose role has ended: others may still see it.
        return self._actor.projects.of(_project_of(queued.event, reading))

    def _store(self, queued: QueuedEvent, known: KnownAnswer | SingleFlight[Any]) -> None:
        if self._key is not None and (len(queued.answers) < MAX_ANSWERS or self._key in queued.answers):
            queued.answers[self._key] = known

    def _read(self, queued: QueuedEvent) -> TaskSnapshot | SingleFlight[Any]:
        event = queued.event
        if queued.visibility is not Visibility.VISIBLE or not isinstance(event, TaskScopedEvent):
            return self._task_cache.empty
        return self._task_cache.get_or_start(self._actor, event.task_id, self._subscriber.upcoming_tasks)


def _project_of(event: DeliveredEvent, reading: TaskSnapshot) -> UUID | None:
    """The project that the event is about, or that of its task."""
    if not isinstance(event, TaskScopedEvent):
        return event.project_id
    task = reading.people or event.after or event.before
    return task.project_id if task is not None else None


def _people(queued: QueuedEvent, reading: TaskSnapshot) -> frozenset[int]:
    event = queued.event
    people = event.people if isinstance(event, TaskScopedEvent) else set()
    return frozenset(person.int for person in people | _people_of(reading.people))


def _people_of(task: TaskPeople | None) -> set[Any]:
    return set() if task is None else {person for person in (task.owner_id, task.assignee_id) if person is not None}
