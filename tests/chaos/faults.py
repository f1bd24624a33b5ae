"""What can happen to a stack, one thing at a time; each returns when it is over."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.chaos.process import Process
from tests.chaos.stack import Stack

Fault = Callable[[Stack, int], Awaitable[None]]
"""What happens, in which round: the round decides whom it hits."""

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
    """SIGTERM of a process, which is started again when it has left."""
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
    """PostgreSQL is stopped as by a crash, and recovers."""
    await asyncio.to_thread(stack.postgres.stop, "immediate")
    await asyncio.to_thread(stack.postgres.start)


async def valkey_crash(stack: Stack, turn: int) -> None:
    """Valkey is killed, and is back, empty, a little later."""
    await asyncio.to_thread(stack.valkey.kill)
    await asyncio.sleep(0.4)
    await asyncio.to_thread(stack.valkey.start)


async def valkey_freeze(stack: Stack, turn: int) -> None:
    """Valkey holds its breath: connections stay, nothing answers."""
    stack.valkey.freeze()
    await asyncio.sleep(FROZEN_SECONDS)
    stack.valkey.thaw()


async def both_crash(stack: Stack, turn: int) -> None:
    """Both servers at the same time."""
    await asyncio.gather(postgres_crash(stack, turn), valkey_crash(stack, turn))


async def cuts(stack: Stack, turn: int) -> None:
    """Every client's connection is broken, and once more just after they came back."""
    for _ in range(2):
        for proxy in stack.proxies:
            proxy.cut()
        await asyncio.sleep(0.3)


async def stalls(stack: Stack, turn: int) -> None:
    """Nothing passes between clients and processes for a while; at the end one door's connections break."""
    for proxy in stack.proxies:
        proxy.stall()
    await asyncio.sleep(0.6)
    stack.proxies[turn % len(stack.proxies)].cut()
    for proxy in stack.proxies:
        proxy.flow()


async def delays(stack: Stack, turn: int) -> None:
    """Every piece that passes is late."""
    for proxy in stack.proxies:
        proxy.delay = 0.05
    await asyncio.sleep(0.6)
    for proxy in stack.proxies:
        proxy.delay = 0.0


async def cut_off(stack: Stack, turn: int) -> None:
    """One process loses sight of the database, longer than its lease, and its connections break in the end."""
    stack.database_wire.stall()
    await asyncio.sleep(FROZEN_SECONDS)
    stack.database_wire.cut()
    stack.database_wire.flow()


FAULTS: tuple[Fault, ...] = (
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
    """Whatever a fault left undone when it failed, so that processes can end."""
    for process in stack.processes:
        with suppress(ProcessLookupError):
            process.signal(signal.SIGCONT)
