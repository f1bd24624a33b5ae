"""An index of the subscribers of this process: an event is checked only against those it can concern."""

from collections.abc import Hashable, Iterator
from typing import TypeVar
from uuid import UUID

from domain.events import LoggedEvent, TaskScopedEvent
from streaming.subscription import Subscriber

KeyT = TypeVar("KeyT", bound=Hashable)
Group = dict[Subscriber, None]
"""Subscribers in the order in which they subscribed; they are delivered to in this order."""


class SubscriberIndex:
    """The subscribers of this process."""

    def __init__(self) -> None:
        self._all: Group = {}
        self._by_user: dict[UUID, Group] = {}
        self._see_everything: dict[Hashable, Group] = {}
        """Subscribers that see everything, by filter key. One visibility check serves a whole group."""

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(tuple(self._all))

    def add(self, subscriber: Subscriber) -> None:
        """Add a subscriber."""
        self._all[subscriber] = None
        self._by_user.setdefault(subscriber.actor.user_id, {})[subscriber] = None
        if subscriber.view.sees_everything:
            self._see_everything.setdefault(subscriber.view.filter_key, {})[subscriber] = None

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a subscriber. Removing it twice has no effect."""
        self._all.pop(subscriber, None)
        _discard(self._by_user, subscriber.actor.user_id, subscriber)
        _discard(self._see_everything, subscriber.view.filter_key, subscriber)

    def by_user(self, user_id: UUID) -> tuple[Subscriber, ...]:
        """The subscribers of a user."""
        return tuple(self._by_user.get(user_id, ()))

    def offer(self, logged: LoggedEvent, event: TaskScopedEvent) -> None:
        """Offer an event to all subscribers that may see it. *event* is that of *logged*."""
        for group in self._see_everything.values():
            entry = next(iter(group)).entry_for(logged, event)
            if entry is not None:
                for subscriber in group:
                    subscriber.offer(entry)
        for user_id in event.people:
            for subscriber in self._by_user.get(user_id, ()):
                if not subscriber.view.sees_everything:
                    entry = subscriber.entry_for(logged, event)
                    if entry is not None:
                        subscriber.offer(entry)


def _discard(of: dict[KeyT, Group], key: KeyT, subscriber: Subscriber) -> None:
    found = of.get(key)
    if found is not None:
        found.pop(subscriber, None)
        if not found:
            del of[key]
