"""Delivers one event to one subscriber, without waking its task where possible."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, NamedTuple, Protocol, TypeVar, runtime_checkable

from domain.policy import TaskPeople
from streaming.asyncio_helpers import SingleFlight
from streaming.stream_items import Delivered
from streaming.subscription import Subscriber
from streaming.subscription_queue import QueuedEvent
from streaming.task_cache import TaskCache, TaskSnapshot
from streaming.visibility import Visibility

AnswerT = TypeVar("AnswerT")

MAX_KEPT: Final = 16
"""Answers beside one event, which may wait in somebody's queue for long; `execution/delivery` keeps a few more."""


class Delivery:
    """What the execution of a subscription's event begins with.

    An operation answers two tellings alike if their `viewpoint` is equal, and their `viewer` too if it selects
    anything personal. None: this one is like no other.
    """

    __slots__ = ("viewer", "viewpoint")

    def __init__(self, viewpoint: Hashable | None, viewer: Hashable) -> None:
        self.viewpoint = viewpoint
        self.viewer = viewer

    # Not by `abc`: its isinstance is a function in Python, and it is asked for each delivery.

    def make(self) -> Any:
        """The value of the root field."""
        raise NotImplementedError

    @property
    def standing(self) -> Hashable:
        """What the actor's right to be told it rests on."""
        raise NotImplementedError

    def is_current(self) -> bool:
        """Whether that can still be believed."""
        raise NotImplementedError

    async def again(self) -> "Delivery":
        """If it cannot: what is to be told once it is known what can."""
        raise NotImplementedError


class Sender(Protocol):
    """Answers tellings without waiting, and sends the answers.

    Answers to tellings are interchangeable between tellers with an equal `share`, as `Delivery` says; None: never.
    """

    share: Hashable | None

    def begun(self, telling: Delivery) -> Any:
        """The answer to a telling, or the `Run` that is under way to it; None if this is not the way to it."""

    def send(self, answer: Any) -> bool:
        """Send an answer; False if that cannot be done at once."""


@runtime_checkable
class DeliversDirectly(Protocol):
    """A source of tellings that can do without being asked for each."""

    def at_once(self, teller: Sender) -> None:
        """Have what comes told by *teller* while nobody does anything but wait for it."""


async def answered(telling: Delivery, answer: Callable[[Delivery], Awaitable[AnswerT]]) -> AnswerT:
    """The answer to a telling, to which the actor still has the right when it is there.

    One that took long is told if the actor stands to it as before, and only else given anew: a process that is too
    busy to answer within a lease would otherwise answer for ever.

    Raises:
        Unauthenticated: the actor's rights have changed meanwhile.
        StopAsyncIteration: nobody listens any more.
    """
    found = await answer(telling)
    while not telling.is_current():
        now = await telling.again()
        if now.standing != telling.standing:
            found = await answer(now)
        telling = now
    return found


class KnownAnswer(NamedTuple):
    """An answer, and to whom it is not for: the people of the task, by the numbers of their ids."""

    answer: Any
    people: frozenset[int]
    reading: TaskSnapshot


class DirectDelivery:
    """Tells what was noted for a subscriber, or says what has to end before."""

    def __init__(
        self,
        subscriber: Subscriber,
        current: TaskCache,
        telling: Callable[[Delivered, TaskSnapshot], Delivery],
        teller: Sender,
    ) -> None:
        self._subscriber = subscriber
        self._current = current
        self._telling = telling
        self._teller = teller
        actor = subscriber.actor
        self._actor = actor
        self._number = actor.user_id.int  # a UUID's hash is made in Python
        self._alike: Hashable = (
            (teller.share, actor.role.value, actor.access_version) if teller.share is not None else None
        )

    def __call__(self, noted: QueuedEvent) -> SingleFlight[Any] | bool:
        """Whether it was told, or what is to be waited for; False if the consumer has to see to it."""
        known: KnownAnswer | SingleFlight[Any] | None = noted.answers.get(self._alike)
        if isinstance(known, SingleFlight):
            return known if not known.done else self._work_out(noted)
        if known is not None and self._is_for_me(known):
            return self._teller.send(known.answer)
        return self._work_out(noted)

    def _is_for_me(self, known: KnownAnswer) -> bool:
        if self._number in known.people or known.reading.superseded:
            return False
        return self._subscriber.trusts(known.reading.at)

    def _work_out(self, noted: QueuedEvent) -> SingleFlight[Any] | bool:
        reading = self._read(noted)
        if isinstance(reading, SingleFlight):
            self._keep(noted, reading)
            return reading
        telling = self._telling(self._subscriber.item_for(noted), reading)
        answer = self._teller.begun(telling)
        people = _people(noted, reading)
        if isinstance(answer, SingleFlight):
            if self._number not in people:
                self._keep(noted, answer)
            return answer
        if answer is None or not telling.is_current():
            return False
        if self._number not in people:
            self._keep(noted, KnownAnswer(answer, people, reading))
        return self._teller.send(answer)

    def _keep(self, noted: QueuedEvent, known: KnownAnswer | SingleFlight[Any]) -> None:
        if self._alike is not None and (len(noted.answers) < MAX_KEPT or self._alike in noted.answers):
            noted.answers[self._alike] = known

    def _read(self, noted: QueuedEvent) -> TaskSnapshot | SingleFlight[Any]:
        if noted.visibility is not Visibility.VISIBLE:
            return self._current.empty
        return self._current.get_or_start(self._actor, noted.event.task_id, self._subscriber.upcoming_tasks)


def _people(noted: QueuedEvent, reading: TaskSnapshot) -> frozenset[int]:
    return frozenset(person.int for person in noted.event.people | _of(reading.people))


def _of(task: TaskPeople | None) -> set[Any]:
    return set() if task is None else {person for person in (task.owner_id, task.assignee_id) if person is not None}
