"""Repeats a batch of an import while the database is not available, during a failover for example."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from domain.errors import Unavailable
from streaming.asyncio_helpers import Backoff

MAX_ATTEMPTS: Final = 12
"""With the pauses between them about 40 seconds, or longer if attempts end by a time-out."""
LONGEST_PAUSE: Final = 6.0

ResultT = TypeVar("ResultT")


async def while_unavailable(attempt: Callable[[], Awaitable[ResultT]], backoff: Backoff | None = None) -> ResultT:
    """The result of *attempt*, which is repeated if the database is not available or another writer has locks.

    An attempt may have been committed although its answer was lost, so it must be repeatable.

    Raises:
        Unavailable: at the last attempt, too.
    """
    backoff = backoff or Backoff(LONGEST_PAUSE)
    for _ in range(MAX_ATTEMPTS - 1):
        try:
            return await attempt()
        except Unavailable:
            await backoff.pause()
    return await attempt()
