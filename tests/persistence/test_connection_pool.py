"""A connection has one user at a time, their number is bounded, and a broken one is not reused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import asyncpg
import pytest

from domain.errors import Unavailable
from domain.user import Role
from persistence.database import Database
from persistence.queries.connection_pool import ConnectionPool
from persistence.queries.query import Query
from persistence.queries.reader import Shape
from persistence.queries.statement import Statement
from persistence.queries.task import task
from tests.support.builders import Builders

PATIENCE = 0.2


class Wire:
    """A connection that knows no more than whether it is open."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = False

    def is_closed(self) -> bool:
        """Whether it is closed."""
        return self.closed

    def terminate(self) -> None:
        """Close it at once."""
        self.closed = True

    async def close(self, timeout: float) -> None:  # noqa: ASYNC109 - as asyncpg has it
        """Close it."""
        self.closed = True


class Maker:
    """Makes wires, and remembers them."""

    def __init__(self) -> None:
        self.made: list[Wire] = []
        self.broken = False

    async def __call__(self) -> Wire:
        """Another one."""
        if self.broken:
            raise ConnectionError
        self.made.append(Wire(len(self.made)))
        return self.made[-1]


async def _nothing(connection: Wire) -> None:
    """What is wanted of it."""


@asynccontextmanager
async def loan(pool: ConnectionPool) -> AsyncIterator[Any]:
    """A connection, for as long as the block takes."""
    connection, work = await pool.acquire(_nothing)
    try:
        await work
        yield connection
    except BaseException as error:
        pool.release(connection, error)
        raise
    pool.release(connection)


@pytest.fixture
def maker() -> Maker:
    """Makes wires."""
    return Maker()


@pytest.fixture
def pool(maker: Maker) -> ConnectionPool:
    """Two of them."""
    return ConnectionPool(maker, size=2, timeout=PATIENCE)


async def hold(pool: ConnectionPool, until: asyncio.Event) -> None:
    """Borrow one for a while."""
    async with loan(pool):
        await until.wait()


async def with_two_out(pool: ConnectionPool, enough: asyncio.Event) -> list[asyncio.Task[None]]:
    """Both are out until it is enough."""
    holders = [asyncio.create_task(hold(pool, enough)) for _ in range(2)]
    while pool.acquired < 2:
        await asyncio.sleep(0)
    return holders


class TestPool:
    async def test_the_last_returned_goes_out_first(self, pool: ConnectionPool, maker: Maker):
        """One after the other needs no more than one."""
        for _ in range(5):
            async with loan(pool) as wire:
                assert wire.number == 0
        assert (len(maker.made), pool.acquired) == (1, 0)

    async def test_the_number_of_connections_is_bounded(self, pool: ConnectionPool, maker: Maker):
        """A caller waits when all are acquired."""
        acquired: list[int] = []

        async def acquire() -> None:
            async with loan(pool):
                acquired.append(pool.acquired)
                await asyncio.sleep(0)

        await asyncio.gather(*(acquire() for _ in range(50)))
        assert len(acquired) == 50
        assert (max(acquired), len(maker.made)) == (2, 2)

    async def test_waiting_has_a_limit(self, pool: ConnectionPool):
        """Then the error says that all are in use; later callers are not affected."""
        enough = asyncio.Event()
        holders = await with_two_out(pool, enough)
        with pytest.raises(TimeoutError):
            async with loan(pool):
                pass
        enough.set()
        await asyncio.gather(*holders)
        async with loan(pool):
            assert pool.acquired == 1

    async def test_a_cancelled_caller_passes_its_turn_on(self, pool: ConnectionPool):
        """The first of two is cancelled just at its turn: the second gets the connection."""
        enough = asyncio.Event()
        holders = await with_two_out(pool, enough)
        first, second = (asyncio.create_task(hold(pool, enough)) for _ in range(2))
        await asyncio.sleep(0)
        enough.set()
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(*holders, second)
        assert pool.acquired == 0

    @pytest.mark.parametrize("trouble", [RuntimeError, ConnectionError, asyncio.CancelledError])
    async def test_an_interrupted_connection_is_not_reused(
        self, pool: ConnectionPool, maker: Maker, trouble: type[BaseException]
    ):
        """Its next response is unknown."""
        with pytest.raises(trouble):
            async with loan(pool):
                raise trouble
        async with loan(pool) as wire:
            assert wire.number == 1
        assert maker.made[0].closed

    async def test_an_error_of_the_server_keeps_the_connection(self, pool: ConnectionPool):
        """It is ready for the next statement."""
        with pytest.raises(asyncpg.UndefinedTableError):
            async with loan(pool):
                raise asyncpg.UndefinedTableError
        async with loan(pool) as wire:
            assert wire.number == 0

    async def test_a_closed_connection_is_replaced(self, pool: ConnectionPool, maker: Maker):
        """As after a restart of the server."""
        async with loan(pool):
            pass
        maker.made[0].closed = True
        async with loan(pool) as wire:
            assert wire.number == 1

    async def test_a_failure_to_connect_takes_no_place(self, pool: ConnectionPool, maker: Maker):
        """As often as it fails, afterwards there are as many as before."""
        maker.broken = True
        for _ in range(5):
            with pytest.raises(ConnectionError):
                async with loan(pool):
                    pass
        maker.broken = False
        async with loan(pool), loan(pool):
            assert pool.acquired == 2

    async def test_a_connection_returned_after_the_close_is_closed(self, pool: ConnectionPool, maker: Maker):
        """It does not stay open."""
        async with loan(pool):
            await pool.close()
        assert maker.made[0].closed


class TestTurns:
    """What a borrower wants first is done when it is his turn, before he is resumed."""

    async def test_the_next_statement_starts_when_a_connection_is_released(self, pool: ConnectionPool):
        """Without another iteration of the loop."""
        done: list[int] = []

        async def note(wire: Wire) -> int:
            done.append(wire.number)
            await asyncio.sleep(0)
            return wire.number

        async def acquire() -> int:
            wire, work = await pool.acquire(note)
            try:
                return int(await work)
            finally:
                pool.release(wire)

        enough = asyncio.Event()
        holders = await with_two_out(pool, enough)
        waiting = asyncio.create_task(acquire())
        await asyncio.sleep(0)
        enough.set()
        await holders[0]
        assert done == [0]
        assert not waiting.done()
        assert await waiting == 0
        await asyncio.gather(*holders)
        assert pool.acquired == 0

    async def test_it_runs_in_the_context_of_its_caller(self, pool: ConnectionPool):
        """Its records belong to the caller, not to the one that released the connection."""
        caller: ContextVar[str] = ContextVar("caller", default="unset")
        seen: list[str] = []

        async def note(wire: Wire) -> None:
            seen.append(caller.get())

        async def acquire(name: str) -> None:
            caller.set(name)
            wire, work = await pool.acquire(note)
            await work
            pool.release(wire)

        enough = asyncio.Event()
        holders = await with_two_out(pool, enough)
        waiting = [asyncio.create_task(acquire(name)) for name in ("first", "second")]
        await asyncio.sleep(0)
        enough.set()
        await asyncio.gather(*holders, *waiting)
        assert seen == ["first", "second"]

    async def test_its_failure_is_raised_to_its_caller(self, pool: ConnectionPool):
        """The releasing caller is not affected, and the connection stays open."""

        async def fail(wire: Wire) -> None:
            raise asyncpg.UndefinedTableError

        async def acquire() -> None:
            wire, work = await pool.acquire(fail)
            with pytest.raises(asyncpg.UndefinedTableError) as raised:
                await work
            pool.release(wire, raised.value)

        enough = asyncio.Event()
        holders = await with_two_out(pool, enough)
        waiting = asyncio.create_task(acquire())
        await asyncio.sleep(0)
        enough.set()
        await asyncio.gather(*holders, waiting)
        assert pool.acquired == 0

    async def test_a_connection_that_opens_for_a_cancelled_caller_is_closed(self):
        """Also if it is ready at the moment of the cancellation."""
        maker, ready = Maker(), asyncio.Event()

        async def connect() -> Wire:
            await ready.wait()
            return await maker()

        pool = ConnectionPool(connect, size=1, timeout=PATIENCE)
        waiting = asyncio.create_task(pool.acquire(_nothing))
        await asyncio.sleep(0)
        ready.set()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        connection, work = await pool.acquire(_nothing)
        await work

        assert (pool.acquired, [wire.closed for wire in maker.made]) == (1, [True, False])
        assert connection is maker.made[1]

    async def test_cancelling_a_running_statement_closes_the_connection(self, pool: ConnectionPool, maker: Maker):
        """Its next response is unknown; the place is free again."""
        never, begun = asyncio.Event(), asyncio.Event()

        async def begin(wire: Wire) -> None:
            begun.set()
            await never.wait()

        enough = asyncio.Event()
        holders = await with_two_out(pool, enough)
        waiting = asyncio.create_task(pool.acquire(begin))
        await asyncio.sleep(0)
        enough.set()
        while not begun.is_set():
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(*holders, waiting, return_exceptions=True)
        assert pool.acquired == 0
        assert [wire.closed for wire in maker.made] == [True, False]

    async def test_a_running_statement_can_be_cancelled(self, pool: ConnectionPool):
        """By the caller that waits for it."""
        never, stopped = asyncio.Event(), list[bool]()

        async def begin(wire: Wire) -> None:
            try:
                await never.wait()
            except asyncio.CancelledError:
                stopped.append(True)
                raise

        async def acquire() -> None:
            wire, work = await pool.acquire(begin)
            try:
                await work
            except asyncio.CancelledError as error:
                pool.release(wire, error)
                raise

        enough = asyncio.Event()
        holders = await with_two_out(pool, enough)
        waiting = asyncio.create_task(acquire())
        await asyncio.sleep(0)
        enough.set()
        await asyncio.gather(*holders)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert (stopped, pool.acquired) == ([True], 0)


class TestReadings:
    async def test_a_statement_that_times_out_is_unavailable(self, build: Builders, shared_database: Database):
        """The server cancels it, and the connection stays open."""
        connection, slow = await shared_database._pool.acquire(lambda each: each.execute("SET statement_timeout = 50"))
        await slow
        shared_database._pool.release(connection)
        with pytest.raises(Unavailable):
            async with shared_database.reading() as reading:
                await reading.run(Statement("SELECT pg_sleep(1)", (), {}), {})
        async with shared_database.reading() as reading:
            assert await reading.run(Statement("RESET statement_timeout", (), {}), {}) == []
            assert reading._connection is connection

    async def test_a_read_is_counted(self, build: Builders, shared_database: Database):
        """Like any other statement."""
        actor, before = await build.an_actor(Role.MODERATOR), shared_database.statements.count
        await self.ask(shared_database, task(actor, actor.user_id))
        assert shared_database.statements.count == before + 1

    async def ask(self, database: Database, asked: Query) -> list[Any]:
        """The titles of rows."""
        async with database.reading() as reading:
            return list(await reading.rows(Shape(("title",)), asked.rows, asked.values))
