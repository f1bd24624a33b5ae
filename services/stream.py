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


async def set_cursor_format(uow: UnitOfWork, number: int) -> None:
    """Choose the format of new stream cursors, for all processes: 1, or 2 with fingerprints. Both are always accepted.

    Raises:
        Forbidden: if the actor is not the operator.
    """
    if uow.actor != OPERATOR:
        raise Forbidden("Only the operator may choose the format of stream cursors.")
    async with uow:
        await uow.events.use_fingerprints(enabled=number == 2)
        await uow.commit()
