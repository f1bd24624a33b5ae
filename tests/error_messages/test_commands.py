"""Mistakes at a terminal, and the one line that is said to whoever makes them: read it as a table."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from embedded.postgres import Postgres
from persistence.database import Database
from tests.cli.conftest import Run, run
from tests.support.builders import Builders
from tests.support.ports import closed_port
from tests.support.waiting import HANG_SECONDS

__all__ = ["run"]

NO_DATABASE = {"DATABASE_URL": "postgresql://someone:secret@127.0.0.1:<free port>/taskriver"}
OURS = {"DATABASE_URL": "<database>"}
PRODUCTION = {"ENVIRONMENT": "production"}
FIT = {
    "SECRET_KEYS": "mine:a-secret-that-is-long-enough-for-anybody",
    "REDIS_URL": "redis://localhost",
    "BCRYPT_ROUNDS": "12",
}

# fmt: off
TABLE = [
    ("The database is down", ["migrate"], NO_DATABASE, 1,
     "The database server at 127.0.0.1:<free port> does not answer: does it run?"),
    ("The database's password is wrong", ["migrate"], {"DATABASE_URL": "<wrong password>"}, 1,
     "The database server at 127.0.0.1:<database port> refuses the user or the password of DATABASE_URL."),
    ("There is no such database", ["migrate"], {"DATABASE_URL": "<no database>"}, 1,
     "The database server at 127.0.0.1:<database port> has no database of the name in DATABASE_URL: create it first."),
    ("Not migrated yet", ["cleanup"], {"DATABASE_URL": "<empty database>"}, 1,
     "The database's tables are older than this version: run `taskriver migrate`."),
    ("A database of another make", ["migrate"], {"DATABASE_URL": "mysql://someone:secret@host/db"}, 2,
     "the settings are wrong: DATABASE_URL must look like postgresql+asyncpg://user:password@host/database"),
    ("A port that is none", ["migrate"], {"PORT": "80000"} | OURS, 2,
     "the settings are wrong: PORT: Input should be less than or equal to 65535"),
    ("A number in words", ["migrate"], {"WORKERS": "many"} | OURS, 2,
     "the settings are wrong: WORKERS: Input should be a valid integer, unable to parse string as an integer"),
    ("Two settings at once", ["migrate"], {"PORT": "0", "LOG_LEVEL": "loud"}, 2,
     "the settings are wrong: PORT: Input should be greater than or equal to 1; LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'"),
    ("A secret that is too short", ["migrate"], {"SECRET_KEYS": "mine:short"} | OURS, 2,
     "the settings are wrong: SECRET_KEYS must be id:secret, with at least 32 bytes of secret, separated by commas"),
    ("A schedule in words", ["migrate"], {"CLEANUP_SCHEDULE": "at night"} | OURS, 2,
     "the settings are wrong: CLEANUP_SCHEDULE must be cron's five fields, such as 0 3 * * *, or off"),
    ("Unsafe settings in production", ["migrate"], PRODUCTION | OURS, 2,
     "the settings are wrong: not fit for production: SECRET_KEYS is not set, or holds the development secret; BCRYPT_ROUNDS must be at least 12"),
    ("Serving without servers", ["serve"], {}, 2,
     "DATABASE_URL and REDIS_URL must be set; `taskriver dev` brings servers of its own."),
    ("Serving on a port in use", ["serve"], OURS | {"REDIS_URL": "redis://localhost", "PORT": "<port in use>"}, 1,
     "Port <port in use> is in use: stop the program on 127.0.0.1:<port in use>, or set another port, such as PORT=8001."),
    ("Serving on a foreign address", ["serve"], OURS | {"REDIS_URL": "redis://localhost", "HOST": "192.0.2.1"}, 1,
     "Cannot listen on 192.0.2.1:8000: Cannot assign requested address; set HOST to an address of this machine."),
    ("Demo data on a port in use", ["dev"], {"PORT": "<port in use>"}, 1,
     "Port <port in use> is in use: stop the program on 127.0.0.1:<port in use>, or set another port, such as PORT=8001."),
    ("A user who is not there", ["user", "role", "nobody", "ADMIN"], OURS, 1,
     "There is no user 'nobody'; `taskriver user create` makes one."),
    ("No terminal to ask at", ["user", "create", "newcomer", "new@example.org"], OURS, 1,
     "There is no terminal to ask for the password: use --password-stdin."),
    ("An empty password", ["user", "create", "newcomer", "new@example.org", "--password-stdin"], OURS, 1,
     "password needs at least 8 characters, an upper-case letter, a lower-case letter, a digit, a symbol."),
    ("An import of a file that is not there", ["import", "nowhere.csv", "--as", "alice"], OURS, 1,
     "nowhere.csv cannot be read: No such file or directory."),
    ("An export in nobody's name", ["export", "--as", "nobody"], OURS, 1,
     "There is no user 'nobody'; `taskriver user create` makes one."),
    ("A token of a server that does not run", ["token", "127.0.0.1:<free port>", "--username", "a", "--password-stdin"],
     {}, 1, "http://127.0.0.1:<free port>/graphql does not answer (nobody listens there): does a server run there?"),
    ("A token of nobody", ["token", "127.0.0.1:<free port>"], {}, 1,
     "Say as whom: --username NAME --password-stdin, a token in TASKRIVER_TOKEN, or `taskriver token` before."),
    ("Made-up tasks without a database", ["seed"], {}, 2,
     "DATABASE_URL is not set, and no `taskriver dev` runs in this folder."),
    ("Made-up tasks in production", ["seed"], FIT | PRODUCTION | OURS, 1,
     "ENVIRONMENT is production: made-up tasks are told to everybody who listens. --in-production?"),
    ("Demo data in production", ["dev"], FIT | PRODUCTION | OURS, 1,
     "ENVIRONMENT is production: `taskriver dev` is for trying things out, use `taskriver serve`."),
    ("A new user without a database", ["user", "create", "newcomer", "new@example.org"], {}, 2,
     "DATABASE_URL is not set, and no `taskriver dev` runs in this folder."),
    ("A new epoch without a database", ["stream", "reset-epoch"], {}, 2,
     "DATABASE_URL is not set, and no `taskriver dev` runs in this folder."),
    ("Nobody to ask about a new epoch", ["stream", "reset-epoch"], OURS, 1,
     "There is no terminal to ask whether you are sure: use --yes."),
    ("An export into a folder that is not there", ["export", "nowhere/tasks.jsonl", "--as", "<somebody>"], OURS, 1,
     "nowhere/tasks.jsonl cannot be written: No such file or directory."),
    ("An export below a file", ["export", "<a file>/tasks.jsonl", "--as", "<somebody>"], OURS, 1,
     "<a file>/tasks.jsonl cannot be written: Not a directory."),
    ("An import of a folder", ["import", ".", "--as", "<somebody>"], OURS, 1,
     ". cannot be read: Is a directory."),
    ("An import of what is no JSON", ["import", "<a file>", "--as", "<somebody>"], OURS, 1,
     "line 1: this is no JSON (unexpected end of data). 0 tasks before this line imported. Correct it and repeat the import, or use --skip-bad."),
    ("A token file that is none", ["token", "127.0.0.1:<free port>"], {"TASKRIVER_TOKENS": "<a file>"}, 1,
     "<a file> is not what was kept there: remove it, and sign in again."),
    ("Watching in nobody's name", ["watch", "127.0.0.1:<free port>"], {}, 1,
     "Say as whom: --username NAME --password-stdin, a token in TASKRIVER_TOKEN, or `taskriver token` before."),
    ("Watching a server that does not run", ["watch", "127.0.0.1:<free port>"], {"TASKRIVER_TOKEN": "x"}, 1,
     "http://127.0.0.1:<free port>/graphql does not answer (nobody listens there): does a server run there?"),
    ("Watching what is no Taskriver", ["watch", "<another server>"], {"TASKRIVER_TOKEN": "x"}, 1,
     "<another server>/graphql: it answered HTTP 501 and no GraphQL; is that a Taskriver's address?"),
    ("Proving a server that does not run", ["verify-stream", "127.0.0.1:<free port>"], {"TASKRIVER_TOKEN": "x"}, 1,
     "http://127.0.0.1:<free port>/graphql does not answer (nobody listens there): does a server run there?"),
    ("Comparing with what does not run", ["compat", "check", "127.0.0.1:<free port>"], {}, 1,
     "http://127.0.0.1:<free port>: nobody listens there: does a server run there?"),
    ("Comparing with what is another thing", ["compat", "check", "<another server>"], {}, 1,
     "<another server> does not have the older API: it answered GET /api/v1/users/about_me/ with 404. Give the address that its clients use, without /api/v1."),
    ("An address that is none", ["compat", "check", "ftp://example.org"], {}, 1,
     "ftp://example.org is no address of a server: it must look like http://127.0.0.1:8000."),
]
MISUSED = [
    ("A command that there is not", ["migrat"],
     "No such command 'migrat'. Did you mean 'migrate'? See `taskriver --help`."),
    ("An option that there is not", ["serve", "--port", "8001"],
     "No such option: --port. See `taskriver serve --help`."),
    ("A role that there is not", ["user", "role", "alice", "KING"],
     "Invalid value for 'role': 'KING' is not one of 'user', 'moderator', 'admin'. See `taskriver user role --help`."),
    ("An argument is missing", ["user", "create", "newcomer"],
     "Missing argument 'email'. See `taskriver user create --help`."),
    ("A number too small", ["seed", "--tasks", "0"],
     "Invalid value for '--tasks': Input should be greater than or equal to 1. See `taskriver seed --help`."),
    ("An argument too many", ["token", "a", "b", "c"],
     "Got unexpected extra argument(s) (b c). See `taskriver token --help`."),
]
# fmt: on


@pytest.fixture(scope="module")
async def names(
    postgres: Postgres,
    new_database: Callable[[], str],
    empty_database: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[str, str]]:
    """What stands for the names in angle brackets."""
    ours = new_database()
    file = tmp_path_factory.mktemp("mistakes") / "a-file"
    file.write_text("{")
    with socket.create_server(("127.0.0.1", 0)) as taken, closed_port() as closed, another_server() as url:
        yield {
            "<database>": ours,
            "<somebody>": await somebody(ours),
            "<a file>": str(file),
            "<another server>": url,
            "<empty database>": empty_database(),
            "<wrong password>": postgres.url.replace(postgres.password, "wrong"),
            "<no database>": postgres.url.rpartition("/")[0] + "/nowhere",
            "<database port>": str(postgres.port),
            "<port in use>": str(taken.getsockname()[1]),
            "<free port>": str(closed),
        }


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "said"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_it_is_answered_so(
    run: Run, names: dict[str, str], arguments: list[str], settings: dict[str, str], code: int, said: str
):
    """Each mistake ends the command with one line on stderr, without a traceback, and with its exit code."""
    found = run(
        *(filled(each, names) for each in arguments), **{key: filled(each, names) for key, each in settings.items()}
    )
    assert (found.code, blanked(found.refusal, names)) == (code, said)


@pytest.mark.parametrize(("arguments", "said"), [row[1:] for row in MISUSED], ids=[row[0] for row in MISUSED])
def test_what_is_typed_wrong_is_answered_so(run: Run, arguments: list[str], said: str):
    """What cannot be understood ends with 2 and one line, too, which leads to the command's help."""
    found = run(*arguments)
    assert (found.code, found.refusal) == (2, said)


@pytest.mark.parametrize("arguments", [[], ["user"], ["stream"], ["compat"]], ids=str)
def test_half_a_command_shows_what_there_is(run: Run, arguments: list[str]):
    """Whoever types less than a command is shown the list of them, and the exit code says that nothing was done."""
    found = run(*arguments)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("Usage: taskriver ")
    assert "\nCommands:\n" in found.err


async def somebody(database_url: str) -> str:
    """The name of a user."""
    database = Database(database_url, pool_size=1)
    user = await Builders(database).a_user()
    await database.close()
    return user.username


@contextmanager
def another_server() -> Iterator[str]:
    """Something else that speaks HTTP: it has no page, and knows GET only."""

    class Nothing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(HANG_SECONDS)


def filled(text: str, names: dict[str, str]) -> str:
    """The text with what its names stand for."""
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def blanked(text: str, names: dict[str, str]) -> str:
    """The text with names for what differs from run to run."""
    for name, value in names.items():
        text = text.replace(value, name)
    return text
