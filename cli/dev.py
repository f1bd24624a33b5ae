"""`taskriver dev`: everything on this machine, with demo data, by one command."""

import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

import embedded
from cli import demo_data
from cli.connections import FOLDER, check_answers
from cli.output import examples, say
from cli.settings import read_settings
from graphql_api.auth.passwords import Passwords
from persistence import migrations
from persistence.database import Database
from server import runner, signals
from server.app import create_app
from server.errors import CommandError
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

    PostgreSQL and Valkey are private processes that end with this one, and their data are kept in .taskriver;
    DATABASE_URL and REDIS_URL name others. PORT=8001 takes another port.
    """
    settings = read_settings()
    if settings.is_production:
        raise CommandError(
            "ENVIRONMENT is production: `taskriver dev` is for trying things out, use `taskriver serve`."
        )
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
                create_app(final, demo=DemoUsers(tuple(demo_data.PEOPLE), demo_data.PASSWORD) if has_demo else None),
                final,
                listener,
                quiet="log_level" not in settings.model_fields_set,
                on_started=lambda: say(welcome),
                on_stopping=lambda: say("\n  Stopping …"),
            )


def _private(settings: Settings) -> list[str]:
    """The servers that we bring."""
    given = {"PostgreSQL": settings.database_url, "Valkey": settings.redis_url}
    return [name for name, url in given.items() if url is None]


def _here(settings: Settings, servers: embedded.Servers) -> dict[str, Any]:
    """What the settings lack here: where the servers are, and cookies that plain HTTP carries, unless it was said."""
    found: dict[str, Any] = {
        "database_url": SecretStr(servers.database_url),
        "redis_url": SecretStr(servers.redis_url),
        "workers": 1,
    }
    if "cookie_secure" not in settings.model_fields_set:
        found["cookie_secure"] = False
    return found


async def _prepare(settings: Settings) -> bool:
    """Make the tables and the demo data that are missing; whether the demo's people are there now."""
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), pool_size=4)
    passwords = Passwords(settings.bcrypt_rounds)
    try:
        await check_answers(database)
        await migrations.upgrade(database.engine)
        return await demo_data.load_once(
            database, passwords.hash, announce=lambda: say("  Making the demo data, once …")
        )
    finally:
        passwords.close()
        await database.close()


def _welcome(settings: Settings, *, private: bool, has_demo: bool) -> str:
    """What a newcomer should know."""
    place = runner.address(settings.model_copy(update={"host": "127.0.0.1"}) if _is_everywhere(settings) else settings)
    lines = [
        "",
        "  Taskriver is running.",
        "",
        f"    GraphQL        http://{place}/graphql{'   (in a browser: GraphiQL)' if settings.has_playground else ''}",
        *([f"    Board          http://{place}/board"] if settings.has_board else []),
        f"    Subscriptions  ws://{place}/graphql   (graphql-transport-ws)",
        f"    Health         http://{place}/readyz",
        f"    Command line   {_command()} --help",
        "",
    ]
    if has_demo:
        lines.append(
            f"  Sign in as {', '.join(demo_data.PEOPLE)}; the password is {demo_data.PASSWORD} for each of them."
        )
    kept = f"The data are kept in {FOLDER}; " if private else ""
    return "\n".join([*lines, f"  {kept}Ctrl-C stops everything."])


def _command() -> str:
    """How the command line is called in this shell: by its name if that is on the PATH, else by its path."""
    return "taskriver" if shutil.which("taskriver") else os.path.relpath(Path(sys.executable).with_name("taskriver"))


def _is_everywhere(settings: Settings) -> bool:
    return settings.host in ("0.0.0.0", "::")  # noqa: S104 - shown, not bound


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
