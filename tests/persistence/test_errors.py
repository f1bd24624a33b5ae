"""Any exception of a broken connection is `Unavailable`; a bug is not."""

import asyncio
import errno
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
from asyncpg import exceptions as driver_errors

from domain.actor import Actor
from domain.errors import InvalidTransition, Unavailable
from domain.idempotency import IdempotencyKey
from domain.task import TaskStatus
from domain.user import Role
from persistence import errors
from persistence.database import Database
from persistence.models import TaskRow
from persistence.outage_log import QUIET_SECONDS, OutageLog
from persistence.queries.reader import Shape
from persistence.queries.task import task as task_read
from services.task import update_task, update_task_status
from services.task_edit import TaskEdit
from tests.support.amount import cases
from tests.support.builders import Builders
from tests.support.log import Log
from tests.support.transactions import lock_row

SERVER_ERRORS = sorted(
    {
        error
        for error in vars(driver_errors).values()
        if isinstance(error, type) and issubclass(error, asyncpg.PostgresError) and getattr(error, "sqlstate", None)
    },
    key=lambda error: error.__name__,
)
CLIENT_ERRORS = [
    error
    for error in vars(driver_errors).values()
    if isinstance(error, type)
    and issubclass(error, asyncpg.InterfaceError | asyncpg.InternalClientError)
    and not issubclass(error, ValueError)
]
TRY_AGAIN = {"08", "28", "3D", "40", "53", "58"}
"""Classes of SQLSTATEs (PostgreSQL, appendix A)."""
TRY_AGAIN_TOO = {
    "25006", "25P03", "25P04", "26000", "42P05", "55P03", "57014", "57P01", "57P02", "57P03", "57P04", "57P05", "XX000",
}  # fmt: skip


def a_closed_handler() -> RuntimeError:
    """The error of uvloop."""
    return RuntimeError(
        "unable to perform operation on <TCPTransport closed=True reading=False>; the handler is closed"
    )


BROKEN: dict[str, Callable[[], Exception]] = {
    **{error.__name__: lambda error=error: error("broken") for error in CLIENT_ERRORS},  # type: ignore[misc]
    "terminated": lambda: asyncpg.AdminShutdownError("terminating connection"),
    "crashed": lambda: asyncpg.CrashShutdownError("crash"),
    "starting": lambda: asyncpg.CannotConnectNowError("starting up"),
    "full": lambda: asyncpg.TooManyConnectionsError("too many clients"),
    "lost": lambda: asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    "reset": lambda: ConnectionResetError(errno.ECONNRESET, "reset"),
    "refused": lambda: ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
    "pipe": lambda: BrokenPipeError(errno.EPIPE, "pipe"),
    "unreachable": lambda: OSError(errno.EHOSTUNREACH, "unreachable"),
    "tls": lambda: ssl.SSLError(1, "decryption failed"),
    "tls ended": lambda: ssl.SSLEOFError(8, "eof"),
    "time-out": TimeoutError,
    "incomplete": lambda: asyncio.IncompleteReadError(b"", 4),
    "handler": a_closed_handler,
}

Action = Callable[[Builders, Actor, TaskRow], Awaitable[object]]


async def read(build: Builders, actor: Actor, task: TaskRow) -> object:
    """A single statement."""
    asked = task_read(actor, task.id)
    async with build.database.reading() as reading:
        return await reading.rows(Shape(("title",)), asked.rows, asked.values)


async def move(build: Builders, actor: Actor, task: TaskRow) -> object:
    """A change of one task by group commit."""
    with suppress(InvalidTransition):
        return await update_task_status(build.as_(actor), task_id=task.id, status=random.choice(list(TaskStatus)))
    return None


async def edit(build: Builders, actor: Actor, task: TaskRow) -> object:
    """A transaction of its own, of several statements."""
    return await update_task(
        build.as_(actor, key=IdempotencyKey(f"key {random.random()}")),
        task_id=task.id,
        edit=TaskEdit(title=f"Title {random.random()}"),
    )


async def refused(build: Builders, actor: Actor, task: TaskRow) -> object:
    """A change that is rolled back."""
    async with build.as_(actor) as uow:
        return await lock_row(uow, TaskRow, task.id)


async def number(build: Builders, actor: Actor, task: TaskRow) -> object:
    """What the stream does."""
    async with build.database.log() as log:
        await log.number()
        return await log.head()


async def ping(build: Builders, actor: Actor, task: TaskRow) -> object:
    """What readiness asks."""
    await build.database.ping()
    return None


ACTIONS: list[Action] = [read, move, edit, refused, number, ping]
STEPS = {
    "connect": (asyncpg, "connect", ""),
    "prepare": (asyncpg.Connection, "_get_statement", ""),
    "a statement": (asyncpg.Connection, "_execute", ""),
    "begin": (asyncpg.Connection, "execute", "BEGIN"),
    "savepoint": (asyncpg.Connection, "execute", "SAVEPOINT"),
    "commit": (asyncpg.Connection, "execute", "COMMIT"),
    "rollback": (asyncpg.Connection, "execute", "ROLLBACK"),
}
"""Where the driver talks to the server: a function, and the beginning of the command."""


@pytest.fixture(scope="module")
async def fragile_database(new_database: Callable[[], str]) -> AsyncIterator[Database]:
    """A database whose connections are broken."""
    database = Database(new_database(), pool_size=4)
    yield database
    await database.close()


@pytest.fixture
async def fragile(fragile_database: Database) -> Builders:
    """Builders on it."""
    await Builders.clear(fragile_database)
    return Builders(fragile_database)


async def a_user(build: Builders) -> tuple[Actor, list[TaskRow]]:
    """An administrator with some tasks."""
    actor = await build.an_actor(Role.ADMIN)
    return actor, [await build.a_task(actor) for _ in range(4)]


async def outcomes_for(
    build: Builders, actor: Actor, tasks: list[TaskRow], actions: list[Action], times: int
) -> list[object]:
    """The results of a user's actions."""
    wanted = [action(build, actor, random.choice(tasks)) for action in actions for _ in range(times)]
    return await asyncio.gather(*wanted, return_exceptions=True)


def strange(outcomes: list[object]) -> list[object]:
    """Those that failed, but not as `Unavailable`."""
    return [each for each in outcomes if isinstance(each, BaseException) and not isinstance(each, Unavailable)]


class TestClassification:
    @pytest.mark.parametrize("error", SERVER_ERRORS, ids=lambda error: error.__name__)
    def test_errors_of_the_server(self, error: type[asyncpg.PostgresError]):
        """By SQLSTATE; a migration under an open connection has a general one."""
        state = error.sqlstate
        expected = state[:2] in TRY_AGAIN or state in TRY_AGAIN_TOO or error is asyncpg.InvalidCachedStatementError
        assert errors.is_retryable(error("text")) == expected

    @pytest.mark.parametrize("kind", BROKEN)
    def test_errors_of_the_client(self, kind: str):
        """A broken connection raises various exceptions."""
        assert errors.unavailable(BROKEN[kind]()) is not None

    @pytest.mark.parametrize(
        "bug",
        [asyncpg.DataError("invalid input for query argument"), ValueError("x"), KeyError("x"), TypeError("x"),
         RuntimeError("generator raised StopIteration"), RecursionError("closed"), asyncpg.UndefinedColumnError("x"),
         Exception("x")],
        ids=lambda bug: type(bug).__name__,
    )  # fmt: skip
    def test_a_bug_stays_one(self, bug: Exception):
        """It would happen again."""
        assert errors.unavailable(bug) is None


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", BROKEN)
async def test_every_failure_at_every_step(
    fragile: Builders, monkeypatch: pytest.MonkeyPatch, no_secrets_in_logs: Log, step: str, kind: str
):
    """A connection breaks at one step: requests succeed or are `Unavailable`, and later ones succeed."""
    actor, tasks = await a_user(fragile)
    holder, name, command = STEPS[step]
    original, chance = getattr(holder, name), random.Random(f"{step} {kind}")

    async def broken(*arguments: Any, **options: Any) -> Any:
        if (not command or arguments[1].startswith(command)) and chance.random() < 0.5:
            _break(arguments)
            raise BROKEN[kind]()
        return await original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(holder, name, broken)
        outcomes = [each for _ in range(cases(3)) for each in await outcomes_for(fragile, actor, tasks, ACTIONS, 2)]
    assert strange(outcomes) == []
    await works(fragile, actor, tasks)
    assert [line for line in no_secrets_in_logs.lines if line["level"] == "error"] == []


def _break(arguments: tuple[Any, ...]) -> None:
    """Break the connection, if there is one."""
    for each in arguments[:1]:
        connection = getattr(each, "_connection", each)
        if isinstance(connection, asyncpg.Connection):
            connection.terminate()


async def works(build: Builders, actor: Actor, tasks: list[TaskRow]) -> None:
    """Connections that broke are replaced; each pool may notice once per connection."""
    for _ in range(20):
        outcomes = await outcomes_for(build, actor, tasks, ACTIONS, 2)
        assert strange(outcomes) == []
        if not any(isinstance(each, Unavailable) for each in outcomes):
            return
    raise AssertionError("it does not recover")


async def test_backends_that_are_terminated(fragile: Builders, no_secrets_in_logs: Log):
    """All connections of a process are terminated repeatedly, during all kinds of work."""
    actor, tasks = await a_user(fragile)
    async with _killer(fragile.database) as kill:
        outcomes: list[object] = []
        for _ in range(40):
            running = asyncio.gather(*(_some(fragile, actor, tasks) for _ in range(4)))
            await kill()
            outcomes += [each for some in await running for each in some]
    assert strange(outcomes) == []
    assert any(isinstance(each, Unavailable) for each in outcomes)
    await works(fragile, actor, tasks)
    assert [line for line in no_secrets_in_logs.lines if line["level"] == "error"] == []


async def _some(build: Builders, actor: Actor, tasks: list[TaskRow]) -> list[object]:
    return await outcomes_for(build, actor, tasks, ACTIONS, 1)


@asynccontextmanager
async def _killer(database: Database) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    dsn = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    killer = await asyncpg.connect(dsn, server_settings={"application_name": "killer"})

    async def kill() -> None:
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    try:
        yield kill
    finally:
        await killer.close()


class TestOutageLog:
    def test_the_log_of_an_outage_is_bounded(self, no_secrets_in_logs: Log):
        """A thousand failures are one line, and the next one has their number; no message is quoted."""
        now = 0.0
        log = OutageLog(lambda: now)
        for _ in range(1_000):
            log.note(asyncpg.TooManyConnectionsError("sorry, too many clients already"))
        log.note(ConnectionResetError("reset"))
        now = QUIET_SECONDS
        log.note(asyncpg.TooManyConnectionsError("sorry, too many clients already"))
        kind = "the database could not answer (TooManyConnectionsError, SQLSTATE 53300)"
        assert [line["event"] for line in no_secrets_in_logs.lines] == [
            kind,
            "the database could not answer (ConnectionResetError)",
            f"{kind}; 999 more since the last line",
        ]
