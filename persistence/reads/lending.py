"""A few connections of asyncpg's, lent to one borrower at a time.

asyncpg's own pool makes a task for each return, and asks the server to forget what a borrower may have set. Here
nothing can be set: whoever borrows runs single statements, each a transaction of its own.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import asyncpg

Connection: TypeAlias = Any
"""`asyncpg.Connection`, which has no types."""

Connect = Callable[[], Awaitable[Connection]]


class Lending:
    """At most *size* connections, each made when it is needed first; the last one returned goes out first.

    *patience* is how many seconds a borrower waits for one.
    """

    def __init__(self, connect: Connect, *, size: int, patience: float) -> None:
        self._connect = connect
        self._size = size
        self._patience = patience
        self._idle: list[Connection] = []
        self._waiting: deque[tuple[asyncio.Future[bool], float]] = deque()
        """Who waits, and until when: all equally long, so that one timer does for all of them."""
        self._timer: asyncio.TimerHandle | None = None
        self._open = 0
        self._closed = False

    @property
    def lent(self) -> int:
        """How many are out now."""
        return self._open - len(self._idle)

    async def borrow(self) -> Connection:
        """One of them, to be given back.

        Raises:
            TimeoutError: all of them stayed out.
        """
        while True:
            connection = self._take()
            if connection is not None:
                return connection
            if self._open < self._size:
                return await self._new()
            await self._wait()

    def give_back(self, connection: Connection, error: BaseException | None = None) -> None:
        """Take it back from a borrower who is done, or was stopped by an error."""
        # The server that says no is ready for the next question. After anything else, somebody went away in the middle
        # or the wire is broken: nobody knows what would be read next.
        good = error is None or isinstance(error, asyncpg.PostgresError)
        if not good or self._closed or connection.is_closed():
            connection.terminate()
            self._open -= 1
        else:
            self._idle.append(connection)
        self._wake()

    async def close(self) -> None:
        """Close those that are here; those that are out are closed when they come back."""
        self._closed = True
        while self._idle:
            connection = self._idle.pop()
            self._open -= 1
            await connection.close(timeout=1)

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._open -= 1
        return None

    async def _new(self) -> Connection:
        self._open += 1
        try:
            return await self._connect()
        except BaseException:
            self._open -= 1
            self._wake()
            raise

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((turn, loop.time() + self._patience))
        if self._timer is None:
            self._timer = loop.call_later(self._patience, self._lose_patience, loop)
        try:
            if not await turn:
                raise TimeoutError
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self._wake()  # it was our turn, and somebody else can have it
            raise

    def _lose_patience(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        while self._waiting:
            turn, until = self._waiting[0]
            if not turn.done() and until > loop.time():
                self._timer = loop.call_at(until, self._lose_patience, loop)
                return
            self._waiting.popleft()
            _settle(turn, False)

    def _wake(self) -> None:
        while self._waiting:
            turn, _ = self._waiting.popleft()
            if _settle(turn, True):
                return


def _settle(turn: asyncio.Future[bool], has_come: bool) -> bool:
    """Say whether its turn has come; False if that was said before, or nobody waits for it."""
    if turn.done():
        return False
    turn.set_result(has_come)
    return True
