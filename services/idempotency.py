"""Writes with an idempotency key are made once, even if the request is repeated."""

from uuid import UUID

from domain.idempotency import COUNTED, check_key_count, check_same_request, fingerprint
from persistence.unit_of_work import UnitOfWork


async def find_earlier_result(uow: UnitOfWork, what: str, object_id: UUID, request: dict[str, object]) -> UUID | None:
    """The id of the object that an earlier execution of this request created or changed; None: execute it now.

    Call this first in the transaction: a duplicate of the request waits here until the first one has ended. The key is
    stored with *object_id* if and only if the transaction commits. Without a key every request is new.

    Raises:
        IdempotencyMismatch: the key was used for another request.
        RateLimited: the actor has used too many keys. Repeated requests with known keys are still answered.
    """
    if uow.idempotency is None:
        return None
    request_fingerprint = fingerprint(what, request)
    scope = uow.idempotency.scope(uow.actor.user_id)
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
