"""The memory of an idle socket: connected, signed in and subscribed, without events.

    make bench-idle              or  python -m benchmarks.idle [--sockets 5000]

It counts the private pages of the server process, without the buffers of the kernel.
"""

import argparse
import asyncio
from typing import Final

import uvloop

from benchmarks.listeners import listening
from benchmarks.process import serving
from benchmarks.stream import QUERY
from benchmarks.stream_scenario import World, a_world, servers
from cli.output import say

WARM_UP: Final = 50
SETTLE_SECONDS: Final = 1.0


async def measure(database_url: str, redis_url: str, world: World, sockets: int) -> float:
    """Bytes for each socket, without the first fifty, which also fill caches of the process."""
    with serving(database_url, redis_url, shared=True) as server:
        async with listening(server.port, QUERY, world.tokens(WARM_UP)):
            await asyncio.sleep(SETTLE_SECONDS)
            before = server.memory
            async with listening(server.port, QUERY, world.tokens(sockets)) as group:
                await asyncio.sleep(SETTLE_SECONDS)
                if group.lost:
                    raise RuntimeError(f"{group.lost} sockets were lost")
                return (server.memory - before) / sockets


async def run(sockets: int) -> None:
    """Measure once, and print the result."""
    with servers() as running:
        async with a_world(running.database_url, running.redis_url) as world:
            each = await measure(running.database_url, running.redis_url, world, sockets)
    say(f"{sockets:,} idle subscribed sockets: {each / 1_000:.1f} kB each")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sockets", type=int, default=5_000)
    uvloop.run(run(parser.parse_args().sockets))


if __name__ == "__main__":
    main()
