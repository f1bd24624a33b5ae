"""Ways to leave too much undecoded, or to do it wrongly, each of which the histories must notice."""

from collections.abc import Callable, Mapping, Set
from typing import Any
from uuid import UUID

from domain import stored_event
from domain.events import LoggedEvent
from streaming.stream import Stream
from streaming.subscriber_index import SubscriberIndex
from tests.simulation.mutants import Patch

Payload = Mapping[str, Any]

_change_membership = SubscriberIndex.change_membership


def _ask_only_for_one_side(side: str) -> Callable[..., bool]:
    def is_only_of_others(kind: object, payload: Any, ids: Set[str]) -> bool:
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


def _overlook_those_who_see_everything(self: SubscriberIndex, logged: LoggedEvent) -> Payload | None:
    return logged.decode_for(self._ids)


def _keep_what_is_cached(self: Stream, payload: Payload) -> None:
    self.task_cache._deleted.pop(UUID(payload["task"]), None)


def _keep_what_is_deleted(self: Stream, payload: Payload) -> None:
    self.task_cache.invalidate(UUID(payload["task"]))


DECODING_MUTANTS: dict[str, list[Patch]] = {
    "an event is not decoded if it concerns nobody after it": [
        (stored_event, "_is_only_of_others", _ask_only_for_one_side("after"))
    ],
    "an event is not decoded if it concerned nobody before it": [
        (stored_event, "_is_only_of_others", _ask_only_for_one_side("before"))
    ],
    "events of a project are not decoded for users who join": [
        (SubscriberIndex, "change_membership", _overlook_those_who_join)
    ],
    "events are not decoded for users who see everything": [
        (SubscriberIndex, "decode", _overlook_those_who_see_everything)
    ],
    "an undecoded event leaves its task in the cache": [(Stream, "_pass_over", _keep_what_is_cached)],
    "an undecoded restoration leaves the task deleted": [(Stream, "_pass_over", _keep_what_is_deleted)],
}
"""The mutants: a description, and the patches."""
