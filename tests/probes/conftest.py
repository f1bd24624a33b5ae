"""The servers of the probes."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.probes.servers import Servers, running


@pytest.fixture(scope="module")
async def servers(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Servers]:
    """Two servers that only the probes of a module use: a run of probes removes all objects of the run before it."""
    async with running(new_database(), new_redis()) as servers:
        yield servers
