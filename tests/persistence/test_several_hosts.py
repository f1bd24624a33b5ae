"""Several hosts in one URL: the primary among them is found, also after a failover, and nothing hangs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from cli.connections import check_reachable
from cli.errors import CommandError
from domain.actor import Actor
from domain.errors import Unavailable
from embedded.postgres import Postgres
from persistence import connecting, migrations
from persistence.connecting import Connector
from persistence.database import Database
from persistence.diagnostics import read_standbys
from services.task_creation import create_task
from tests.support.builders import Builders
from tests.support.ports import closed_port
from tests.support.replication import Primary, Standby
from tests.support.waiting import HANG_SECONDS

PATIENCE_SECONDS = 1.5


class Silent:
    """A host that accepts connections and never answers, like a frozen one."""

    def __init__(self) -> None:
        self.asked = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Count it."""
        self.asked += 1
        self._writers.append(writer)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """The port."""
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        yield server.sockets[0].getsockname()[1]
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)


def url_of(server: Postgres, *ports: int) -> str:
    """The URL with these ports, in the form of libpq."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://taskriver:{server.password}@{hosts}/taskriver?target_session_attrs=primary"


async def port_of(connector: Connector) -> int:
    """The port of the server that the connector reaches."""
    connection = await connector()
    port: int = await connection.fetchval("SELECT inet_server_port()")
    await connection.close()
    return port


class TestOneServer:
    async def test_a_host_that_refuses_is_passed_over(self, postgres: Postgres):
        """Before or after the one that answers."""
        with closed_port() as closed:
            for ports in ((closed, postgres.port), (postgres.port, closed)):
                assert await port_of(Connector(url_of(postgres, *ports))) == postgres.port

    async def test_a_silent_host_costs_time_only_once(self, postgres: Postgres):
        """Later connections begin with the host that has answered."""
        silent = Silent()
        async with silent.listening() as port:
            connector = Connector(url_of(postgres, port, postgres.port))
            assert [await port_of(connector) for _ in range(5)] == [postgres.port] * 5
        assert silent.asked == 1

    async def test_silent_hosts_alone_end_with_the_time_out(self, postgres: Postgres, monkeypatch: pytest.MonkeyPatch):
        """One for all of them together."""
        monkeypatch.setattr(connecting, "CONNECT_SECONDS", 1.0)
        silent = Silent()
        async with silent.listening() as one, silent.listening() as other:
            with pytest.raises(TimeoutError):
                await Connector(url_of(postgres, one, other))()

    async def test_the_most_precise_error_is_raised(self, postgres: Postgres):
        """A wrong password, rather than a host that is down."""
        wrong = make_url(postgres.url).set(password="wrong").render_as_string(hide_password=False)
        with closed_port() as closed:
            several = wrong.replace(f":{postgres.port}", f":{postgres.port},127.0.0.1:{closed}")
            with pytest.raises(asyncpg.InvalidPasswordError):
                await Connector(several)()


@contextmanager
def replicated(folder: Path) -> Iterator[tuple[Primary, Standby]]:
    """A primary and its standby."""
    with Primary(folder / "primary", synchronous=False) as primary, ExitStack() as stack:
        standby = stack.enter_context(Standby(folder / "standby", primary))
        primary.wait_for_standby()
        yield primary, standby


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Primary, Standby]]:
    """Two servers that no test ends."""
    with replicated(tmp_path_factory.mktemp("hosts")) as both:
        yield both


class TestReplicatedServers:
    async def test_the_primary_is_found(self, servers: tuple[Primary, Standby]):
        """Wherever it is in the list."""
        primary, standby = servers
        for ports in ((standby.port, primary.port), (primary.port, standby.port)):
            assert await port_of(Connector(url_of(primary, *ports))) == primary.port
        assert await port_of(Connector(url_of(primary, standby.port, primary.port).replace("primary", "any"))) in {
            primary.port,
            standby.port,
        }

    async def test_the_status_has_the_standby(self, servers: tuple[Primary, Standby]):
        """And how far it is behind. A user without rights sees only that there is one."""
        primary, _ = servers
        admin = Database(primary.url, pool_size=1)
        async with admin.engine.begin() as connection:
            await connection.exec_driver_sql("CREATE ROLE looker LOGIN PASSWORD 'looker'")
            found = await read_standbys(connection)
        url = make_url(primary.url).set(username="looker", password="looker").render_as_string(hide_password=False)
        looker = Database(url, pool_size=1)
        async with looker.connect() as connection:
            hidden = await read_standbys(connection)
        await looker.close()
        await admin.close()

        assert (found.standbys, found.hidden, found.synchronous, found.is_synchronous) == (1, 0, 0, False)
        assert 0 <= found.bytes_behind < 100_000_000
        assert (hidden.standbys, hidden.hidden) == (1, 1)

    async def test_a_standby_alone_is_reported(self, servers: tuple[Primary, Standby]):
        """In one line."""
        primary, standby = servers
        with closed_port() as closed:
            database = Database(url_of(primary, closed, standby.port), pool_size=1)
            with pytest.raises(CommandError, match="is no primary: name all hosts"):
                await check_reachable(database)
        await database.close()

    async def test_writes_continue_after_a_failover(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """The primary is frozen, the standby is promoted. Requests in between are unavailable."""
        with replicated(tmp_path) as (primary, standby):
            patient = Database(primary.url, pool_size=1)
            await migrations.upgrade(patient.engine)
            actor = await Builders(patient).an_actor()
            await patient.close()
            monkeypatch.setattr(connecting, "COMMAND_SECONDS", PATIENCE_SECONDS)
            monkeypatch.setattr(connecting, "CONNECT_SECONDS", PATIENCE_SECONDS)
            database = Database(url_of(primary, primary.port, standby.port), pool_size=4)
            build = Builders(database)
            await asyncio.gather(*(until_stored(build, actor) for _ in range(4)))
            primary.freeze()
            with pytest.raises(Unavailable):
                await create_task(build.as_(actor), title="Meanwhile")
            standby.promote()
            await asyncio.gather(*(until_stored(build, actor) for _ in range(4)))
            async with database.connect() as connection:
                assert (await connection.exec_driver_sql("SELECT inet_server_port()")).scalar() == standby.port
            await database.close()
            primary.kill()


async def until_stored(build: Builders, actor: Actor) -> None:
    """Write until it is stored."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            with suppress(Unavailable):
                await create_task(build.as_(actor), title="Anything")
                return
