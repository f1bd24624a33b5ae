"""Who listens, found by what an event says of its people: those whom it cannot concern cost nothing."""

from collections.abc import Hashable, Iterator
from typing import TypeVar
from uuid import UUID

from domain.events import TaskEvent
from streaming.subscription import Subscriber

KeyT = TypeVar("KeyT", bound=Hashable)


class SubscriberIndex:
    """The subscribers of this process."""

    def __init__(self) -> None:
        self._all: set[Subscriber] = set()
        self._of_user: dict[UUID, set[Subscriber]] = {}
        self._alike: dict[Hashable, set[Subscriber]] = {}
        """Those who see everything, whose look at an event is that of each one with the same wishes."""

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(tuple(self._all))

    def join(self, subscriber: Subscriber) -> None:
        """From now on it is found."""
        self._all.add(subscriber)
        self._of_user.setdefault(subscriber.actor.user_id, set()).add(subscriber)
        if subscriber.eyes.see_everything:
            self._alike.setdefault(subscriber.eyes.wishes, set()).add(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """Not any more; leaving twice does no harm."""
        self._all.discard(subscriber)
        _discard(self._of_user, subscriber.actor.user_id, subscriber)
        _discard(self._alike, subscriber.eyes.wishes, subscriber)

    def of_user(self, user_id: UUID) -> tuple[Subscriber, ...]:
        """The subscribers that are this user's."""
        return tuple(self._of_user.get(user_id, ()))

    def offer(self, position: int, event: TaskEvent) -> None:
        """Show an event to everybody whom the policy might let see it; each looks with its own eyes."""
        for alike in self._alike.values():
            noted = next(iter(alike)).look(position, event)
            if noted is not None:
                for subscriber in alike:
                    subscriber.offer(noted)
        for user_id in event.people:
            for subscriber in self._of_user.get(user_id, ()):
                if not subscriber.eyes.see_everything:
                    own = subscriber.look(position, event)
                    if own is not None:
                        subscriber.offer(own)


def _discard(of: dict[KeyT, set[Subscriber]], key: KeyT, subscriber: Subscriber) -> None:
    found = of.get(key)
    if found is not None:
        found.discard(subscriber)
        if not found:
            del of[key]
