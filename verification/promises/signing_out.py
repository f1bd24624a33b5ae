"""Signing out takes effect everywhere within a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from verification.client.failures import Ended, Refused
from verification.client.socket import opened
from verification.promises.stack import Measured, Outcome, Stack

TIMES = 8
LIMIT_SECONDS = 1.0
TIMEOUT_SECONDS = 10.0
_ME = "{ me { id } }"
_LOGOUT = "mutation { logout { userErrors { code } } }"
_LISTEN = "subscription { taskChanged { cursor } }"


async def prove(stack: Stack) -> Measured:
    """Sign out at one process, and measure how long another one accepts the token and keeps the WebSocket open."""
    _, account = stack.new_user(stack.first)
    slowest_token = slowest_socket = 0.0
    for _ in range(TIMES):
        account.forget()
        token = await account.token()
        elsewhere = stack.api(stack.second)
        await elsewhere.ask(_ME, None, token)
        async with opened(elsewhere.socket_url, token) as socket:
            await socket.subscribe("1", _LISTEN, {})
            closed = asyncio.create_task(_closed(socket.receive()))
            await stack.api(stack.first).ask(_LOGOUT, None, token)
            began = time.monotonic()
            slowest_token = max(slowest_token, await _refused(elsewhere.ask, token, began))
            slowest_socket = max(slowest_socket, await closed - began)
    value = (
        f"{TIMES} times at another process: tokens within {slowest_token:.2f} s, sockets within {slowest_socket:.2f} s"
    )
    return Measured(value, Outcome.of(max(slowest_token, slowest_socket) < LIMIT_SECONDS))


async def _refused(ask: Callable[..., Awaitable[Any]], token: str, since: float) -> float:
    """The seconds until the token is refused."""
    while time.monotonic() - since < TIMEOUT_SECONDS:
        try:
            await ask(_ME, None, token)
        except Refused:
            break
        await asyncio.sleep(0.01)
    return time.monotonic() - since


async def _closed(receive: Awaitable[object]) -> float:
    """The time when the WebSocket was closed."""
    with suppress(Ended, Refused, TimeoutError):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await receive
    return time.monotonic()
