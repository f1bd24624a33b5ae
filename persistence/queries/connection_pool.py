"""A small pool of asyncpg connections."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from persistence.errors import is_server_lost, is_statement_error
from persistence.outage_log import note_outage
from persistence.queries.unanswered_writes import WAITING_COMMITS, UnansweredWrites

ResultT = TypeVar("ResultT")
Step = Callable[[], Any]
"""Runs the coroutine until it waits again, and returns what it waits for; raises StopIteration at its end."""

GROWTH_PAUSE_SECONDS: Final = 1.0
"""The pause after a failed attempt to open another connection, while there are others to wait for."""

Connection: TypeAlias = Any
"""`asyncpg.Connection`, which has no types."""

Connect = Callable[[], Awaitable[Connection]]
Work = Callable[[Connection], Coroutine[Any, Any, Any]]
"""The first use of a connection."""


class EagerTask(Generic[ResultT]):
    """A coroutine that has already run to its first wait; await it once.

    A waiting asyncio task resumes only in the next iteration of the event loop. The code that releases a connection can
    start the next work earlier: the statement is sent as soon as the connection is free. Python 3.12 has eager tasks
    for this.
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
        """Close the coroutine without awaiting it."""
        self._work.close()


def _first(work: Coroutine[Any, Any, Any], context: Context) -> Step:
    """Run the coroutine to its first wait; the returned step gives the result."""
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
    """A connection that must be released, and the work that must be awaited."""

    connection: Connection
    work: Awaitable[Any]


class _ConnectionWaiter(NamedTuple):
    """A caller that waits for a connection, or for None when another connection can be opened."""

    result: "asyncio.Future[PooledConnection | None]"
    until: float
    work: Work
    context: Context


class ConnectionPool:
    """At most *size* connections. They are opened when they are needed; the one released last is used first.

    *timeout* is how many seconds a caller waits for a connection. When the server refuses more connections, the pool
    works with those that it has.

    A connection whose write is not answered in time stays open and counts, see `UnansweredWrites`. A part of the
    connections is left for reads, so there can be a quarter more than *size*.
    """

    def __init__(self, connect: Connect, *, size: int, timeout: float) -> None:
        self._connect = connect
        self._size = size
        self._timeout = timeout
        self._idle: list[Connection] = []
        self._waiters: deque[_ConnectionWaiter] = deque()
        """In the order of their deadlines, so that one timer is enough."""
        self._timer: asyncio.TimerHandle | None = None
        self._open = 0
        self._grows_from = 0.0
        self._closed = False
        self._left_for_reads = max(1, size // 4)
        self._unanswered = UnansweredWrites(self._left_for_reads)
        self.refused = 0
        """How often a new connection failed while there were others."""

    @property
    def acquired(self) -> int:
        """The number of connections in use."""
        return self._open - len(self._idle)

    @property
    def refuses_writes(self) -> bool:
        """Whether the server does not answer earlier writes, as far as it is known."""
        return self._unanswered.refuses

    async def check_writes(self) -> None:
        """Check that a write may start. This may ask the server.

        Raises:
            Unavailable: the server does not answer earlier writes.
            Exception: it does not answer at all.
        """
        if self._unanswered.refuses:
            await self._unanswered.check(self._do_commits_wait)

    async def _do_commits_wait(self) -> bool:
        connection, found = await self.acquire(lambda connection: connection.fetchval(WAITING_COMMITS))
        error: BaseException | None = None
        try:
            return bool(await found)
        except BaseException as failure:
            error = failure
            raise
        finally:
            self.release(connection, error)

    async def acquire(self, work: Work) -> PooledConnection:
        """Acquire a connection and start *work* on it. For a caller that waits, the work starts at the release.

        If the caller is cancelled after the work has started, the connection is closed.

        Raises:
            TimeoutError: no connection was released in time.
        """
        until: float | None = None
        while True:
            connection = self._take_idle()
            if connection is None and self._may_grow():
                connection = await self._grow()
                if connection is None:
                    continue  # meanwhile another one may have been released
            if connection is not None:
                return PooledConnection(connection, work(connection))
            until = until or asyncio.get_running_loop().time() + self._timeout
            result = await self._wait(work, until)
            if result is not None:
                return result

    def release(self, connection: Connection, error: BaseException | None = None, *, is_writing: bool = False) -> None:
        """Release a connection after its use, with the error if there was one.

        *is_writing* tells that a write or a commit was not answered. If the server was lost, idle connections are
        closed too: they lead to the same server, and each would cost a request its time-out.
        """
        if error is not None and is_server_lost(error):
            self._close_idle()
        # After a refused statement the connection can be used again. After any other error a statement may be
        # incomplete, or the connection is broken.
        usable = error is None or is_statement_error(error)
        if not usable or self._closed or connection.is_closed():
            self._drop(connection, is_writing=is_writing)
        elif (waiter := self._next_waiter()) is not None:
            waiter.result.set_result(PooledConnection(connection, EagerTask(waiter.work(connection), waiter.context)))
        else:
            self._idle.append(connection)

    async def close(self) -> None:
        """Close the idle connections; the others are closed when they are released."""
        self._closed = True
        self._unanswered.close()
        while self._idle:
            connection = self._idle.pop()
            self._open -= 1
            await connection.close(timeout=1)

    def _drop(self, connection: Connection, *, is_writing: bool) -> None:
        """Close a connection; with an unanswered write it stays open until the answer."""
        if is_writing and not self._closed and not connection.is_closed() and connection.answered is not None:
            self._unanswered.keep(connection)
        else:
            connection.terminate()
        self._open -= 1
        self._wake_for_growth()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().terminate()
            self._open -= 1

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._open -= 1
        return None

    def _may_grow(self) -> bool:
        if self._open >= max(self._size - len(self._unanswered), self._left_for_reads):
            return False
        return self._open == 0 or asyncio.get_running_loop().time() >= self._grows_from

    async def _grow(self) -> Connection | None:
        """Open another connection; None if this fails, but there are others to wait for."""
        self._open += 1
        try:
            return await _uncancelled(self._connect())
        except BaseException as error:
            self._open -= 1
            if self._open == 0 or not isinstance(error, Exception):
                self._wake_for_growth()
                raise
            self._grows_from = asyncio.get_running_loop().time() + GROWTH_PAUSE_SECONDS
            self.refused += 1
            note_outage(error)
            return None

    async def _wait(self, work: Work, until: float) -> PooledConnection | None:
        loop = asyncio.get_running_loop()
        waiter = _ConnectionWaiter(loop.create_future(), until, work, copy_context())
        self._enqueue(waiter)
        if self._timer is None:
            self._timer = loop.call_at(until, self._expire_waiters, loop)
        try:
            return await waiter.result
        except asyncio.CancelledError as cancelled:
            self._cancel_waiter(waiter.result, cancelled)
            raise

    def _enqueue(self, waiter: _ConnectionWaiter) -> None:
        """Insert the caller by its deadline: a caller that has waited before goes before newer ones."""
        later = []
        while self._waiters and self._waiters[-1].until > waiter.until:
            later.append(self._waiters.pop())
        self._waiters.append(waiter)
        self._waiters.extend(reversed(later))

    def _cancel_waiter(
        self, result: "asyncio.Future[PooledConnection | None]", cancelled: asyncio.CancelledError
    ) -> None:
        """Give the connection back if the cancelled caller has just got one."""
        if not result.done() or result.cancelled() or result.exception() is not None:
            return
        pooled = result.result()
        if pooled is None:
            self._wake_for_growth()  # another caller can open it
        else:
            pooled.work.close()  # type: ignore[attr-defined]
            self.release(pooled.connection, cancelled)

    def _expire_waiters(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        while self._waiters:
            waiter = self._waiters[0]
            if not waiter.result.done() and waiter.until > loop.time():
                self._timer = loop.call_at(waiter.until, self._expire_waiters, loop)
                return
            self._waiters.popleft()
            if not waiter.result.done():
                waiter.result.set_exception(TimeoutError())

    def _wake_for_growth(self) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.result.set_result(None)

    def _next_waiter(self) -> _ConnectionWaiter | None:
        """The caller with the earliest deadline that still waits."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.result.done():
                return waiter
        return None


async def _uncancelled(connecting: Awaitable[Connection]) -> Connection:
    """The new connection. If the caller is cancelled, it is still opened, and then closed.

    The driver does not close a connection whose opening is cancelled at the moment when it is ready.
    """
    opening = asyncio.ensure_future(connecting)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_terminate)
        raise


def _terminate(opening: "asyncio.Future[Connection]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().terminate()
