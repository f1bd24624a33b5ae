"""A server without free connections: the process uses those that it has, and refuses no request."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from domain.actor import OPERATOR
from domain.errors import Unavailable
from domain.events import AccessChange, AccessEvent
from persistence import database as engine_module
from persistence.database import Database
from persistence.group_commit import MAX_BATCH_SIZE
from persistence.queries.connection_pool import ConnectionPool
from persistence.queries.statement import Statement
from persistence.queries.task_list import EVERYTHING
from persistence.unit_of_work import UnitOfWork
from tests.persistence.test_connection_pool import Maker, Wire
from tests.support.waiting import HANG_SECONDS

_numbers = count()
LIMITED = """
CREATE ROLE {name} LOGIN PASSWORD 'limited' CONNECTION LIMIT 2;
GRANT ALL ON ALL TABLES IN SCHEMA public TO {name};
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}
"""
ONE = Statement("SELECT 1", (), {})


@pytest.fixture
async def limited(new_database: Callable[[], str]) -> AsyncIterator[Database]:
    """A database whose server allows two connections to a process with two pools of ten."""
    owner, name = Database(new_database(), pool_size=1), f"limited_{next(_numbers)}"
    async with owner.engine.begin() as connection:
        for statement in LIMITED.format(name=name).split(";"):
            await connection.execute(text(statement))
    url = owner.engine.url.set(username=name, password="limited")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_module, "POOL_TIMEOUT_SECONDS", 60)
        database = Database(url.render_as_string(hide_password=False), pool_size=10)
    yield database
    await database.close()
    await owner.close()


async def read(database: Database) -> None:
    """A single statement."""
    async with database.reading() as reading:
        await reading.run(ONE, {})


async def count_tasks(database: Database) -> None:
    """A unit of work."""
    async with database.unit_of_work(OPERATOR) as uow:
        await uow.tasks.count(EVERYTHING)


async def write(database: Database) -> None:
    """A group commit: two batches at the same time need two connections."""
    async with database.unit_of_work(OPERATOR) as uow:
        uow.record(AccessEvent(uuid4(), AccessChange.ENABLED, None, None, uuid4(), datetime.now(UTC), None))
        await uow.commit()


async def read_log(database: Database) -> None:
    """A statement of the log, which has its own pool."""
    async with database.log() as log:
        await log.head()


@pytest.mark.parametrize(("request_of", "pool"), [(read, 0), (count_tasks, 0), (read_log, 1)])
async def test_existing_connections_serve_all(limited: Database, request_of: Any, pool: int):
    """Many concurrent callers, repeatedly."""
    await request_of(limited)
    for _ in range(5):
        await asyncio.gather(*(request_of(limited) for _ in range(30)))
    assert limited.refused_connections[pool] > 0
    assert limited.refused_connections[1 - pool] == 0


async def test_one_connection_serves_all_batches(limited: Database):
    """The other one of the server belongs to another client."""
    async with limited.connect() as place:
        await place.execute(text("SELECT 1"))
        await write(limited)
        for _ in range(5):
            await asyncio.gather(*(write(limited) for _ in range(2 * MAX_BATCH_SIZE + 1)))
    assert limited.recorded == 1 + 5 * (2 * MAX_BATCH_SIZE + 1)


async def test_where_there_is_none_it_is_said(limited: Database):
    """Without a single connection to wait for, the request fails at once."""
    async with limited.connect() as one, limited.connect() as two:
        await one.execute(text("SELECT 1"))
        await two.execute(text("SELECT 1"))
        for request_of in (read, count_tasks, write, read_log):
            with pytest.raises(Unavailable):
                await request_of(limited)


@pytest.mark.parametrize("request_of", [read, count_tasks, read_log])
async def test_attempts_that_fail_together_fail_at_once(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, request_of: Any
):
    """A caller waits while others connect, until their attempts fail, too."""
    database, all_try, tries = Database(new_database(), pool_size=4), asyncio.Event(), count(1)

    async def refuse(*_: Any, **__: Any) -> None:
        if next(tries) == 4:
            all_try.set()
        await all_try.wait()
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncpg, "connect", refuse)
    async with asyncio.timeout(HANG_SECONDS / 2):  # the pools wait for a connection for HANG_SECONDS
        outcomes = await asyncio.gather(*(request_of(database) for _ in range(4)), return_exceptions=True)
    assert [type(each) for each in outcomes] == [Unavailable] * 4
    await database.close()


async def test_a_lost_connection_leaves_the_others(limited: Database):
    """Another client took its place: the other connection serves all."""
    held: list[UnitOfWork] = []
    async with AsyncExitStack() as stack:
        for _ in range(2):
            held.append(await stack.enter_async_context(limited.unit_of_work(OPERATOR)))
            await held[-1].transaction.fetch("SELECT 1")
        ended = await held[0].transaction.value("SELECT pg_backend_pid()")
        await held[1].transaction.fetch("SELECT pg_terminate_backend($1, 10000)", ended)
    place = await asyncpg.connect(_dsn(limited))
    await asyncio.gather(*(count_tasks(limited) for _ in range(20)))
    await place.close()
    assert limited.refused_connections[0] > 0


def _dsn(database: Database) -> str:
    return database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


class TestPool:
    async def test_connection_attempts_are_limited(self):
        """The server is tried once in a while, whatever the number of waiting callers."""
        maker, tries = Maker(), count()

        async def connect() -> Wire:
            next(tries)
            return await maker()

        pool = ConnectionPool(connect, size=5, timeout=60)
        first = await pool.acquire(_nothing)
        maker.broken = True
        waiting = [asyncio.create_task(_acquire(pool)) for _ in range(20)]
        while len(pool._waiters) < 20:
            await asyncio.sleep(0)
        await first.work
        pool.release(first.connection)
        await asyncio.gather(*waiting)
        assert next(tries) == 1 + pool.refused
        assert pool.refused <= 4
        assert (len(maker.made), pool.acquired) == (1, 0)

    async def test_a_connection_released_during_a_failed_attempt_is_used(self):
        """Nobody else would release one."""
        maker, tries, fail = Maker(), asyncio.Event(), asyncio.Event()

        async def connect() -> Wire:
            if maker.made:
                tries.set()
                await fail.wait()
                raise ConnectionRefusedError
            return await maker()

        pool = ConnectionPool(connect, size=2, timeout=2 * HANG_SECONDS)
        first = await pool.acquire(_nothing)
        second = asyncio.create_task(_acquire(pool))
        await tries.wait()
        await first.work
        pool.release(first.connection)
        fail.set()
        async with asyncio.timeout(HANG_SECONDS):
            await second
        assert (len(maker.made), pool.acquired) == (1, 0)

    async def test_the_order_of_waiting_is_preserved(self):
        """A caller that has to wait again keeps its place and its time-out."""
        maker, served = Maker(), list[int]()
        pool = ConnectionPool(maker, size=2, timeout=60)

        async def acquire(number: int) -> None:
            loan = await pool.acquire(_nothing)
            await loan.work
            served.append(number)
            pool.release(loan.connection)

        one, two = await pool.acquire(_nothing), await pool.acquire(_nothing)
        await asyncio.gather(one.work, two.work)
        waiting = [asyncio.create_task(acquire(number)) for number in range(3)]
        while len(pool._waiters) < 3:
            await asyncio.sleep(0)
        maker.broken = True
        pool.release(one.connection, ConnectionError())  # there is room, but nothing to fill it with
        while pool.refused == 0:
            await asyncio.sleep(0)
        pool.release(two.connection)
        await asyncio.gather(*waiting)
        assert served == [0, 1, 2]


async def _nothing(connection: Wire) -> None:
    """What is wanted of it."""


async def _acquire(pool: ConnectionPool) -> None:
    loan = await pool.acquire(_nothing)
    await loan.work
    pool.release(loan.connection)
