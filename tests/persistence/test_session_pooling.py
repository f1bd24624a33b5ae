"""A pooler that shares sessions is noticed; one that gives each client a session is fine."""

from collections.abc import Iterator
from typing import Any

import pytest

from domain.errors import Unavailable
from embedded.postgres import Postgres
from persistence.session_pooling import REFUSED, SHARED, PooledSessions, SessionTimeouts, check_sessions
from tests.support.pooler import Mode, Pooler


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server that asks for no password, so that a pooler can log in for others."""
    with Postgres(tmp_path_factory.mktemp("servers") / "trusting", durable=False) as server:
        (server.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n")
        server._execute("SELECT pg_reload_conf()")
        yield server


def through(pooler: Pooler) -> str:
    """A URL that leads through it."""
    return f"postgresql://taskriver@127.0.0.1:{pooler.port}/taskriver"


async def test_postgresql_is_accepted(postgres: Postgres):
    """Each connection is a session, with the settings."""
    assert await check_sessions(postgres.url) == SessionTimeouts(time_outs=True)


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("parameters", ["passed", "ignored"])
async def test_shared_sessions_are_detected(trusting: Postgres, mode: Mode, parameters: Any):
    """Whatever the pooler does with settings, also on an idle server."""
    async with Pooler(trusting.port, mode, parameters=parameters) as pooler:
        with pytest.raises(PooledSessions) as raised:
            await check_sessions(through(pooler))
    assert str(raised.value) == SHARED


async def test_session_pooling_is_accepted(trusting: Postgres):
    """The result says whether the settings are in force."""
    for parameters, time_outs in (("passed", True), ("ignored", False)):
        async with Pooler(trusting.port, "session", parameters=parameters) as pooler:  # type: ignore[arg-type]
            assert await check_sessions(through(pooler)) == SessionTimeouts(time_outs)


async def test_a_pooler_that_refuses_settings_is_detected(trusting: Postgres):
    """Like PgBouncer without the option to ignore them."""
    async with Pooler(trusting.port, "session", parameters="refused") as pooler:
        with pytest.raises(PooledSessions) as raised:
            await check_sessions(through(pooler))
    assert str(raised.value) == REFUSED


async def test_an_unreachable_server_is_unavailable():
    """It is no result about poolers."""
    with pytest.raises(Unavailable):
        await check_sessions("postgresql://taskriver@127.0.0.1:1/taskriver")
