"""The state of the tables in `/readyz`."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import Route

from persistence.database import Database
from persistence.schema_check import SchemaCheck, SchemaState
from server.health import Health
from tests.support.api_server import an_api


@pytest.fixture
async def database(new_database: Callable[[], str]) -> AsyncIterator[Database]:
    """A migrated database of its own."""
    database = Database(new_database(), pool_size=1)
    yield database
    await database.close()


async def set_revision(database: Database, revision: str) -> None:
    """Pretend that it is at this one."""
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})


@pytest.mark.parametrize(
    ("revision", "state", "words"), [("0001", "behind", "older than this"), ("9999", "newer", "newer than this")]
)
async def test_tables_of_another_version(database: Database, revision: str, state: str, words: str):
    """503 with one sentence that says what to do."""
    await set_revision(database, revision)
    answer = await ready(database)
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == state
    assert words in answer.json()["problem"]


async def test_tables_that_become_newer(database: Database):
    """During an upgrade the processes of the previous version go on."""
    tables = SchemaCheck(database.connect)
    assert await tables.state() is SchemaState.OK
    await set_revision(database, "9999")
    assert await tables.state() is SchemaState.OK


async def test_tables_that_become_newer_before_anyone_asks(database: Database, redis_url: str):
    """The first question comes after the migrations of the next version: the load balancer still uses this process."""
    url = database.engine.url.render_as_string(hide_password=False)
    async with an_api(url, redis_url) as api:
        await set_revision(database, "9999")
        answer = await api.client.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["migrations"]) == (200, "ok")


async def test_tables_of_this_version(database: Database):
    """No message."""
    answer = await ready(database)
    assert (answer.status_code, answer.json()["checks"]["migrations"]) == (200, "ok")
    assert "problem" not in answer.json()


async def ready(database: Database) -> httpx.Response:
    """What is answered over this database."""

    async def yes() -> bool:
        return True

    health = Health(
        database=yes,
        migrations=SchemaCheck(database.connect).state,
        redis=yes,
        refused=lambda: False,
        exhausted=lambda: False,
        draining=lambda: False,
    )
    app = Starlette(routes=[Route("/readyz", health.ready)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get("/readyz")
