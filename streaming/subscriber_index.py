"""An index of the subscribers of this process: an event is checked only against those it can concern."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID

from domain.events import DeliveredEvent, LoggedEvent, MembershipEvent, ProjectEvent, TaskScopedEvent
from streaming.subscription import Subscriber

KeyT = TypeVar("KeyT", bound=Hashable)
Group = dict[Subscriber, None]
"""Subscribers in the order in which they subscribed; they are delivered to in this order."""


class SubscriberIndex:
    """The subscribers of this process."""

    def __init__(self) -> None:
        self._all: Group = {}
        self._by_user: dict[UUID, Group] = {}
        self._by_project: dict[UUID, dict[Hashable, Group]] = {}
        """Subscribers who are members of a project and do not see everything, by filter key and role.

        One visibility check serves a whole group, if the task is in the project before and after the event.
        """
        self._see_everything: dict[Hashable, Group] = {}
        """Subscribers that see everything, by filter key. One visibility check serves a whole group."""
        self._ids: set[str] = set()
        """The keys of `_by_user` and `_by_project`, in the form in which payloads hold them."""

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(tuple(self._all))

    def add(self, subscriber: Subscriber) -> None:
        """Add a subscriber."""
        self._all[subscriber] = None
        self._by_user.setdefault(user_id := subscriber.actor.user_id, {})[subscriber] = None
        self._ids.add(str(user_id))
        if subscriber.view.sees_everything:
            self._see_everything.setdefault(subscriber.view.filter_key, {})[subscriber] = None
        else:
            for project_id in subscriber.actor.projects:
                self._add_to_project(project_id, subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a subscriber. Removing it twice has no effect."""
        self._all.pop(subscriber, None)
        _discard(self._by_user, user_id := subscriber.actor.user_id, subscriber)
        if user_id not in self._by_user:
            self._ids.discard(str(user_id))
        _discard(self._see_everything, subscriber.view.filter_key, subscriber)
        for project_id in subscriber.actor.projects:
            self._remove_from_project(project_id, subscriber)

    def forget_memberships(self) -> None:
        """Forget which subscribers are members of projects, because events were missed."""
        self._ids.difference_update(map(str, self._by_project))
        self._by_project.clear()

    def change_membership(self, user_id: UUID, project_id: UUID, change: Callable[[], None]) -> None:
        """Call *change*, which changes the roles of the user, and index the subscribers of the user again."""
        found = self.by_user(user_id)
        for subscriber in found:
            self._remove_from_project(project_id, subscriber)
        change()
        for subscriber in found:
            if project_id in subscriber.actor.projects and not subscriber.view.sees_everything:
                self._add_to_project(project_id, subscriber)

    def by_user(self, user_id: UUID) -> tuple[Subscriber, ...]:
        """The subscribers of a user."""
        return tuple(self._by_user.get(user_id, ()))

    def decode(self, logged: LoggedEvent) -> Mapping[str, Any] | None:
        """Decode the event unless it concerns no subscriber; then return its payload."""
        return logged.decode_for(None if self._see_everything else self._ids)

    def offer(self, logged: LoggedEvent, event: TaskScopedEvent) -> None:
        """Offer an event to all subscribers that may see it. *event* is that of *logged*."""
        for group in self._see_everything.values():
            _offer_to_all(group, logged, event)
        if event.is_personal or len(event.projects) > 1:
            self._offer_to_each(logged, event)
            return
        for project_id in event.projects:
            for group in self._by_project.get(project_id, {}).values():
                _offer_to_all(group, logged, event)

    def offer_to_project(self, logged: LoggedEvent, event: ProjectEvent | MembershipEvent) -> None:
        """Offer an event to all subscribers that may see its project, without those of the event's own user."""
        own = event.user_id if isinstance(event, MembershipEvent) else None
        for group in (*self._see_everything.values(), *self._by_project.get(event.project_id, {}).values()):
            others = group if own is None else {each: None for each in group if each.actor.user_id != own}
            if others:
                _offer_to_all(others, logged, event)

    def _offer_to_each(self, logged: LoggedEvent, event: TaskScopedEvent) -> None:
        """Offer an event to the people of a personal task, and to the members of all projects that it concerns."""
        concerned: Group = {}
        for project_id in event.projects:
            for group in self._by_project.get(project_id, {}).values():
                concerned |= group
        for user_id in event.people if event.is_personal else ():
            own = self._by_user.get(user_id, {})
            concerned |= {each: None for each in own if not each.view.sees_everything}
        for subscriber in concerned:
            entry = subscriber.entry_for(logged, event)
            if entry is not None:
                subscriber.offer(entry)

    def _add_to_project(self, project_id: UUID, subscriber: Subscriber) -> None:
        groups = self._by_project.setdefault(project_id, {})
        groups.setdefault(_group_key(project_id, subscriber), {})[subscriber] = None
        self._ids.add(str(project_id))

    def _remove_from_project(self, project_id: UUID, subscriber: Subscriber) -> None:
        groups = self._by_project.get(project_id)
        if groups is not None:
            _discard(groups, _group_key(project_id, subscriber), subscriber)
            if not groups:
                del self._by_project[project_id]
                self._ids.discard(str(project_id))


def _offer_to_all(group: Group, logged: LoggedEvent, event: DeliveredEvent) -> None:
    """Offer an event to subscribers to whom it means the same."""
    entry = next(iter(group)).entry_for(logged, event)
    if entry is not None:
        for subscriber in group:
            subscriber.offer(entry)


def _group_key(project_id: UUID, subscriber: Subscriber) -> Hashable:
    return subscriber.view.filter_key, subscriber.actor.projects.of(project_id)


def _discard(of: dict[KeyT, Group], key: KeyT, subscriber: Subscriber) -> None:
    found = of.get(key)
    if found is not None:
        found.pop(subscriber, None)
        if not found:
            del of[key]
