"""`taskriver dev`: run everything on this machine, with demo data."""

import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

import embedded
from cli import demo_data
from cli.connections import FOLDER, check_reachable, direct_url_of
from cli.errors import CommandError
from cli.output import examples, say
from cli.settings import read_settings
from graphql_api.auth.passwords import Passwords
from persistence import migrations
from persistence.database import Database
from server import runner, signals
from server.app import create_app
from server.metrics_server import serve_metrics
from server.pages.demo_users import DemoUsers
from server.settings import Settings

EXAMPLES: Final = examples(
    "taskriver dev",
    "PORT=8001 taskriver dev",
    "DATABASE_URL=postgresql://me:secret@127.0.0.1/mine taskriver dev",
)


def dev() -> None:
    """Serve with demo data, on private PostgreSQL and Valkey.

    PostgreSQL and Valkey run as child processes of this command, with their data in .taskriver. Set DATABASE_URL and
    REDIS_URL to use other servers. PORT=8001 selects another port.
    """
    settings = read_settings()
    if settings.is_production:
        raise CommandError("ENVIRONMENT is production: `taskriver dev` is for development, use `taskriver serve`.")
    signals.exit_on_signal()
    with runner.listen(settings) as listener:
        try:
            _serve(settings, listener)
        except SystemExit:
            say("  Stopped.")
            raise


def _serve(settings: Settings, listener: socket.socket) -> None:
    private = _private(settings)
    if private:
        say(f"\n  Starting {' and '.join(private)} …")
    with embedded.running(
        FOLDER, database_url=_plain(settings.database_url), redis_url=_plain(settings.redis_url)
    ) as servers:
        found = settings.model_copy(update=_here(settings, servers))
        has_demo = signals.run(_prepare(found))
        welcome = _welcome(found, private=bool(private), has_demo=has_demo)
        with serve_metrics(found) as final:
            runner.run(
                create_app(final, demo=DemoUsers(tuple(demo_data.USERS), demo_data.PASSWORD) if has_demo else None),
                final,
                listener,
                quiet="log_level" not in settings.model_fields_set,
                on_started=lambda: say(welcome),
                on_stopping=lambda: say("\n  Stopping …"),
            )


def _private(settings: Settings) -> list[str]:
    """The servers that this command starts."""
    given = {"PostgreSQL": settings.database_url, "Valkey": settings.redis_url}
    return [name for name, url in given.items() if url is None]


def _here(settings: Settings, servers: embedded.Servers) -> dict[str, Any]:
    """The settings for this machine: the URLs of the servers, one process, and cookies that work over plain HTTP."""
    found: dict[str, Any] = {
        "database_url": SecretStr(servers.database_url),
        "redis_url": SecretStr(servers.redis_url),
        "workers": 1,
    }
    if settings.smtp_host is None:
        found["mail_to_terminal"] = True
        if settings.public_url is None:
            found["public_url"] = f"http://{runner.address(settings)}"
    if "cookie_secure" not in settings.model_fields_set:
        found["cookie_secure"] = False
    return found


async def _prepare(settings: Settings) -> bool:
    """Create missing tables and demo data; returns whether the demo users exist now."""
    database = Database(direct_url_of(settings), pool_size=4)
    passwords = Passwords(settings.bcrypt_rounds)
    try:
        await check_reachable(database)
        await migrations.upgrade(database.engine)
        return await demo_data.load_once(database, passwords.hash, announce=lambda: say("  Creating the demo data …"))
    finally:
        passwords.close()
        await database.close()


def _welcome(settings: Settings, *, private: bool, has_demo: bool) -> str:
    """The text that is printed when the server is ready."""
    local = settings.model_copy(update={"host": "127.0.0.1"}) if _listens_everywhere(settings) else settings
    address = runner.address(local)
    lines = [
        "",
        "  Taskriver is running.",
        "",
        *(f"    {name:14} {text}" for name, text in _addresses(settings, address).items()),
        "",
    ]
    if has_demo:
        lines.append(f"  Users: {', '.join(demo_data.USERS)}. Password of all users: {demo_data.PASSWORD}")
    stored = f"The data are stored in {FOLDER}. " if private else ""
    return "\n".join([*lines, f"  {stored}Press Ctrl-C to stop."])


def _addresses(settings: Settings, address: str) -> dict[str, str]:
    found = {"Start page": f"http://{address}/"}
    found["GraphQL"] = f"http://{address}/graphql{'   (in a browser: GraphiQL)' if settings.has_playground else ''}"
    if settings.has_board:
        found["Board"] = f"http://{address}/board"
    if settings.account_pages:
        found["Account"] = f"http://{address}/account"
    if settings.api_docs:
        found["REST API"] = f"http://{address}/docs"
    return found | {
        "Subscriptions": f"ws://{address}/graphql   (graphql-transport-ws)",
        "Health": f"http://{address}/readyz",
        "Command line": f"{_command()} --help",
    }


def _command() -> str:
    """The command to type in this shell: its name if it is on the PATH, else its path."""
    return "taskriver" if shutil.which("taskriver") else os.path.relpath(Path(sys.executable).with_name("taskriver"))


def _listens_everywhere(settings: Settings) -> bool:
    return settings.host in ("0.0.0.0", "::")  # noqa: S104 - shown, not bound


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
