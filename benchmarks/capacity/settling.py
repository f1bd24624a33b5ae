"""Waits until a server has nothing more to do for its sockets."""

import asyncio
from typing import Final

from benchmarks.process import ServerProcess

_SETTLE_SECONDS: Final = 1.0


async def settled_memory(server: ServerProcess) -> int:
    """Bytes of private memory, a second later."""
    await asyncio.sleep(_SETTLE_SECONDS)
    return server.memory
