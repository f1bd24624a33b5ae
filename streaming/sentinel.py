"""Finds the master of a service by asking all Sentinels at once."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from streaming.redis_url import Address

GRACE_SECONDS: Final = 0.1
"""How long the answers of the other Sentinels are waited for after the first one."""
_FRESH_SECONDS: Final = 0.2
"""How long an answer is used again: many connections may be opened at once."""


class MasterNotFound(RedisConnectionError):
    """No Sentinel names a master."""


class UnknownService(ResponseError):
    """The Sentinels answer, and do not know the service or refuse the user."""


class Sentinels:
    """The Sentinels of one service.

    They are asked at once, because one that does not answer must not delay the others. If they disagree, the answer
    with the highest configuration epoch is the newest.
    """

    def __init__(self, clients: Sequence[Redis], service: str) -> None:
        """*clients* are connected to one Sentinel each, and have a timeout."""
        self._clients = clients
        self._service = service
        self._lock = asyncio.Lock()
        self._found: Address | None = None
        self._found_at = 0.0

    async def master(self) -> Address:
        """The address of the current master.

        Raises:
            MasterNotFound: no Sentinel answers.
            UnknownService: the Sentinels that answer do not name a master.
        """
        async with self._lock:
            if self._found is None or time.monotonic() - self._found_at > _FRESH_SECONDS:
                self._found = None
                self._found, self._found_at = await self._ask(), time.monotonic()
            return self._found

    async def states(self) -> list[dict[str, Any] | BaseException]:
        """The state of the master as each Sentinel sees it, or the error of a Sentinel that does not answer."""
        return await asyncio.gather(*(self._state(client) for client in self._clients), return_exceptions=True)

    async def aclose(self) -> None:
        """Close the connections."""
        for client in self._clients:
            await client.aclose()

    async def _ask(self) -> Address:
        answers = await self._answers()
        states: list[dict[str, Any]] = [each for each in answers if isinstance(each, dict)]
        if not states:
            raise self._failure([each for each in answers if isinstance(each, BaseException)])
        newest = max(states, key=lambda state: (int(state["config-epoch"]), not state["is_sdown"]))
        return str(newest["ip"]), int(newest["port"])

    def _failure(self, errors: Sequence[BaseException]) -> RedisError:
        refusals = [each for each in errors if isinstance(each, ResponseError | AuthenticationError)]
        if refusals:
            return UnknownService(f"the Sentinels name no master of {self._service}: {refusals[0]}")
        reason = str(errors[0]) if errors else "timeout"
        return MasterNotFound(f"no Sentinel names the master of {self._service}: {reason}")

    async def _answers(self) -> list[dict[str, Any] | BaseException]:
        """The answers and errors; those that come too late are missing."""
        waiting = {asyncio.create_task(self._state(client)) for client in self._clients}
        tasks = set(waiting)
        try:
            is_answered = False
            while waiting:
                done, waiting = await asyncio.wait(
                    waiting,
                    timeout=GRACE_SECONDS if is_answered else None,
                    return_when=asyncio.ALL_COMPLETED if is_answered else asyncio.FIRST_COMPLETED,
                )
                if is_answered:
                    break
                is_answered = any(each.exception() is None for each in done)
            return [each.exception() or each.result() for each in tasks - waiting]
        finally:
            await _cancel(waiting)

    async def _state(self, client: Redis) -> dict[str, Any]:
        state = await client.sentinel_master(self._service)
        if not isinstance(state, dict):
            raise ResponseError("the answer is not the state of a master")
        return state


async def _cancel(tasks: set[asyncio.Task[dict[str, Any]]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
