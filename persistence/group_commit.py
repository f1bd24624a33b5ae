"""Moves that are asked for at the same moment, made by one statement: one round trip and one commit for all of them.

A commit waits for the disk, and takes as long for many as for one (group commit: DeWitt et al., "Implementation
Techniques for Main Memory Database Systems", 1984). Who comes while others are being moved waits for the next round,
together with all who come meanwhile; who comes alone does not wait.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from persistence.errors import broken, is_retryable, unavailable
from persistence.models import TaskRow
from persistence.queries.connection_pool import ConnectionPool
from persistence.task_status_update import StatusUpdate, arguments, moved, moving

AT_MOST: Final = 100
"""Moves of one statement."""

ROUNDS: Final = 2
"""Statements at the same time: while one waits for the disk, the next one can be worked on."""

PATIENCE_SECONDS: Final = 2.0
"""How long a move waits for its round to begin; after that the database is as good as away."""

_NOBODY: Final = Context()
"""What concerns all who are in a round is done in the name of none of them."""


class _PendingUpdate(NamedTuple):
    move: StatusUpdate
    outcome: "asyncio.Future[TaskRow | None]"
    until: float


class GroupCommit:
    """Makes moves, many at a time, over connections that it borrows; *on_made* is told how many were made."""

    def __init__(self, lending: ConnectionPool, on_made: Callable[[int], None]) -> None:
        self._lending = lending
        self._on_made = on_made
        self._wishes: list[_PendingUpdate] = []
        self._under_way: set[UUID] = set()
        """The tasks that are being moved: a second move of one waits for its outcome."""
        self._rounds: set[asyncio.Task[None]] = set()
        self._is_called = False
        self._timer: asyncio.TimerHandle | None = None

    async def make(self, move: StatusUpdate) -> TaskRow | None:
        """Make a move, event included; None if that was not possible, or not at once: then nothing was done.

        Raises:
            Unavailable: the database does not answer; if its answer was lost on the way, the move may have been made.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[TaskRow | None] = loop.create_future()
        self._wishes.append(_PendingUpdate(move, outcome, loop.time() + PATIENCE_SECONDS))
        if self._timer is None:
            self._timer = loop.call_later(PATIENCE_SECONDS, self._lose_patience, loop, context=_NOBODY)
        self._call()
        return await outcome

    async def close(self) -> None:
        """Wait for what is under way."""
        while self._wishes or self._rounds:
            await asyncio.gather(*self._rounds, return_exceptions=True)
            await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()

    def _call(self) -> None:
        """Begin a round soon: whoever asks in this round of the loop, too, is in it."""
        if not self._is_called and len(self._rounds) < ROUNDS:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._begin, context=_NOBODY)

    def _begin(self) -> None:
        self._is_called = False
        wishes = self._take()
        if wishes:
            self._under_way.update(wishes)
            task = asyncio.create_task(self._round(wishes))
            self._rounds.add(task)
            task.add_done_callback(self._end)

    def _take(self) -> dict[UUID, _PendingUpdate]:
        """The next ones, each of another task, that nobody has given up."""
        taken: dict[UUID, _PendingUpdate] = {}
        left = []
        for wish in self._wishes:
            task_id = wish.move.task_id
            if len(taken) == AT_MOST or task_id in taken or task_id in self._under_way:
                left.append(wish)
            elif not wish.outcome.done():
                taken[task_id] = wish
        self._wishes = left
        return taken

    def _end(self, task: asyncio.Task[None]) -> None:
        self._rounds.discard(task)
        if self._wishes:
            self._call()

    def _lose_patience(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for wish in self._wishes:
            if wish.until <= now and not wish.outcome.done():
                _fail(wish.outcome, TimeoutError())
        self._wishes = [wish for wish in self._wishes if not wish.outcome.done()]
        if self._wishes:
            self._timer = loop.call_at(self._wishes[0].until, self._lose_patience, loop, context=_NOBODY)

    async def _round(self, wishes: dict[UUID, _PendingUpdate]) -> None:
        try:
            found = await self._made([wish.move for wish in wishes.values()])
        except Exception as error:
            for _, outcome in _awaited(wishes):
                _fail(outcome, error)
        else:
            for task_id, outcome in _awaited(wishes):
                outcome.set_result(found.get(task_id))
        finally:
            self._under_way.difference_update(wishes)
            for _, outcome in _awaited(wishes):
                outcome.cancel()  # as we were

    async def _made(self, moves: Sequence[StatusUpdate]) -> dict[UUID, TaskRow]:
        try:
            rows = await self._rows(moves)
        except (asyncpg.PostgresError, ValueError) as error:
            if is_retryable(error):
                raise
            # Something cannot be sent, or the server said no, and so to all of them: each finds out by itself whether
            # it was meant.
            return {}
        if rows:
            self._on_made(len(rows))
        return {row[0]: moved(row) for row in rows}

    async def _rows(self, moves: Sequence[StatusUpdate]) -> list[Any]:
        text, values = moving(), arguments(moves)
        connection, work = await self._lending.borrow(lambda lent: lent.fetch(text, *values))
        failure: BaseException | None = None
        try:
            rows: list[Any] = await work
        except BaseException as error:
            failure = error
            if isinstance(error, Exception) and connection.is_closed():
                raise broken(error) from error
            raise
        finally:
            self._lending.give_back(connection, failure)
        return rows


def _fail(outcome: "asyncio.Future[TaskRow | None]", error: Exception) -> None:
    outcome.set_exception(unavailable(error) or error)


def _awaited(wishes: dict[UUID, _PendingUpdate]) -> "Iterator[tuple[UUID, asyncio.Future[TaskRow | None]]]":
    """The outcomes that somebody still waits for."""
    return ((task_id, wish.outcome) for task_id, wish in wishes.items() if not wish.outcome.done())
