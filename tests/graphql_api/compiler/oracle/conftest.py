"""Both executors, for whole modules."""

from collections.abc import AsyncIterator, Callable

import pytest

from domain.session import REPLAY_GRACE
from services import session as session_service
from tests.graphql_api.compiler.oracle.executor_pair import ExecutorPair


@pytest.fixture(scope="module")
async def executor_pair(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[ExecutorPair]:
    """Both executors, on a database of their own."""
    executor_pair = await ExecutorPair.prepared(new_database(), new_redis())
    with pytest.MonkeyPatch.context() as patch:
        # However slow a machine is, the second use of a refresh token comes within the grace period.
        patch.setattr(session_service, "REPLAY_GRACE", 1_000 * REPLAY_GRACE)
        yield executor_pair
    await executor_pair.server.stop()
