"""Operations on the event stream."""

from domain.actor import OPERATOR
from domain.errors import Forbidden
from persistence.unit_of_work import UnitOfWork


async def reset_epoch(uow: UnitOfWork) -> None:
    """Start a new epoch, after the history was replaced: all older cursors become invalid.

    A client with an older cursor gets a resync and loads its lists again. Connected subscribers get it within a second.

    Raises:
        Forbidden: if the actor is not the operator.
    """
    if uow.actor != OPERATOR:
        raise Forbidden("Only the operator may start a new epoch.")
    async with uow:
        await uow.events.begin_epoch()
        await uow.commit()
