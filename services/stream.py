"""What can be done with the stream of events."""

from domain.actor import OPERATOR
from domain.errors import Forbidden
from persistence.unit_of_work import UnitOfWork


async def reset_epoch(uow: UnitOfWork) -> None:
    """Say that the log is another history now: whoever comes with a cursor of before is told to load anew.

    Those who listen are told so within a second, too.

    Raises:
        Forbidden: if the actor is not the operator.
    """
    if uow.actor != OPERATOR:
        raise Forbidden("Only the operator may say that the history was replaced.")
    async with uow:
        await uow.events.begin_epoch()
        await uow.commit()
