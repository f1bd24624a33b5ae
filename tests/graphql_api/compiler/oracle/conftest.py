"""Both executors, for whole modules."""

from collections.abc import AsyncIterator, Callable

import pytest

from domain.session import REPLAY_GRACE
from services import session as session_service
from tests.graphql_api.compiler.oracle.arena import Arena


@pytest.fixture(scope="module")
async def arena(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Arena]:
    """Both executors, on a database of their own."""
    arena = await Arena.prepared(new_database(), new_redis())
    with pytest.MonkeyPatch.context() as patch:
        # However slow a machine is, the second use of a refresh token comes within the grace period.
        patch.setattr(session_service, "REPLAY_GRACE", 1_000 * REPLAY_GRACE)
        yield arena
    await arena.server.stop()
