"""Redis for decisions that cannot wait: an answer within its time, or none."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis

MAX_CONNECTIONS: Final = 32

_log: Final = logging.getLogger("taskriver.limits")


def redis_client(url: str, *, seconds: float) -> Redis:
    """A client whose requests have so many *seconds* each, and no second attempt.

    When all connections are in use, a request waits for one: a burst of sign-ins is no failure of Redis.
    """
    return Redis.from_pool(
        BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=seconds,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=None,
        )
    )


class RedisWithTimeout:
    """Runs scripts in Redis, which has *patience* seconds to answer.

    If it does not, it is left alone for *pause* seconds, then one request tries again: a frozen Redis costs one
    request a second its patience, and the others nothing.
    """

    def __init__(self, redis: Redis, *, patience: float, pause: float) -> None:
        """Take a client, whose own timeouts and retries are overruled."""
        self._redis = redis
        self._patience = patience
        self._pause = pause
        self._paused_until: float | None = None

    async def run(self, script: str, keys: Sequence[str], args: Sequence[str | int]) -> Any | None:
        """What a script answers; None if Redis does not answer."""
        if not self._may_ask():
            return None
        try:
            async with asyncio.timeout(self._patience):
                answer = await self._redis.register_script(script)(keys=keys, args=args)
        except Exception as error:  # a broken connection shows in many ways, also in a RuntimeError of uvloop's
            self._failed(error)
            return None
        self._answered()
        return answer

    def _may_ask(self) -> bool:
        if self._paused_until is None:
            return True
        if time.monotonic() < self._paused_until:
            return False
        # This caller finds out; those that come while it does so need not wait as well.
        self._paused_until = time.monotonic() + self._pause
        return True

    def _answered(self) -> None:
        if self._paused_until is not None:
            self._paused_until = None
            _log.info("Redis answers again: limits are counted for all processes together.")

    def _failed(self, error: Exception) -> None:
        if self._paused_until is None:
            _log.warning("Redis does not answer (%s): each process counts limits by itself.", type(error).__name__)
        self._paused_until = time.monotonic() + self._pause
