"""A small pool of asyncpg connections, each lent to one task at a time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from persistence.errors import leaves_session
from persistence.outage_log import note_outage

ResultT = TypeVar("ResultT")
Step = Callable[[], Any]
"""Goes on until the work waits again, and says for what; raises what it raises, StopIteration when it is over."""

GROWTH_PAUSE_SECONDS: Final = 1.0
"""After a connection could not be made, while there are others to wait for."""

Connection: TypeAlias = Any
"""`asyncpg.Connection`, which has no types."""

Connect = Callable[[], Awaitable[Connection]]
Work = Callable[[Connection], Coroutine[Any, Any, Any]]
"""What somebody wants to do first with a connection."""


class EagerTask(Generic[ResultT]):
    """A coroutine that has run up to where it first waits; to be awaited once.

    A task is resumed in the loop's next round. What it will do first can be done before, by whoever makes it possible:
    a statement is sent when a connection has become free, and not when the one who wants it sent gets his turn.
    Python 3.12 has tasks that begin so.
    """

    def __init__(self, work: Coroutine[Any, Any, ResultT], context: Context) -> None:
        self._work = work
        self._step = _first(work, context)

    def __await__(self) -> Generator[Any, Any, ResultT]:
        step = self._step
        while True:
            try:
                waits_for = step()
            except StopIteration as end:
                result: ResultT = end.value
                return result
            try:
                sent = yield waits_for
            except BaseException as error:
                step = _throwing(self._work, error)
            else:
                step = _sending(self._work, sent)

    def close(self) -> None:
        """Nobody will await it."""
        self._work.close()


def _first(work: Coroutine[Any, Any, Any], context: Context) -> Step:
    """The step that tells what came of the first one."""
    try:
        waits_for = context.run(work.send, None)
    except BaseException as end:
        return _raising(end)
    return lambda: waits_for


def _sending(work: Coroutine[Any, Any, Any], value: Any) -> Step:
    return lambda: work.send(value)


def _throwing(work: Coroutine[Any, Any, Any], error: BaseException) -> Step:
    return lambda: work.throw(error)


def _raising(error: BaseException) -> Step:
    def step() -> Any:
        raise error

    return step


class PooledConnection(NamedTuple):
    """A connection, to be given back, and what was wanted of it, to be awaited."""

    connection: Connection
    work: Awaitable[Any]


class _Turn(NamedTuple):
    """Somebody who waits: for a loan, or for None when there is room for another connection."""

    loan: "asyncio.Future[PooledConnection | None]"
    until: float
    work: Work
    context: Context


class ConnectionPool:
    """At most *size* connections, each made when it is needed first; the last one returned goes out first.

    *patience* is how many seconds a borrower waits for one. When the server gives no more of them, those that there are
    have to do.
    """

    def __init__(self, connect: Connect, *, size: int, patience: float) -> None:
        self._connect = connect
        self._size = size
        self._patience = patience
        self._idle: list[Connection] = []
        self._waiting: deque[_Turn] = deque()
        """In the order in which their time ends, so that one timer does for all of them."""
        self._timer: asyncio.TimerHandle | None = None
        self._open = 0
        self._grows_from = 0.0
        self._closed = False
        self.refused = 0
        """How often a connection could not be made while there were others."""

    @property
    def lent(self) -> int:
        """How many are out now."""
        return self._open - len(self._idle)

    async def borrow(self, work: Work) -> PooledConnection:
        """One of them, and *work* done with it; who has to wait finds it begun, and no time was lost in between.

        Who is cancelled when it has just begun costs a connection, as who is cancelled later does.

        Raises:
            TimeoutError: all of them stayed out.
        """
        until: float | None = None
        while True:
            connection = self._take()
            if connection is None and self._may_grow():
                connection = await self._grow()
            if connection is not None:
                return PooledConnection(connection, work(connection))
            until = until or asyncio.get_running_loop().time() + self._patience
            loan = await self._wait(work, until)
            if loan is not None:
                return loan

    def give_back(self, connection: Connection, error: BaseException | None = None) -> None:
        """Take it back from a borrower who is done, or was stopped by an error."""
        # A server that refuses a statement is ready for the next one. After anything else the borrower left in the
        # middle or the connection is broken: nobody knows what would be read next.
        good = error is None or leaves_session(error)
        if not good or self._closed or connection.is_closed():
            connection.terminate()
            self._open -= 1
            self._make_room()
        elif (turn := self._next()) is not None:
            turn.loan.set_result(PooledConnection(connection, EagerTask(turn.work(connection), turn.context)))
        else:
            self._idle.append(connection)

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

    def _may_grow(self) -> bool:
        if self._open >= self._size:
            return False
        return self._open == 0 or asyncio.get_running_loop().time() >= self._grows_from

    async def _grow(self) -> Connection | None:
        """Another connection; None if there is none to be had, but others can be waited for."""
        self._open += 1
        try:
            return await self._connect()
        except BaseException as error:
            self._open -= 1
            if self._open == 0 or not isinstance(error, Exception):
                self._make_room()
                raise
            self._grows_from = asyncio.get_running_loop().time() + GROWTH_PAUSE_SECONDS
            self.refused += 1
            note_outage(error)
            return None

    async def _wait(self, work: Work, until: float) -> PooledConnection | None:
        loop = asyncio.get_running_loop()
        turn = _Turn(loop.create_future(), until, work, copy_context())
        self._enqueue(turn)
        if self._timer is None:
            self._timer = loop.call_at(until, self._lose_patience, loop)
        try:
            return await turn.loan
        except asyncio.CancelledError as cancelled:
            self._decline(turn.loan, cancelled)
            raise

    def _enqueue(self, turn: _Turn) -> None:
        """In the order of their time: one who waited before goes before those who came since."""
        behind = []
        while self._waiting and self._waiting[-1].until > turn.until:
            behind.append(self._waiting.pop())
        self._waiting.append(turn)
        self._waiting.extend(reversed(behind))

    def _decline(self, loan: "asyncio.Future[PooledConnection | None]", cancelled: asyncio.CancelledError) -> None:
        """Somebody goes away whose turn may just have come."""
        if not loan.done() or loan.cancelled() or loan.exception() is not None:
            return
        given = loan.result()
        if given is None:
            self._make_room()  # somebody else can have it
        else:
            given.work.close()  # type: ignore[attr-defined]
            self.give_back(given.connection, cancelled)

    def _lose_patience(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        while self._waiting:
            turn = self._waiting[0]
            if not turn.loan.done() and turn.until > loop.time():
                self._timer = loop.call_at(turn.until, self._lose_patience, loop)
                return
            self._waiting.popleft()
            if not turn.loan.done():
                turn.loan.set_exception(TimeoutError())

    def _make_room(self) -> None:
        turn = self._next()
        if turn is not None:
            turn.loan.set_result(None)

    def _next(self) -> _Turn | None:
        """Who has waited for the longest time, and still does."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.loan.done():
                return turn
        return None
