"""Checks whether Redis is a master that accepts writes. Only such a server passes messages to all processes."""

import logging
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from streaming.redis_acl import PROBE_KEY
from streaming.redis_client import ServerPool
from streaming.redis_errors import is_refusal
from streaming.redis_url import Address

CHECK_SECONDS: Final = 1.0
"""How often a process checks its server."""
PROBE_MILLISECONDS: Final = 1_000

_log: Final = logging.getLogger("taskriver.bell")


class MasterCheck:
    """Writes a key that expires soon.

    A demoted master keeps its subscriptions, answers pings and accepts PUBLISH, and its messages reach nobody. A write
    fails there, and also where the memory is full, the data are being loaded, or too few replicas are connected.
    """

    def __init__(self, redis: Redis) -> None:
        """*redis* loses its connections when the check fails, so that the next ones lead to the current master."""
        self._redis = redis
        self.error: Exception | None = None
        """The failure of the last check; None if it succeeded."""
        self.master: Address | None = None
        """The master that the Sentinels named last; None without Sentinels."""
        self._sentinels_answer = True

    @property
    def is_refused(self) -> bool:
        """Whether Redis answered to the last check, and refused it."""
        return self.error is not None and is_refusal(self.error)

    async def run(self) -> None:
        """Check once, and set `error` and `master`."""
        try:
            await self._follow_master()
            await self._redis.set(PROBE_KEY, b"", px=PROBE_MILLISECONDS)
        except Exception as error:  # a broken connection raises many types
            self.error = error
            await self._disconnect()
        else:
            self.error = None

    async def _follow_master(self) -> None:
        """Leave a former master, which may still accept writes while it is cut off from the Sentinels.

        If the Sentinels do not answer, the connection that exists is kept: the master works without them.
        """
        pool = self._redis.connection_pool
        if not isinstance(pool, ServerPool) or pool.sentinels is None:
            return
        try:
            master = await pool.sentinels.master()
        except RedisError as error:
            self._log_sentinels(error)
            return
        self._log_sentinels(None)
        if self.master not in (None, master):
            await self._disconnect()
        self.master = master

    def _log_sentinels(self, error: RedisError | None) -> None:
        """Log once that the Sentinels fail, and once that they work again."""
        if (error is None) is self._sentinels_answer:
            return
        self._sentinels_answer = error is None
        if error is not None:
            _log.warning("%s; a connection to the master is kept if one is open", error)
        else:
            _log.info("the Sentinels name a master again")

    async def _disconnect(self) -> None:
        with suppress(Exception):  # closing raises as many types as a request
            await self._redis.connection_pool.disconnect()
