"""Real servers for all tests: a PostgreSQL and Valkeys of this run. Tests that inject faults start their own."""

import gc
import io
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest
import structlog
from hypothesis import HealthCheck, settings

from embedded.postgres import Postgres
from embedded.valkey import Valkey
from observability.logging import Lines
from persistence import migrations
from persistence.database import Database
from tests.support import executors, known_types, timeouts
from tests.support.api_server import api, live
from tests.support.builders import Builders
from tests.support.figures import Figures, print_figures
from tests.support.log import Log, restored_logging
from tests.support.secrets import leaked_secrets

__all__ = ["api", "live"]

TEMPLATE = "taskriver_template"
MOST_CORES = 4
"""The most processes of a run. Each starts its own servers, and more of them make a run only a little faster."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run say which executor its servers use."""
    parser.addoption(
        "--executor",
        choices=[each.value for each in executors.Executor],
        default=executors.Executor.COMPILED.value,
        help="how the API's servers execute operations",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the executor, in every process of the run; generated examples take as long as the machine needs."""
    executors.choose(executors.Executor(config.getoption("--executor")))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell that runs the tests in the background ignores it, and servers that tests start would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")


def pytest_xdist_auto_num_workers() -> int:
    """Processes for `-n auto`: one more than there are cores, because tests wait for servers half of the time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_CORES) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Freeze the modules and the tests: otherwise each full collection of garbage goes through all of them."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Where measured figures go."""
    return Figures(record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    print_figures(terminalreporter)


@pytest.fixture(autouse=True)
def no_secrets_in_logs() -> Iterator[Log]:
    """Whatever this process logs in any test, as production would write it, holds no secret."""
    out = io.BytesIO()
    handler = Lines("debug", stream=out)
    with restored_logging():
        logging.getLogger().addHandler(handler)
        yield Log(out)
    structlog.reset_defaults()
    assert leaked_secrets(out.getvalue().decode()) == []


@pytest.fixture(scope="session", autouse=True)
def long_timeouts() -> Iterator[None]:
    """No time-out of the product ends what a slow machine does."""
    with pytest.MonkeyPatch.context() as patch:
        timeouts.extend(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_encryption() -> Iterator[None]:
    """The servers of tests have no TLS: without this, each connection would first prepare for it and ask for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGSSLMODE", "disable")
        yield


@pytest.fixture(scope="session", autouse=True)
def types_read_once() -> Iterator[None]:
    """Connections do not ask again for the types of PostgreSQL itself."""
    with pytest.MonkeyPatch.context() as patch:
        known_types.remember(patch)
        yield


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The PostgreSQL server that the whole run shares; a test that hurts a server starts one of its own."""
    with Postgres(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        yield server


@pytest.fixture(scope="module")
def new_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Starts an empty Valkey, which runs until the module's tests have ended, and returns its URL.

    Each API server, or group of servers on one database, gets its own: the counts of limits and the channel of the
    stream belong to a whole Valkey, not to one of its databases.
    """
    with ExitStack() as ends:

        def start() -> str:
            server = Valkey(tmp_path_factory.mktemp("valkey") / "data")
            server.start()
            ends.callback(server.stop, "immediate")  # in order it would take 0.1 seconds, and it stores nothing
            return server.url

        yield start


@pytest.fixture(scope="module")
def redis_url(new_redis: Callable[[], str]) -> str:
    """The URL of a Valkey that the tests of a module share."""
    return new_redis()


@pytest.fixture(scope="session")
async def template(postgres: Postgres) -> str:
    """The name of a migrated, empty database to copy."""
    database = Database(postgres.create_database(TEMPLATE), pool_size=1)
    await migrations.upgrade(database.engine)
    await database.close()
    return TEMPLATE


@pytest.fixture(scope="session")
def empty_database(postgres: Postgres) -> Callable[[], str]:
    """Creates a database without tables and returns its URL.

    Each call takes a new name: a fixture of a module can be set up more than once in one process, because workers take
    tests from each other.
    """
    numbers = count()
    return lambda: postgres.create_database(f"empty_{next(numbers)}")


@pytest.fixture(scope="session")
def new_database(postgres: Postgres, template: str) -> Callable[[], str]:
    """Makes a migrated, empty database and returns its URL."""
    numbers = count()
    return lambda: postgres.create_database(f"test_{next(numbers)}", template)


@pytest.fixture(scope="module")
async def shared_database(new_database: Callable[[], str]) -> AsyncIterator[Database]:
    """The database of `build`."""
    database = Database(new_database(), pool_size=20)
    yield database
    await database.close()


@pytest.fixture
async def build(shared_database: Database) -> Builders:
    """An empty database with builders."""
    await Builders.clear(shared_database)
    return Builders(shared_database)
