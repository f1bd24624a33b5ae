"""A hundred sign-outs: how long a token is still accepted, and a socket stays open, after the acknowledgement."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest
from websockets.exceptions import ConnectionClosed

from tests.chaos.stack import PASSWORD, Stack
from tests.support.figures import Figures, percentile
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import connected
from verification.client.account import Account
from verification.client.failures import Failed, Refused
from verification.client.http import Api

PROMISED_SECONDS = 1.0
"""By the process's own clock: a busy machine makes a request late, and a late one is the sooner refused."""
WATCHED_SECONDS = 1.4

Trouble = Callable[[Stack], AbstractAsyncContextManager[None]]


@dataclass
class Revoked:
    """One session, in seconds after its sign-out was acknowledged. `believed` is the start of the last request that its
    token authenticated; `closed` and `code` are those of a socket, which a process without a database cannot close
    before it knows of the sign-out.
    """

    believed: float = 0.0
    closed: float | None = None
    code: int | None = None


@asynccontextmanager
async def healthy(stack: Stack) -> AsyncIterator[None]:
    """No fault."""
    yield


@asynccontextmanager
async def notifier_down(stack: Stack) -> AsyncIterator[None]:
    """Redis is down."""
    await asyncio.to_thread(stack.valkey.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(stack.valkey.start)


@asynccontextmanager
async def frozen(stack: Stack) -> AsyncIterator[None]:
    """The process that answers is stopped while the sessions are ended at the other process, and continues later."""
    stack.processes[0].signal(signal.SIGSTOP)
    loop = asyncio.get_running_loop()
    thaw = loop.call_later(1.3, stack.processes[0].signal, signal.SIGCONT)
    try:
        yield
    finally:
        thaw.cancel()
        stack.processes[0].signal(signal.SIGCONT)


@asynccontextmanager
async def cut_off(stack: Stack) -> AsyncIterator[None]:
    """The process that answers can reach neither the database nor Redis."""
    stack.database_wire.stall()
    stack.valkey_wire.stall()
    try:
        yield
    finally:
        for wire in (stack.database_wire, stack.valkey_wire):
            wire.cut()
            wire.flow()


@pytest.mark.parametrize(("trouble", "many"), [(healthy, 40), (notifier_down, 20), (frozen, 20), (cut_off, 20)])
async def test_a_revoked_session_ends_within_a_second(stack: Stack, figures: Figures, trouble: Trouble, many: int):
    """A sign-out holds on the other process within a second of its acknowledgement, with any of the faults."""
    name = f"user.{trouble.__name__}"
    await stack.a_user(name)
    asked = Api(stack.processes[0].api.url, timeout=HANG_SECONDS)
    accounts = [Account(lambda: stack.processes[1].api, name, PASSWORD) for _ in range(many)]
    tokens = [await account.token() for account in accounts]
    async with asyncio.timeout(HANG_SECONDS):
        found = await _revoke(stack, asked, accounts, tokens, trouble)
    believed = [each.believed for each in found]
    closed = [each.closed for each in found if each.closed is not None]
    codes = {each.code for each in found}
    figures.note(
        f"{many} sign-outs, {trouble.__name__}: believed p50 {1000 * percentile(believed, 0.5):.0f} ms,"
        f" p99 {1000 * percentile(believed, 0.99):.0f} ms; sockets closed with {codes}"
        f" p50 {1000 * percentile(closed, 0.5):.0f} ms, p99 {1000 * percentile(closed, 0.99):.0f} ms"
    )

    assert max(believed) <= PROMISED_SECONDS
    assert codes == {4403}


async def _revoke(
    stack: Stack, asked: Api, accounts: list[Account], tokens: list[str], trouble: Trouble
) -> list[Revoked]:
    """Open a socket for each session, inject the fault, sign all users out, and watch."""
    ready = [asyncio.Event() for _ in accounts]
    go = asyncio.Event()
    watching = [
        asyncio.create_task(_watch(asked, account, token, here, go))
        for account, token, here in zip(accounts, tokens, ready, strict=True)
    ]
    await asyncio.gather(*(each.wait() for each in ready))
    async with trouble(stack):
        go.set()
        await asyncio.sleep(WATCHED_SECONDS + 0.1)
    return await asyncio.gather(*watching)


async def _watch(asked: Api, account: Account, token: str, ready: asyncio.Event, go: asyncio.Event) -> Revoked:
    found = Revoked()
    async with connected(asked.url.removesuffix("/graphql")) as socket:
        await socket.init({"token": token})
        await asked.ask("{ me { id } }", token=token)  # so that the process remembers the token
        ready.set()
        await go.wait()
        await account.sign_out()
        acked = time.monotonic()
        asking = asyncio.create_task(_ask(asked, token, acked, found))
        try:
            async with asyncio.timeout(HANG_SECONDS):
                while True:
                    await socket.connection.recv()
        except ConnectionClosed as closed:
            found.closed = time.monotonic() - acked
            found.code = closed.rcvd.code if closed.rcvd else None
        await asking
    return found


async def _ask(asked: Api, token: str, acked: float, found: Revoked) -> None:
    """Send requests with a revoked token until it is refused."""
    while time.monotonic() < acked + WATCHED_SECONDS:
        begun = time.monotonic() - acked
        try:
            await asked.ask("{ me { id } }", token=token)
        except Failed as failed:
            if isinstance(failed, Refused) and failed.code not in ("UNAUTHENTICATED", "UNAVAILABLE"):
                raise
        else:
            found.believed = max(found.believed, begun)
        await asyncio.sleep(0.05)
