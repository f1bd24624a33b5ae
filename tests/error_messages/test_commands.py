"""Mistakes on the command line, and the one-line message for each: read it as a table."""

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
    "SECRET_KEYS": "mine:a-secret-of-sufficient-length-for-hmac",
    "REDIS_URL": "redis://localhost",
    "BCRYPT_ROUNDS": "12",
}

# fmt: off
TABLE = [
    ("The database is down", ["migrate"], NO_DATABASE, 1,
     "The database server at 127.0.0.1:<free port> does not answer: check that it is running."),
    ("The database's password is wrong", ["migrate"], {"DATABASE_URL": "<wrong password>"}, 1,
     "The database server at 127.0.0.1:<database port> rejects the user or the password of DATABASE_URL."),
    ("There is no such database", ["migrate"], {"DATABASE_URL": "<no database>"}, 1,
     "The database server at 127.0.0.1:<database port> does not have the database that DATABASE_URL names: create it first."),
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
     "the settings are wrong: CLEANUP_SCHEDULE must be five cron fields, such as 0 3 * * *, or off"),
    ("Unsafe settings in production", ["migrate"], PRODUCTION | OURS, 2,
     "the settings are wrong: not fit for production: SECRET_KEYS is not set, or holds the development secret; BCRYPT_ROUNDS must be at least 12"),
    ("Serving without servers", ["serve"], {}, 2,
     "DATABASE_URL and REDIS_URL must be set. `taskriver dev` works without them."),
    ("Serving on a port in use", ["serve"], OURS | {"REDIS_URL": "redis://localhost", "PORT": "<port in use>"}, 1,
     "Port <port in use> is in use: stop the program on 127.0.0.1:<port in use>, or set another port, such as PORT=8001."),
    ("Serving on a foreign address", ["serve"], OURS | {"REDIS_URL": "redis://localhost", "HOST": "192.0.2.1"}, 1,
     "Cannot listen on 192.0.2.1:8000: Cannot assign requested address; set HOST to an address of this machine."),
    ("Demo data on a port in use", ["dev"], {"PORT": "<port in use>"}, 1,
     "Port <port in use> is in use: stop the program on 127.0.0.1:<port in use>, or set another port, such as PORT=8001."),
    ("A user who is not there", ["user", "role", "nobody", "ADMIN"], OURS, 1,
     "There is no user 'nobody'; `taskriver user create` creates one."),
    ("No terminal to ask at", ["user", "create", "newcomer", "new@example.org"], OURS, 1,
     "There is no terminal to ask for the password: use --password-stdin."),
    ("An empty password", ["user", "create", "newcomer", "new@example.org", "--password-stdin"], OURS, 1,
     "password needs at least 8 characters, an upper-case letter, a lower-case letter, a digit, a symbol."),
    ("An import of a file that is not there", ["import", "nowhere.csv", "--as", "alice"], OURS, 1,
     "nowhere.csv cannot be read: No such file or directory."),
    ("An export of an unknown user", ["export", "--as", "nobody"], OURS, 1,
     "There is no user 'nobody'; `taskriver user create` creates one."),
    ("A token of a server that does not run", ["token", "127.0.0.1:<free port>", "--username", "a", "--password-stdin"],
     {}, 1, "http://127.0.0.1:<free port>/graphql does not answer (connection refused): check the URL, and that the server is running."),
    ("A token without a session", ["token", "127.0.0.1:<free port>"], {}, 1,
     "You are not signed in: use --username NAME --password-stdin, set TASKRIVER_TOKEN, or run `taskriver login`."),
    ("Made-up tasks without a database", ["seed"], {}, 2,
     "DATABASE_URL is not set, and no `taskriver dev` runs in this folder."),
    ("Made-up tasks in production", ["seed"], FIT | PRODUCTION | OURS, 1,
     "ENVIRONMENT is production: clients would receive the test data. Use --in-production to create them anyway."),
    ("Demo data in production", ["dev"], FIT | PRODUCTION | OURS, 1,
     "ENVIRONMENT is production: `taskriver dev` is for development, use `taskriver serve`."),
    ("A new user without a database", ["user", "create", "newcomer", "new@example.org"], {}, 2,
     "DATABASE_URL is not set, and no `taskriver dev` runs in this folder."),
    ("A new epoch without a database", ["stream", "reset-epoch"], {}, 2,
     "DATABASE_URL is not set, and no `taskriver dev` runs in this folder."),
    ("A new epoch without a terminal", ["stream", "reset-epoch"], OURS, 1,
     "There is no terminal for the confirmation: use --yes."),
    ("An export into a folder that is not there", ["export", "nowhere/tasks.jsonl", "--as", "<a user>"], OURS, 1,
     "nowhere/tasks.jsonl cannot be written: No such file or directory."),
    ("An export below a file", ["export", "<a file>/tasks.jsonl", "--as", "<a user>"], OURS, 1,
     "<a file>/tasks.jsonl cannot be written: Not a directory."),
    ("An import of a folder", ["import", ".", "--as", "<a user>"], OURS, 1,
     ". cannot be read: Is a directory."),
    ("An import of what is no JSON", ["import", "<a file>", "--as", "<a user>"], OURS, 1,
     "line 1: this is not JSON (unexpected end of data). Imported so far: 0 tasks. Correct the line and repeat the import, or use --skip-bad."),
    ("A token file that is none", ["token", "127.0.0.1:<free port>"], {"TASKRIVER_TOKENS": "<a file>"}, 1,
     "<a file> is not a file of stored sessions: remove it, and sign in again."),
    ("Watching without a session", ["watch", "127.0.0.1:<free port>"], {}, 1,
     "You are not signed in: use --username NAME --password-stdin, set TASKRIVER_TOKEN, or run `taskriver login`."),
    ("Watching a server that does not run", ["watch", "127.0.0.1:<free port>"], {"TASKRIVER_TOKEN": "x"}, 1,
     "http://127.0.0.1:<free port>/graphql does not answer (connection refused): check the URL, and that the server is running."),
    ("Watching what is no Taskriver", ["watch", "<another server>"], {"TASKRIVER_TOKEN": "x"}, 1,
     "<another server>/graphql: the server answered with HTTP 501 and no GraphQL. Check that the URL is that of a Taskriver server."),
    ("Proving a server that does not run", ["verify-stream", "127.0.0.1:<free port>"], {"TASKRIVER_TOKEN": "x"}, 1,
     "http://127.0.0.1:<free port>/graphql does not answer (connection refused): check the URL, and that the server is running."),
    ("Comparing with what does not run", ["compat", "check", "127.0.0.1:<free port>"], {}, 1,
     "http://127.0.0.1:<free port>: connection refused. Check the URL, and that the server is running."),
    ("Comparing with what is another thing", ["compat", "check", "<another server>"], {}, 1,
     "<another server> does not have the older REST API: it answered GET /api/v1/users/about_me/ with 404. Use the URL of its clients, without /api/v1."),
    ("An address that is none", ["compat", "check", "ftp://example.org"], {}, 1,
     "'ftp://example.org' is not the URL of a server: use a URL such as http://127.0.0.1:8000."),
    ("Watching a word that is no URL", ["watch", "nonsense"], {}, 1,
     "'nonsense' is not the URL of a server: use a URL such as http://127.0.0.1:8000."),
    ("A token of a word that is no URL", ["token", "nonsense", "--username", "a", "--password-stdin"], {}, 1,
     "'nonsense' is not the URL of a server: use a URL such as http://127.0.0.1:8000."),
    ("A host that is no name in a URL", ["watch", "http://tasks..example.org"], {}, 1,
     "'http://tasks..example.org' is not the URL of a server: use a URL such as http://127.0.0.1:8000."),
    ("Watching with a token that no header can have", ["watch", "<another server>"], {"TASKRIVER_TOKEN": "x\ny"}, 1,
     "<another server>/graphql: The server does not accept the access token, and there is no password to get a new one: sign in again."),
    ("A port that is too large in a URL", ["watch", "http://127.0.0.1:99999"], {}, 1,
     "'http://127.0.0.1:99999' is not the URL of a server: use a URL such as http://127.0.0.1:8000."),
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
    """The values of the names in angle brackets."""
    ours = new_database()
    file = tmp_path_factory.mktemp("mistakes") / "a-file"
    file.write_text("{")
    with socket.create_server(("127.0.0.1", 0)) as taken, closed_port() as closed, another_server() as url:
        yield {
            "<database>": ours,
            "<a user>": await a_username(ours),
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
    ("arguments", "settings", "code", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_error_message(
    run: Run, names: dict[str, str], arguments: list[str], settings: dict[str, str], code: int, expected: str
):
    """Each mistake ends the command with one line on stderr, without a traceback, and with its exit code."""
    found = run(
        *(filled(each, names) for each in arguments), **{key: filled(each, names) for key, each in settings.items()}
    )
    assert (found.code, blanked(found.refusal, names)) == (code, expected)


@pytest.mark.parametrize(("arguments", "expected"), [row[1:] for row in MISUSED], ids=[row[0] for row in MISUSED])
def test_wrong_usage(run: Run, arguments: list[str], expected: str):
    """Wrong usage ends with exit code 2 and one line that names the command's help."""
    found = run(*arguments)
    assert (found.code, found.refusal) == (2, expected)


@pytest.mark.parametrize("arguments", [[], ["user"], ["stream"], ["compat"]], ids=str)
def test_incomplete_command_prints_the_commands(run: Run, arguments: list[str]):
    """An incomplete command prints the list of commands, with exit code 2."""
    found = run(*arguments)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("Usage: taskriver ")
    assert "\nCommands:\n" in found.err


async def a_username(database_url: str) -> str:
    """The name of a user."""
    database = Database(database_url, pool_size=1)
    user = await Builders(database).a_user()
    await database.close()
    return user.username


@contextmanager
def another_server() -> Iterator[str]:
    """An HTTP server that is not Taskriver: it has no page, and supports only GET."""

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
    """The text with the values of its names."""
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def blanked(text: str, names: dict[str, str]) -> str:
    """The text with names in the place of values that differ between runs."""
    for name, value in names.items():
        text = text.replace(value, name)
    return text
