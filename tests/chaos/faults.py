"""The faults, one at a time; each function returns when the fault is over."""

import asyncio
import signal
from contextlib import suppress

from tests.chaos.fault_run import Fault
from tests.chaos.process import Process
from tests.chaos.stack import Stack

FROZEN_SECONDS = 2.0
"""Twice the lease."""


def _victim(stack: Stack, turn: int) -> Process:
    return stack.processes[turn % len(stack.processes)]


async def kill(stack: Stack, turn: int) -> None:
    """SIGKILL of a process, which is started again."""
    victim = _victim(stack, turn)
    victim.signal(signal.SIGKILL)
    await victim.ended()
    victim.launch()
    await victim.ready()


async def restart(stack: Stack, turn: int) -> None:
    """SIGTERM of a process, which is started again after it has ended."""
    victim = _victim(stack, turn)
    victim.signal(signal.SIGTERM)
    await victim.ended()
    victim.launch()
    await victim.ready()


async def freeze(stack: Stack, turn: int) -> None:
    """SIGSTOP of a process for longer than its lease."""
    victim = _victim(stack, turn)
    victim.signal(signal.SIGSTOP)
    await asyncio.sleep(FROZEN_SECONDS)
    victim.signal(signal.SIGCONT)


async def postgres_crash(stack: Stack, turn: int) -> None:
    """PostgreSQL is stopped like in a crash, and recovers."""
    await asyncio.to_thread(stack.postgres.stop, "immediate")
    await asyncio.to_thread(stack.postgres.start)


async def valkey_crash(stack: Stack, turn: int) -> None:
    """Valkey is killed, and starts again without data."""
    await asyncio.to_thread(stack.valkey.kill)
    await asyncio.sleep(0.4)
    await asyncio.to_thread(stack.valkey.start)


async def valkey_freeze(stack: Stack, turn: int) -> None:
    """Valkey is stopped: connections stay open, and nothing answers."""
    stack.valkey.freeze()
    await asyncio.sleep(FROZEN_SECONDS)
    stack.valkey.thaw()


async def both_crash(stack: Stack, turn: int) -> None:
    """Both servers at the same time."""
    await asyncio.gather(postgres_crash(stack, turn), valkey_crash(stack, turn))


async def cuts(stack: Stack, turn: int) -> None:
    """All connections of clients are cut, and cut again right after they are restored."""
    for _ in range(2):
        for proxy in stack.proxies:
            proxy.cut()
        await asyncio.sleep(0.3)


async def stalls(stack: Stack, turn: int) -> None:
    """No data passes between clients and processes for a while; then the connections of one proxy are cut."""
    for proxy in stack.proxies:
        proxy.stall()
    await asyncio.sleep(0.6)
    stack.proxies[turn % len(stack.proxies)].cut()
    for proxy in stack.proxies:
        proxy.flow()


async def delays(stack: Stack, turn: int) -> None:
    """All data is delayed."""
    for proxy in stack.proxies:
        proxy.delay = 0.05
    await asyncio.sleep(0.6)
    for proxy in stack.proxies:
        proxy.delay = 0.0


async def cut_off(stack: Stack, turn: int) -> None:
    """One process cannot reach the database for longer than its lease; then its connections are cut."""
    stack.database_wire.stall()
    await asyncio.sleep(FROZEN_SECONDS)
    stack.database_wire.cut()
    stack.database_wire.flow()


FAULTS: tuple[Fault[Stack], ...] = (
    kill,
    freeze,
    postgres_crash,
    cuts,
    valkey_crash,
    restart,
    stalls,
    cut_off,
    both_crash,
    valkey_freeze,
    delays,
)


async def undo(stack: Stack) -> None:
    """Undo what a failed fault has left, so that processes can end."""
    for process in stack.processes:
        with suppress(ProcessLookupError):
            process.signal(signal.SIGCONT)
