"""Clients that repeat a request until it succeeds, as docs/errors.md tells them to."""

import asyncio
import itertools
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import select

from persistence.database import Database
from persistence.models import TaskRow
from tests.support.transactions import orm_session
from tests.support.waiting import HANG_SECONDS
from verification.client.failures import Away, Failed, Refused, Unreachable
from verification.client.http import Api

GOOD: Final = "good"
INTERVAL_SECONDS: Final = 0.1
_PAUSES: Final = (0.25, 0.5, 1.0)
"""Before the second, the third and all later attempts."""
_TITLE: Final = "Request "
_READ: Final = "{ tasks(first: 5) { nodes { id } } }"
_CREATE: Final = "mutation ($title: String!) { createTask(input: {title: $title}) { task { id } userErrors { code } } }"


@dataclass(frozen=True)
class Attempt:
    """One attempt at one process: its result is `GOOD`, an error code, or why there was no answer."""

    begun: float
    seconds: float
    result: str

    @property
    def ended(self) -> float:
        """When the client knew the result."""
        return self.begun + self.seconds


@dataclass
class Request:
    """A read, or the creation of a task with this title."""

    title: str | None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Whether the last attempt did."""
        return bool(self.attempts) and self.attempts[-1].result == GOOD

    @property
    def seconds(self) -> float:
        """From the first attempt to the result of the last one."""
        return self.attempts[-1].ended - self.attempts[0].begun


class RetryingClients:
    """One user's clients. Requests begin at an *interval*, reads and changes in turn, each at the next process.

    None waits for another, but at most *most_open* are open: a slow machine is not overloaded. After UNAVAILABLE, a
    time-out or a broken connection a request is repeated at the next process, with the same idempotency key. Another
    error is final.
    """

    def __init__(self, apis: Sequence[Api], token: str, *, most_open: int, interval: float = INTERVAL_SECONDS) -> None:
        self.requests: list[Request] = []
        self._most_open = most_open
        self._interval = interval
        self._open = 0
        self._apis = apis
        self._token = token
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["RetryingClients"]:
        """Begin requests as long as the block runs, and wait until all of them have ended."""
        beginning = asyncio.create_task(self._begin())
        try:
            yield self
        finally:
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)
            async with asyncio.timeout(HANG_SECONDS):
                await asyncio.gather(*self._tasks)

    async def succeed(self, more: int) -> None:
        """Wait until this number of requests that begin from now on have succeeded at their first attempt."""
        first = len(self.requests)
        async with asyncio.timeout(HANG_SECONDS):
            while sum(each.succeeded and len(each.attempts) == 1 for each in self.requests[first:]) < more:
                await asyncio.sleep(0.02)

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts of all requests."""
        return [attempt for request in self.requests for attempt in request.attempts]

    @property
    def refused(self) -> list[str]:
        """The results of requests that were not repeated and did not succeed."""
        return [each.attempts[-1].result for each in self.requests if not each.succeeded]

    async def _begin(self) -> None:
        for number in itertools.count():
            while self._open >= self._most_open:
                await asyncio.sleep(0.02)
            title = f"{_TITLE}{number}" if number // len(self._apis) % 2 else None
            request = Request(title)
            self.requests.append(request)
            self._open += 1
            self._tasks.append(asyncio.create_task(self._finish(request, number)))
            await asyncio.sleep(self._interval)

    async def _finish(self, request: Request, place: int) -> None:
        key = str(uuid.uuid4())
        for turn in itertools.count():
            api = replace(self._apis[(place + turn) % len(self._apis)], headers={"Idempotency-Key": key})
            if not await self._attempt(request, api):
                self._open -= 1
                return
            await asyncio.sleep(_PAUSES[min(turn, len(_PAUSES) - 1)])

    async def _attempt(self, request: Request, api: Api) -> bool:
        """Make an attempt; returns whether another one should follow."""
        begun, result, again = time.monotonic(), GOOD, False
        try:
            await self._ask(request, api)
        except Failed as failed:
            again = isinstance(failed, Away | Unreachable)
            result = failed.code if isinstance(failed, Refused) else f"no answer: {failed}"
        request.attempts.append(Attempt(begun, time.monotonic() - begun, result))
        return again

    async def _ask(self, request: Request, api: Api) -> None:
        if request.title is None:
            await api.ask(_READ, token=self._token)
            return
        answer = (await api.ask(_CREATE, {"title": request.title}, self._token))["createTask"]
        for error in answer["userErrors"]:
            raise Refused(error["code"], request.title)


async def unexpected_tasks(clients: RetryingClients, database: Database) -> list[str]:
    """The titles of creations that did not take effect exactly once, with the number of their tasks."""
    async with orm_session(database) as session:
        found = Counter(await session.scalars(select(TaskRow.title).where(TaskRow.title.like(f"{_TITLE}%"))))
    asked = [each.title for each in clients.requests if each.title is not None]
    return [f"{title}: {found[title]} tasks" for title in asked if found[title] != 1]
