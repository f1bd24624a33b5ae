"""Connections are lent to one borrower at a time, never more than there may be, and never one that is out of order."""

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

    async def test_there_are_never_more(self, pool: ConnectionPool, maker: Maker):
        """Whoever comes when all are out waits for his turn."""
        acquired: list[int] = []

        async def acquire() -> None:
            async with loan(pool):
                acquired.append(pool.acquired)
                await asyncio.sleep(0)

        await asyncio.gather(*(acquire() for _ in range(50)))
        assert len(acquired) == 50
        assert (max(acquired), len(maker.made)) == (2, 2)

    async def test_nobody_waits_for_ever(self, pool: ConnectionPool):
        """After a while it is said that all are out; and the next one has no trouble from that."""
        enough = asyncio.Event()
        holders = await with_two_out(pool, enough)
        with pytest.raises(TimeoutError):
            async with loan(pool):
                pass
        enough.set()
        await asyncio.gather(*holders)
        async with loan(pool):
            assert pool.acquired == 1

    async def test_who_stops_waiting_gives_his_turn_away(self, pool: ConnectionPool):
        """Of two who wait the first one leaves just when it is his turn: the second one gets it."""
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
    async def test_what_was_left_in_the_middle_is_not_lent_again(
        self, pool: ConnectionPool, maker: Maker, trouble: type[BaseException]
    ):
        """Nobody knows what would be read next from it."""
        with pytest.raises(trouble):
            async with loan(pool):
                raise trouble
        async with loan(pool) as wire:
            assert wire.number == 1
        assert maker.made[0].closed

    async def test_what_the_server_refuses_costs_no_connection(self, pool: ConnectionPool):
        """It is ready for the next question."""
        with pytest.raises(asyncpg.UndefinedTableError):
            async with loan(pool):
                raise asyncpg.UndefinedTableError
        async with loan(pool) as wire:
            assert wire.number == 0

    async def test_one_that_was_closed_meanwhile_is_replaced(self, pool: ConnectionPool, maker: Maker):
        """As all are when the server was started anew."""
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

    async def test_what_comes_back_late_is_closed(self, pool: ConnectionPool, maker: Maker):
        """A connection that was out while everything was closed does not stay open."""
        async with loan(pool):
            await pool.close()
        assert maker.made[0].closed


class TestTurns:
    """What a borrower wants first is done when it is his turn, before he is resumed."""

    async def test_it_is_begun_by_who_gives_back(self, pool: ConnectionPool):
        """Between two statements on one connection the loop does not go round."""
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

    async def test_it_is_done_in_the_borrowers_name(self, pool: ConnectionPool):
        """What is noted of it is noted for him, whoever gave the connection back."""
        caller: ContextVar[str] = ContextVar("who", default="nobody")
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

    async def test_a_failure_of_it_is_the_borrowers(self, pool: ConnectionPool):
        """Who gave back has no part in it, and the connection goes on."""

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

    async def test_who_goes_away_when_it_has_begun_takes_the_connection_along(self, pool: ConnectionPool, maker: Maker):
        """Nobody knows what would be read next from it; and the place is free again."""
        never = asyncio.Event()

        async def begin(wire: Wire) -> None:
            await never.wait()

        enough = asyncio.Event()
        holders = await with_two_out(pool, enough)
        waiting = asyncio.create_task(pool.acquire(begin))
        await asyncio.sleep(0)
        enough.set()
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(*holders, waiting, return_exceptions=True)
        assert pool.acquired == 0
        assert [wire.closed for wire in maker.made] == [True, False]

    async def test_cancelling_reaches_what_has_begun(self, pool: ConnectionPool):
        """Whoever waits for the end of it is the one who can stop it."""
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
    async def test_a_statement_that_takes_too_long_is_unavailable(self, build: Builders, shared_database: Database):
        """The server gives it up, the client is told to come back, and the connection goes on."""
        connection, slow = await shared_database._read_pool.acquire(
            lambda each: each.execute("SET statement_timeout = 50")
        )
        await slow
        shared_database._read_pool.release(connection)
        with pytest.raises(Unavailable):
            async with shared_database.reading() as reading:
                await reading.run(Statement("SELECT pg_sleep(1)", (), {}), {})
        async with shared_database.reading() as reading:
            assert await reading.run(Statement("RESET statement_timeout", (), {}), {}) == []
            assert reading._connection is connection

    async def test_it_is_counted(self, build: Builders, shared_database: Database):
        """A read is a statement like any other."""
        actor, before = await build.an_actor(Role.MODERATOR), shared_database.statements.count
        await self.ask(shared_database, task(actor, actor.user_id))
        assert shared_database.statements.count == before + 1

    async def ask(self, database: Database, asked: Query) -> list[Any]:
        """The titles of rows."""
        async with database.reading() as reading:
            return list(await reading.rows(Shape(("title",)), asked.rows, asked.values))
