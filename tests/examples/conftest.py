"""A stage for each test."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.examples.environment import Stage
from tests.examples.proxy import proxying


@pytest.fixture
async def stage(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Stage]:
    """A stage that is set."""
    async with proxying() as proxy:
        stage = Stage(new_database(), new_redis(), proxy)
        await stage.start()
        await stage.cast()
        yield stage
        proxy.cut()
        await stage.stop()
