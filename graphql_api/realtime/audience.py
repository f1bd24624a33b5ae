"""Who listens, found by what an event says of its people: those whom it cannot concern cost nothing."""

from collections.abc import Iterator
from uuid import UUID

from domain.actor import Actor
from domain.events import TaskEvent
from domain.policy import Action, Reach, reach
from graphql_api.realtime.subscriber import Subscriber


class Audience:
    """The subscribers of this process."""

    def __init__(self) -> None:
        self._all: set[Subscriber] = set()
        self._of_user: dict[UUID, set[Subscriber]] = {}
        self._see_everything: set[Subscriber] = set()

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(tuple(self._all))

    def join(self, subscriber: Subscriber) -> None:
        """From now on it is found."""
        self._all.add(subscriber)
        if _sees_everything(subscriber.actor):
            self._see_everything.add(subscriber)
        self._of_user.setdefault(subscriber.actor.user_id, set()).add(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """Not any more; leaving twice does no harm."""
        self._all.discard(subscriber)
        self._see_everything.discard(subscriber)
        mine = self._of_user.get(subscriber.actor.user_id)
        if mine is not None:
            mine.discard(subscriber)
            if not mine:
                del self._of_user[subscriber.actor.user_id]

    def of_user(self, user_id: UUID) -> tuple[Subscriber, ...]:
        """The subscribers that are this user's."""
        return tuple(self._of_user.get(user_id, ()))

    def offer(self, position: int, event: TaskEvent) -> None:
        """Show an event to everybody whom the policy might let see it; each looks with its own eyes."""
        for subscriber in self._see_everything:
            subscriber.offer(position, event)
        for user_id in _people(event):
            for subscriber in self._of_user.get(user_id, ()):
                if subscriber not in self._see_everything:
                    subscriber.offer(position, event)


def _sees_everything(actor: Actor) -> bool:
    return Reach.ANY in reach(actor.role, Action.READ_TASK)


def _people(event: TaskEvent) -> set[UUID]:
    sides = [side for side in (event.before, event.after) if side is not None]
    return {side.owner_id for side in sides} | {side.assignee_id for side in sides if side.assignee_id is not None}
