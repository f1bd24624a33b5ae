"""Writes that are made once under a key, however often they are asked for."""

from uuid import UUID

from domain.idempotency import KEPT_FOR, check_keys_kept, check_same_request, fingerprint
from persistence.unit_of_work import UnitOfWork


async def done_before(uow: UnitOfWork, what: str, object_id: UUID, **request: object) -> UUID | None:
    """The object that this very request was about, if it was carried out before; None: carry it out now.

    It has to come first in the transaction: a twin of the request waits here until the first one has ended. The key is
    kept if and only if the transaction commits, with *object_id*. Without a key every request is new.

    Raises:
        IdempotencyMismatch: the key was used for another request.
        RateLimited: the actor has used too many keys. What they were used for is still answered.
    """
    if uow.idempotency is None:
        return None
    asked = fingerprint(what, request)
    scope = uow.idempotency.scope(uow.actor.user_id)
    actor_id = uow.actor.user_id
    known = await uow.keys.claim(scope, actor_id=actor_id, fingerprint=asked, object_id=object_id, now=uow.stamp)
    if known is None:
        kept = await uow.keys.kept_of(actor_id, since=uow.now - KEPT_FOR)
        check_keys_kept(kept.number, most=uow.keys.most, oldest=kept.oldest, now=uow.now)
        return None
    check_same_request(known.fingerprint, asked)
    return known.object_id
