"""Ways to get it wrong, each of which the histories must notice."""

import asyncio
from typing import Any

from domain.events import LoggedEvent, TaskScopedEvent
from domain.stream_cursor import StreamCursor
from domain.unknown_events import UnknownAccess
from graphql_api.auth.authenticator import Authenticator
from graphql_api.resolvers.delivery import DirectDelivery
from graphql_api.resolvers.stream import SubscriptionSource
from persistence.numbering_floor import Writers
from streaming import cursors, subscription
from streaming.lease import Lease
from streaming.numbering import NumberingFloor
from streaming.replay import RecentEvents
from streaming.stream import Stream
from streaming.stream_items import ResyncReason
from streaming.subscription import Subscriber
from streaming.subscription_queue import QueuedEvent, SubscriptionQueue
from streaming.tail import Tail
from streaming.visibility import SubscriberView, Visibility
from tests.simulation import process

Patch = tuple[object, str, object]

_offer, _visibility_of, _apply_access, _note_head = (
    SubscriptionQueue.offer,
    SubscriberView.visibility_of,
    Stream._apply_access,
    Tail._note_head,
)
_position, _on_numbered, _resync_reason_for, _reset_reason = (
    SubscriptionQueue.position,
    Stream._on_numbered,
    cursors.resync_reason_for,
    Tail._reset_reason,
)
_begin, _deliver_some = DirectDelivery.__init__, Subscriber._deliver_some


def _deliver_across_gaps(self: Tail, batch: list[LoggedEvent]) -> list[LoggedEvent]:
    new = [each for each in batch if each.position > self.dispatched]
    if new:
        self.dispatched = new[-1].position
        self.end = max(self.end, self.dispatched)
    return new


def _deliver_twice(self: Tail, batch: list[LoggedEvent]) -> list[LoggedEvent]:
    if not batch or batch[-1].position <= self.dispatched or batch[0].position > self.dispatched + 1:
        self.request_check()
        return []
    self.dispatched = batch[-1].position
    return batch


def _one_too_far(self: SubscriptionQueue, entry: QueuedEvent) -> None:
    was_live = self.live
    _offer(self, entry)
    if was_live and not self.live:
        self.read += 1


def _keep_no_position(self: SubscriptionQueue, entry: QueuedEvent) -> None:
    if self.live and len(self._queue) < self._capacity:
        self._queue.append(entry)


def _live_too_soon(self: SubscriptionQueue, entries: list[QueuedEvent], *, read: int, dispatched: int) -> None:
    self._queue.extend(entries)
    self.read, self.live = read, True


def _count_queued_as_delivered(self: SubscriptionQueue, dispatched: int) -> int:
    return self._taken.position if self._taken is not None else _position(self, dispatched)


def _count_waiting_as_seen(self: SubscriptionQueue, dispatched: int) -> int:
    return self.read if not self.live else max(self.read, dispatched)


def _see_everything(self: SubscriberView, event: Any) -> Visibility | None:
    if not isinstance(event, TaskScopedEvent):
        return _visibility_of(self, event)
    return _visibility_of(self, event) or (Visibility.VISIBLE if event.after is not None else None)


def _deliver_nothing_when_gone(self: SubscriberView, event: Any) -> Visibility | None:
    visibility = _visibility_of(self, event)
    return None if visibility is Visibility.GONE else visibility


def _call_gone_deleted(self: SubscriberView, event: Any) -> Visibility | None:
    visibility = _visibility_of(self, event)
    return Visibility.DELETED if visibility is Visibility.GONE else visibility


def _apply_rights_late(self: Stream, logged: LoggedEvent) -> None:
    asyncio.get_running_loop().call_later(1.2, _apply_access, self, logged)


def _do_not_wait_for_numbering(self: Tail, head: Any, started_at: float) -> None:
    self._complete, self._complete_since = head.position, started_at
    self._renew()


def _accept_any_epoch(cursor: StreamCursor, tail: Tail, version: int) -> ResyncReason | None:
    reason = _resync_reason_for(cursor, tail, version)
    return None if reason is ResyncReason.EPOCH else reason


def _accept_any_rights(cursor: StreamCursor, tail: Tail, version: int) -> ResyncReason | None:
    reason = _resync_reason_for(cursor, tail, version)
    return None if reason is ResyncReason.ACCESS else reason


def _overlook_a_new_epoch(self: Tail, ask: Any, head: Any) -> ResyncReason | None:
    self.epoch = head.epoch
    return _reset_reason(self, ask, head)


def _resync_for_nothing(cursor: StreamCursor, tail: Tail, version: int) -> ResyncReason | None:
    return _resync_reason_for(cursor, tail, version) or (
        ResyncReason.TRIMMED if cursor.position < tail.dispatched else None
    )


def _remember_one_too_late(self: RecentEvents, position: int, at_most: int) -> list[LoggedEvent]:
    return [each for each in self._events if each.position > position + 1][:at_most]


def _overlook_trims(self: Tail, ask: Any, head: Any) -> ResyncReason | None:
    reason = _reset_reason(self, ask, head)
    return None if reason is ResyncReason.TRIMMED else reason


async def _trust_any_identity(self: Authenticator, token: str, claims: Any, now: Any) -> Any:
    generation = self._generation
    known = await self._query(claims, now)
    if generation == self._generation:
        self._store(token, known)
    return known.identity


def _one_key_for_all_rights(self: DirectDelivery, *arguments: Any) -> None:
    _begin(self, *arguments)
    self._key = "all users"


def _deliver_at_any_time(self: Subscriber, deliver: Any) -> bool:
    self._consumer_waits = True
    return _deliver_some(self, deliver)


async def _read_the_writers_first(self: NumberingFloor, log: Any, now: float) -> None:
    writers = await log.writers()
    last_id = await log.last_id()
    if self._observed is not None and not writers.may_include(self._observed[1]):
        await log.raise_floor(self._observed[0])
    self._observed = last_id, writers


async def _raise_it_to_what_is_new(self: NumberingFloor, log: Any, now: float) -> None:
    last_id = await log.last_id()
    if self._observed is not None and not (await log.writers()).may_include(self._observed[1]):
        await log.raise_floor(last_id)
    self._observed = last_id, await log.writers()


def _overlook_unknown_rights(self: Stream, logged: LoggedEvent) -> None:
    if not isinstance(logged.event, UnknownAccess):
        _apply_access(self, logged)


MUTANTS: dict[str, list[Patch]] = {
    "events after a gap are delivered": [(Tail, "offer", _deliver_across_gaps)],
    "an overlap is delivered twice": [(Tail, "offer", _deliver_twice)],
    "a dropped queue is read again from one too far": [(SubscriptionQueue, "offer", _one_too_far)],
    "a full queue drops what is new and keeps no place": [(SubscriptionQueue, "offer", _keep_no_position)],
    "a reader goes live before it has read everything": [(SubscriptionQueue, "refill", _live_too_soon)],
    "the cursor counts what is in hand as seen": [(SubscriptionQueue, "position", _count_queued_as_delivered)],
    "the cursor counts what waits as seen": [(SubscriptionQueue, "position", _count_waiting_as_seen)],
    "every user sees every task": [(SubscriberView, "visibility_of", _see_everything)],
    "gone is not delivered": [(SubscriberView, "visibility_of", _deliver_nothing_when_gone)],
    "gone is delivered as deleted": [(SubscriberView, "visibility_of", _call_gone_deleted)],
    "the lease is ignored": [
        (Lease, "covers", lambda self, instant: True),
        (Lease, "trusts", lambda self, instant: True),
    ],
    "a revoked user receives events": [(Subscriber, "trusts", lambda self, at: True)],
    "answers for other rights are shared": [(DirectDelivery, "__init__", _one_key_for_all_rights)],
    "events are delivered while the consumer is busy": [(Subscriber, "_deliver_some", _deliver_at_any_time)],
    "direct deliveries are repeated": [(SubscriptionQueue, "drop", lambda self: None)],
    "changes of rights are applied late": [(Stream, "_apply_access", _apply_rights_late)],
    "changes of rights are not looked for before they are numbered": [(Tail, "_note_head", _do_not_wait_for_numbering)],
    "tokens are remembered whatever happens": [(Authenticator, "_forget", lambda self, event: None)],
    "an old identity is trusted": [(Authenticator, "_load", _trust_any_identity)],
    "what grew old while it was made is sent": [
        (process, "current_answer", lambda delivery, answer: answer(delivery)),
        (SubscriptionSource, "is_current", lambda self, at: True),
    ],
    "a cursor of another epoch is accepted": [(subscription, "resync_reason_for", _accept_any_epoch)],
    "a cursor of other rights is accepted": [(subscription, "resync_reason_for", _accept_any_rights)],
    "another epoch is overlooked": [(Tail, "_reset_reason", _overlook_a_new_epoch)],
    "a resync has no reason": [(subscription, "resync_reason_for", _resync_for_nothing)],
    "what was trimmed is not missed": [
        (Tail, "_reset_reason", _overlook_trims),
        (Tail, "page_read", lambda self, page: None),
    ],
    "the floor is raised beside open writers": [(Writers, "may_include", lambda self, others: False)],
    "who writes is asked for too early": [(NumberingFloor, "advance", _read_the_writers_first)],
    "the floor is raised to what is new": [(NumberingFloor, "advance", _raise_it_to_what_is_new)],
    "unknown changes of rights are overlooked": [(Stream, "_apply_access", _overlook_unknown_rights)],
    "a resumed subscriber gets no changes of rights": [(SubscriberView, "first_resync", lambda *_: None)],
    "a live subscriber gets no changes of rights": [(Subscriber, "resync_if_behind", lambda *_: None)],
    "memory forgets the next event": [(RecentEvents, "after", _remember_one_too_late)],
}
"""The mutants: a description, and the patches."""
