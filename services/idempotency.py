"""Writes with an idempotency key are made once, even if the request is repeated."""

from uuid import UUID

from domain.errors import NotFound
from domain.idempotency import COUNTED, IdempotencyKey, check_key_count, check_same_request, fingerprint
from persistence.models import VisibleTaskRow
from persistence.unit_of_work import UnitOfWork


async def find_earlier_result(
    uow: UnitOfWork, what: str, object_id: UUID, request: dict[str, object], *, key: IdempotencyKey | None = None
) -> UUID | None:
    """The id of the object that an earlier execution of this request created or changed; None: execute it now.

    Call this first in the transaction: a duplicate of the request waits here until the first one has ended. The key is
    stored with *object_id* if and only if the transaction commits. Without a key every request is new. *key* is used in
    place of the key of the unit of work.

    Raises:
        IdempotencyMismatch: the key was used for another request.
        RateLimited: the actor has used too many keys. Repeated requests with known keys are still answered.
    """
    key = key or uow.idempotency
    if key is None:
        return None
    request_fingerprint = fingerprint(what, request)
    scope = key.scope(uow.actor.user_id)
    actor_id = uow.actor.user_id
    known = await uow.keys.claim(
        scope, actor_id=actor_id, fingerprint=request_fingerprint, object_id=object_id, now=uow.stamp
    )
    if known is None:
        used = await uow.keys.usage_of(actor_id, since=uow.now - COUNTED)
        check_key_count(used.number, most=uow.keys.most, oldest=used.oldest, now=uow.now)
        return None
    check_same_request(known.fingerprint, request_fingerprint)
    return known.object_id


async def task_after_repetition(uow: UnitOfWork, task_id: UUID) -> VisibleTaskRow:
    """The task of a request that was carried out before; it may have changed since.

    Raises:
        NotFound: it was deleted since, or the actor may not see it any more.
    """
    task = await uow.tasks.find(task_id)
    if task is None:
        raise NotFound("This was done already; since then the task was deleted, or you may not see it any more.")
    return task
