"""Faults of Redis: no write waits, events arrive a little later, and soon on time again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.chaos.latency import steady_writes
from tests.chaos.stack import Stack
from tests.support.figures import Figures

HURT_SECONDS = 1.0
BACK_SECONDS = 2.0
"""After this events are in time again, on a machine that has time."""

Hurt = Callable[[Stack], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def killed(stack: Stack) -> AsyncIterator[None]:
    """Killed, and started again at the end of the block."""
    await asyncio.to_thread(stack.valkey.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(stack.valkey.start)


@asynccontextmanager
async def frozen(stack: Stack) -> AsyncIterator[None]:
    """Stopped by a signal."""
    stack.valkey.freeze()
    try:
        yield
    finally:
        stack.valkey.thaw()


@asynccontextmanager
async def swallowed(stack: Stack) -> AsyncIterator[None]:
    """The connections of the writing process stay open, and no data passes."""
    stack.valkey_wire.stall()
    try:
        yield
    finally:
        stack.valkey_wire.flow()


@pytest.mark.parametrize("hurt", [killed, frozen, swallowed])
async def test_without_redis_events_arrive_by_polling(stack: Stack, figures: Figures, hurt: Hurt):
    """No write fails, and every event arrives; the delay is measured."""
    async with steady_writes(stack, f"redis.{hurt.__name__}") as steady:
        await steady.stretch(0.2)
        before = await steady.stretch(0.5)
        async with hurt(stack):
            meanwhile = await steady.stretch(HURT_SECONDS)
        await asyncio.sleep(BACK_SECONDS)
        after = await steady.stretch(0.4)
        failures = steady.writer.failures
    ratio = meanwhile.median_write / before.median_write
    figures.note(f"Valkey {hurt.__name__}: {meanwhile.line()}; writes take {ratio:.2f} of before")
    figures.note(f"Valkey {hurt.__name__}, {BACK_SECONDS:.0f} s after its return: {after.line()}")

    assert not failures
