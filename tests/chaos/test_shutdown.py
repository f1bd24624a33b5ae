"""SIGTERM: a process ends in order, and a rolling restart of two processes loses no request."""

import asyncio
import itertools
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from sqlalchemy import text

from tests.chaos.fault_run import FaultRun
from tests.chaos.outcome import details
from tests.chaos.process import Process
from tests.chaos.stack import PASSWORD, Stack
from tests.support.figures import Figures
from tests.support.transactions import orm_session
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import Socket, connected
from verification.client.account import Account
from verification.client.failures import Failed, Refused
from verification.client.writer import TaskWriter

SOCKETS = 200
SHUTDOWN_SECONDS = 60
HUNG_SHUTDOWN_SECONDS = 3


@asynccontextmanager
async def many_sockets(process: Process, many: int) -> AsyncIterator[list[Socket]]:
    """Acknowledged sockets."""
    url = f"http://127.0.0.1:{process.port}"
    async with AsyncExitStack() as stack:
        sockets = await asyncio.gather(*(stack.enter_async_context(connected(url)) for _ in range(many)))
        await asyncio.gather(*(socket.init() for socket in sockets))
        yield list(sockets)


async def farewell(socket: Socket) -> tuple[float, int]:
    """When a socket was closed, and with which code."""
    code, _ = await socket.closed()
    return time.monotonic(), code


async def is_not_ready(process: Process) -> None:
    """Wait until /readyz fails."""
    async with httpx.AsyncClient(timeout=HANG_SECONDS) as client, asyncio.timeout(HANG_SECONDS):
        while (await client.get(f"http://127.0.0.1:{process.port}/readyz")).status_code != 503:
            await asyncio.sleep(0.01)


async def is_waiting_for_a_lock(stack: Stack) -> None:
    """Wait until a statement waits for a lock on a row."""
    waiting = text("SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with stack.database.connect() as connection, asyncio.timeout(HANG_SECONDS):
        while not await connection.scalar(waiting):
            await connection.rollback()


async def test_shutdown_with_many_sockets(stack: Stack, figures: Figures):
    """Readiness fails, requests are answered, new sockets are refused, and open sockets get 1012."""
    process = stack.another_process("leaving", SHUTDOWN_SECONDS=str(SHUTDOWN_SECONDS))
    await stack.a_user("leaver")
    async with process:
        await process.ready()
        writer = TaskWriter(Account(lambda: process.api, "leaver", PASSWORD), "leaver")
        task = await writer.create()
        assert task is not None
        async with many_sockets(process, SOCKETS - 1) as sockets, orm_session(stack.database) as blocker:
            await blocker.execute(text("SELECT 1 FROM tasks WHERE id = :id FOR UPDATE"), {"id": task.facts.task_id})
            under_way = asyncio.create_task(writer.edit(task))
            await is_waiting_for_a_lock(stack)
            farewells = [asyncio.create_task(farewell(socket)) for socket in sockets]
            begun = time.monotonic()
            process.signal(signal.SIGTERM)
            await is_not_ready(process)
            await blocker.rollback()
            answered = await under_way
            async with connected(f"http://127.0.0.1:{process.port}") as late:
                turned_away, _ = await late.closed()
            times, codes = zip(*await asyncio.gather(*farewells), strict=True)
        status = await process.ended(2 * SHUTDOWN_SECONDS)
        left = time.monotonic() - begun
    figures.note(
        f"SIGTERM with {len(sockets)} sockets: closed with {set(codes)} over {max(times) - min(times):.2f} s,"
        f" new sockets {turned_away}, exit {status} after {left:.2f} s"
    )

    assert turned_away == 1012
    assert answered is not None
    assert set(codes) == {1012}
    assert status == 0
    assert process.logged_errors() == []


async def test_shutdown_with_a_hung_request(stack: Stack, figures: Figures):
    """A request whose body never ends does not delay the shutdown."""
    process = stack.another_process("hung", SHUTDOWN_SECONDS=str(HUNG_SHUTDOWN_SECONDS))
    async with process:
        await process.ready()
        _, writer = await asyncio.open_connection("127.0.0.1", process.port)
        head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        writer.write(f"{head}{json.dumps({'query': '{'})}".encode())
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        process.signal(signal.SIGTERM)
        await process.ended()
        writer.transport.abort()
    figures.note(
        f"SIGTERM with a hung request and SHUTDOWN_SECONDS={HUNG_SHUTDOWN_SECONDS}:"
        f" exit {process.child.returncode} after {time.monotonic() - begun:.2f} s"
    )


class Retrying:
    """Edits that are repeated if the server was unavailable or did not answer."""

    def __init__(self, stack: Stack, name: str) -> None:
        # The other process each time: what two do in step must not send one of them to the dead one again and again.
        places = itertools.cycle([process.api for process in stack.processes])
        self._account = Account(lambda: next(places), name, PASSWORD)
        self.done = 0
        self.tries = 0
        self.given_up: list[str] = []

    async def go_on(self) -> None:
        """Write until cancelled."""
        while True:
            await self._once()
            await asyncio.sleep(0.02)

    async def _once(self) -> None:
        for pause in (0.05, 0.1, 0.2, 0.4):
            self.tries += 1
            try:
                await self._account.ask("{ me { id } tasks(first: 5) { nodes { id } } }")
            except Failed as failed:
                if isinstance(failed, Refused) and failed.code != "UNAVAILABLE":
                    self.given_up.append(f"{failed.code} {failed}")
                    return
                await asyncio.sleep(pause)
            else:
                self.done += 1
                return
        self.given_up.append("tried four times")


async def test_a_rolling_restart(stack: Stack, figures: Figures):
    """Two processes are restarted one after another under load: no repeated request fails, and no event is lost."""
    load = FaultRun(stack, prefix="rolling.", seed=11)
    async with load.running():
        retrying = [Retrying(stack, f"rolling.{name}") for name in ("alice", "bob")]
        tasks = [asyncio.create_task(each.go_on()) for each in retrying]
        begun = time.monotonic()
        for process in stack.processes:
            process.signal(signal.SIGTERM)
            await process.ended()
            process.launch()
            await process.ready()
        await load.settle("rolling restart")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await load.settle("the end")
    outcome = await load.outcome(1, time.monotonic() - begun)
    done, tries = sum(each.done for each in retrying), sum(each.tries for each in retrying)
    figures.note(f"rolling restart: {done} requests took {tries} tries; {outcome.line()}")

    assert [each.given_up for each in retrying] == [[], []]
    assert outcome.report.findings == [], "\n".join(details(outcome))
    assert outcome.logged_errors == []
