"""`taskriver dev`: everything on this machine, with demo data, by one command."""

import asyncio
import signal
from pathlib import Path
from types import FrameType
from typing import Any, Final

from pydantic import SecretStr

import embedded
from graphql_api.app import create_app
from graphql_api.auth.passwords import Passwords
from graphql_api.cli import demo, serving
from graphql_api.cli.failure import CommandError
from graphql_api.settings import Settings
from persistence import migrations
from persistence.engine import Database

FOLDER: Final = Path(".taskriver")


def dev() -> None:
    """Serve with demo data, on private PostgreSQL and Valkey processes that end with this one."""
    signal.signal(signal.SIGTERM, _leave)
    settings = Settings()
    if settings.is_production:
        raise CommandError(
            "ENVIRONMENT is production: `taskriver dev` is for trying things out, use `taskriver serve`."
        )
    listener = serving.listen(settings)
    try:
        with embedded.running(
            FOLDER, database_url=_plain(settings.database_url), redis_url=_plain(settings.redis_url)
        ) as servers:
            found = settings.model_copy(update=_here(settings, servers))
            asyncio.run(_prepare(found))
            print(demo.welcome(found.host, found.port), flush=True)
            serving.run(create_app(found), found, listener)
    except KeyboardInterrupt:
        pass


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


async def _prepare(settings: Settings) -> None:
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value(), pool_size=4)
    passwords = Passwords(settings.bcrypt_rounds)
    try:
        await migrations.upgrade(database.engine)
        await demo.load_once(database, passwords.hash)
    finally:
        passwords.close()
        await database.close()


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
