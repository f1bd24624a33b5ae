"""Redis for decisions that cannot wait."""

import asyncio

from graphql_api.auth.redis_with_timeout import RedisWithTimeout
from streaming.redis_client import create_client
from tests.support.waiting import HANG_SECONDS

MAX_CONNECTIONS = 4


async def test_a_burst_of_requests_waits_for_connections(redis_url: str):
    """More requests than there are connections are answered all the same: Redis has not failed."""
    async with create_client(redis_url, seconds=HANG_SECONDS, max_connections=MAX_CONNECTIONS) as client:
        patient = RedisWithTimeout(client, timeout=HANG_SECONDS, pause=HANG_SECONDS)
        answers = await asyncio.gather(*(patient.run("return 1", [], []) for _ in range(10 * MAX_CONNECTIONS)))
        assert answers == [1] * (10 * MAX_CONNECTIONS)
        assert client.connection_pool.max_connections == MAX_CONNECTIONS
