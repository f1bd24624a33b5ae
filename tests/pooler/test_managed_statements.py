"""Taskriver behind a pooler that manages prepared statements, as PgBouncer 1.21 and newer document it."""

from collections.abc import Iterator

import pytest

from embedded.postgres import Postgres
from persistence import migrations
from persistence.database import Database
from persistence.pooler import Pooler as Kind
from tests.pooler.traffic import Traffic, behind, send
from tests.support.pooler import Pooler

USERS = 8
ROUNDS = 3


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server that asks for no password, so that the pooler can log in for others."""
    with Postgres(tmp_path_factory.mktemp("servers") / "trusting", durable=False) as server:
        (server.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n")
        server._execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="module")
async def server(trusting: Postgres) -> Postgres:
    """It has tables."""
    database = Database(trusting.url, pool_size=1)
    await migrations.upgrade(database.engine)
    await database.close()
    return trusting


async def traffic_through(pooler: Pooler, server: Postgres, redis_url: str) -> Traffic:
    """Requests of users with named statements."""
    url = f"postgresql://taskriver@127.0.0.1:{pooler.port}/taskriver"
    async with behind(url, server.url, redis_url, Kind.PREPARED) as api:
        return await send(api, USERS, ROUNDS)


async def test_no_request_fails(server: Postgres, redis_url: str):
    """Each transaction has another session."""
    async with Pooler(server.port, "transaction", parameters="refused", manages_statements=True) as pooler:
        traffic = await traffic_through(pooler, server, redis_url)

    assert traffic.wrong == []
    assert traffic.sent == USERS * ROUNDS * 7


async def test_requests_fail_with_named_statements_that_nobody_manages(server: Postgres, redis_url: str):
    """So the test above notices a statement that reaches another session."""
    async with Pooler(server.port, "transaction", parameters="refused") as pooler:
        traffic = await traffic_through(pooler, server, redis_url)

    assert traffic.share > 0.05
