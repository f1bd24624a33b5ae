"""The lower bound of fan-out: bare ASGI, and a frame that is serialized once for all sockets."""

import asyncio
import os
from typing import Any, Final

from redis.asyncio import Redis

FRAME: Final = '{"id":"1","type":"next","payload":{"data":{"taskStatusChanged":%s}}}'
sends: set[Any] = set()
running: set[asyncio.Task[None]] = set()


async def deliver() -> None:
    """Send every published message to all sockets."""
    listener = Redis.from_url(os.environ["REDIS_URL"]).pubsub(ignore_subscribe_messages=True)
    await listener.subscribe(os.environ["CHANNEL"])
    async for message in listener.listen():
        frame = {"type": "websocket.send", "text": FRAME % message["data"].decode()}
        for send in list(sends):
            await send(frame)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """The server."""
    if scope["type"] == "lifespan":
        await receive()
        running.add(asyncio.create_task(deliver()))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        running.pop().cancel()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    sends.add(send)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    sends.discard(send)
