"""From a commit to a listener in another process, with Redis and without."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from domain.user import Role
from embedded.valkey import Valkey
from streaming.subscription import Subscriber
from tests.streaming.support import Process, a_task_event, an_actor, receive_event, until
from tests.support.figures import Figures
from tests.timings.clock import timed

ADMIN = an_actor(Role.ADMIN)
EVENTS = 20

Pair = tuple[Process, Process]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A server to freeze."""
    with Valkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
async def pair(new_database: Callable[[], str], valkey: Valkey) -> AsyncIterator[Pair]:
    """Two processes."""
    url, channel = new_database(), f"timings:{uuid4()}"
    processes = Process(url, valkey.url, channel), Process(url, valkey.url, channel)
    for each in processes:
        await each.stream.start()
    await until(lambda: all(each.stream.healthy for each in processes))
    yield processes
    for each in processes:
        await each.stop()


async def measure(writer: Process, listener: Subscriber, figures: Figures, when: str) -> None:
    """Commit events and receive them, one after another."""
    committing: list[float] = []
    arriving: list[float] = []
    for _ in range(EVENTS):
        with timed(committing):
            await writer.record(a_task_event())
        with timed(arriving):
            await receive_event(listener)
    figures.times(f"commit of an event, {when}", committing)
    figures.times(f"event on its way to another process, {when}", arriving)


async def test_an_outage_of_redis(pair: Pair, valkey: Valkey, figures: Figures):
    """Before, during and after it."""
    writer, reader = pair
    async with reader.stream.subscribe(ADMIN, None, None) as listener:
        await measure(writer, listener, figures, "all well")
        valkey.freeze()
        await measure(writer, listener, figures, "Redis frozen")
        await asyncio.to_thread(valkey.thaw)
        back: list[float] = []
        with timed(back):
            await until(lambda: writer.stream.healthy and reader.stream.healthy)
        figures.times("Redis back until both processes use it again", back)
        await measure(writer, listener, figures, "Redis back")


async def test_numbering(pair: Pair, figures: Figures):
    """A batch of events gets its positions."""
    writer, _ = pair
    seconds: list[float] = []
    for _ in range(EVENTS):
        position = writer.stream.position
        async with writer.build.as_(None) as uow:
            for _ in range(100):
                uow.record(a_task_event())
            await uow.commit()
        with timed(seconds):
            await writer.reaches(position + 100)
    figures.times("hundred events from their commit until they are numbered and delivered", seconds)
