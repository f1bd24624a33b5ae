"""Runs scripts in Redis with a short timeout, and continues without Redis if it does not respond."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from redis.asyncio import Redis

from streaming.redis_errors import describe, is_refusal

_log: Final = logging.getLogger("taskriver.limits")


class RedisWithTimeout:
    """Runs scripts in Redis with a timeout of *timeout* seconds.

    After a failure, it does not use Redis for *pause* seconds. Then one request tries again, while the others continue
    without Redis. So if Redis hangs, only one request per pause waits for the timeout.
    """

    def __init__(self, redis: Redis, *, timeout: float, pause: float) -> None:
        """*timeout* applies in addition to the timeouts of the client."""
        self._redis = redis
        self._timeout = timeout
        self._pause = pause
        self._paused_until: float | None = None

    async def run(self, script: str, keys: Sequence[str], args: Sequence[str | int]) -> Any | None:
        """Run a script and return its result, or None if Redis does not respond."""
        if not self._may_try():
            return None
        try:
            async with asyncio.timeout(self._timeout):
                result = await self._redis.register_script(script)(keys=keys, args=args)
        except Exception as error:  # A broken connection raises many types, for example RuntimeError with uvloop.
            self._failed(error)
            await self._disconnect_idle()
            return None
        self._succeeded()
        return result

    def _may_try(self) -> bool:
        if self._paused_until is None:
            return True
        if time.monotonic() < self._paused_until:
            return False
        # This caller tries again. Extend the pause so that other callers do not wait at the same time.
        self._paused_until = time.monotonic() + self._pause
        return True

    def _succeeded(self) -> None:
        if self._paused_until is not None:
            self._paused_until = None
            _log.info("Redis answers again: limits are counted for all processes together.")

    def _failed(self, error: Exception) -> None:
        if self._paused_until is None:
            self._log_failure(error)
        self._paused_until = time.monotonic() + self._pause

    def _log_failure(self, error: Exception) -> None:
        if is_refusal(error):
            _log.warning("Redis refuses scripts: each process counts limits by itself: %s", describe(error))
        else:
            _log.warning("Redis does not answer (%s): each process counts limits by itself.", type(error).__name__)

    async def _disconnect_idle(self) -> None:
        """Close the connections that wait for requests. After a failover they lead to the former master."""
        with suppress(Exception):  # closing raises as many types
            async with asyncio.timeout(self._timeout):
                await self._redis.connection_pool.disconnect(inuse_connections=False)
