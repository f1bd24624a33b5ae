"""PgBouncers in front of a PostgreSQL. Tests whose program is missing are left out."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final

import asyncpg
import pytest

from embedded.cluster import USER
from embedded.postgres import Postgres
from persistence.connecting import connect
from tests.e2e.conftest import world
from tests.support import known_types, newer_pgbouncer
from tests.support.pgbouncer import MANAGES_STATEMENTS, PgBouncer, find_pgbouncer, version_of

__all__ = ["world"]

PROGRAMS: Final = {
    "system": (find_pgbouncer, "apt-get install pgbouncer"),
    "newer": (newer_pgbouncer.find, "python -m tests.support.newer_pgbouncer"),
}
"""How each version is found, and how it is installed."""
LEFT_OUT: Final = "There is no such PgBouncer here ({}): the tests with it were left out."

Bouncer = Callable[..., PgBouncer]


@pytest.fixture(scope="session", params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    """The program: that of this machine, and a newer one."""
    find, install = PROGRAMS[request.param]
    found = find()
    if found is None:
        pytest.skip(LEFT_OUT.format(install))
    return found


@pytest.fixture(scope="session")
def manages_statements(program: str) -> bool:
    """Whether this version can manage prepared statements."""
    return version_of(program) >= MANAGES_STATEMENTS


@pytest.fixture(scope="module", autouse=True)
def types_read_again() -> Iterator[None]:
    """Each connection reads the types that it meets, as in production."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg.Connection, "_introspect_types", known_types.READ)
        yield


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory, program: str) -> Iterator[Postgres]:
    """A server whose role has settings of its own, and which is restarted by no other test."""
    with Postgres(tmp_path_factory.mktemp("pooled") / "data", durable=False) as server:
        yield server


@pytest.fixture(scope="module")
def bouncer(own_postgres: Postgres, program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bouncer]:
    """Starts poolers in front of the server."""
    with ExitStack() as ends:

        def start(**settings: Any) -> PgBouncer:
            folder = tmp_path_factory.mktemp("bouncer") / "data"
            return ends.enter_context(PgBouncer(folder, program, own_postgres, **settings))

        yield start


@pytest.fixture
async def bare_role(own_postgres: Postgres) -> AsyncIterator[None]:
    """The role has no settings at the beginning and at the end."""
    await _reset(own_postgres)
    yield
    await _reset(own_postgres)


async def _reset(server: Postgres) -> None:
    connection = await connect(server.url)
    await connection.execute(f"ALTER ROLE {USER} RESET ALL")
    await connection.close()
