"""Ways to skip too much, or to skip it wrongly, each of which the histories must notice."""

from collections.abc import Callable, Set
from uuid import UUID

from domain.events import LoggedEvent
from domain.stored_event import StoredEvent
from streaming.stream import Stream
from streaming.subscriber_index import SubscriberIndex
from tests.simulation.mutants import Patch

_change_membership = SubscriberIndex.change_membership


def _ask_only_for_one_side(side: str) -> Callable[[StoredEvent, Set[str]], bool]:
    def is_only_of_others(self: StoredEvent, ids: Set[str]) -> bool:
        payload = self._payload
        if not isinstance(payload, dict) or payload.get("after") is None:
            return False
        return payload[side] is None or ids.isdisjoint(payload[side].values())

    return is_only_of_others


def _overlook_those_who_join(
    self: SubscriberIndex, user_id: UUID, project_id: UUID, change: Callable[[], None]
) -> None:
    was_known = str(project_id) in self._ids
    _change_membership(self, user_id, project_id, change)
    if not was_known:
        self._ids.discard(str(project_id))


def _overlook_those_who_see_everything(self: SubscriberIndex, logged: LoggedEvent) -> bool:
    return not logged.is_only_of_others(self._ids)


def _keep_what_is_cached(self: Stream, logged: LoggedEvent) -> None:
    if logged.task_id is not None:
        self.task_cache._deleted.pop(logged.task_id, None)


def _keep_what_is_deleted(self: Stream, logged: LoggedEvent) -> None:
    if logged.task_id is not None:
        self.task_cache.invalidate(logged.task_id)


SKIP_MUTANTS: dict[str, list[Patch]] = {
    "an event is skipped if it concerns nobody after it": [
        (StoredEvent, "is_only_of_others", _ask_only_for_one_side("after"))
    ],
    "an event is skipped if it concerned nobody before it": [
        (StoredEvent, "is_only_of_others", _ask_only_for_one_side("before"))
    ],
    "events of a project are skipped for users who join": [
        (SubscriberIndex, "change_membership", _overlook_those_who_join)
    ],
    "events are skipped for users who see everything": [(SubscriberIndex, "need", _overlook_those_who_see_everything)],
    "a skipped event leaves its task in the cache": [(Stream, "_skip", _keep_what_is_cached)],
    "a skipped restoration leaves the task deleted": [(Stream, "_skip", _keep_what_is_deleted)],
}
"""The mutants: a description, and the patches."""
