"""A pooler that shares sessions is noticed; one that gives each client a session is fine."""

from collections.abc import Iterator
from typing import Any

import pytest

from domain.errors import Unavailable
from embedded.postgres import Postgres
from persistence.connecting import TIME_OUTS
from persistence.pooler import Pooler as Kind
from persistence.session_pooling import (
    NO_TRANSACTIONS,
    NOT_PREPARED,
    REFUSED,
    SHARED,
    PooledSessions,
    Sessions,
    check_sessions,
)
from tests.support.pooler import Pooler


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
    assert await check_sessions(postgres.url) == Sessions()


@pytest.mark.parametrize("parameters", ["passed", "ignored"])
async def test_shared_sessions_are_detected(trusting: Postgres, parameters: Any):
    """Whatever the pooler does with settings, also on an idle server."""
    async with Pooler(trusting.port, "transaction", parameters=parameters) as pooler:
        with pytest.raises(PooledSessions) as raised:
            await check_sessions(through(pooler))
    assert str(raised.value) == SHARED


async def test_shared_sessions_are_accepted_without_prepared_statements(trusting: Postgres):
    """If the settings say so. The statements that set the time-outs of the role are named."""
    async with Pooler(trusting.port, "transaction", parameters="refused") as pooler:
        found = await check_sessions(through(pooler), Kind.UNPREPARED)

    assert found.is_shared
    assert [statement.split()[:5] for statement in found.missing] == [
        ["ALTER", "ROLE", "taskriver", "SET", name] for name in TIME_OUTS
    ]


async def test_managed_prepared_statements_are_accepted(trusting: Postgres):
    """If the pooler manages them."""
    async with Pooler(trusting.port, "transaction", parameters="refused", manages_statements=True) as pooler:
        assert (await check_sessions(through(pooler), Kind.PREPARED)).is_shared


async def test_a_pooler_that_does_not_manage_prepared_statements_is_detected(trusting: Postgres):
    """The settings say that it does."""
    async with Pooler(trusting.port, "transaction") as pooler:
        with pytest.raises(PooledSessions) as raised:
            await check_sessions(through(pooler), Kind.PREPARED)
    assert str(raised.value) == NOT_PREPARED


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_pooler_without_transactions_is_detected(trusting: Postgres, kind: Kind):
    """Nothing works with it."""
    async with Pooler(trusting.port, "statement") as pooler:
        with pytest.raises(PooledSessions) as raised:
            await check_sessions(through(pooler), kind)
    assert str(raised.value) == NO_TRANSACTIONS


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_session_for_each_connection_is_accepted(trusting: Postgres, kind: Kind):
    """With all settings. Without a pooler of that name, time-outs that the pooler ignores are missing."""
    async with Pooler(trusting.port, "session") as pooler:
        found = await check_sessions(through(pooler), kind)
    assert (found.is_shared, len(found.missing)) == (False, len(TIME_OUTS))

    async with Pooler(trusting.port, "session", parameters="passed") as pooler:
        assert await check_sessions(through(pooler)) == Sessions()


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
