"""Reads the settings of a command, and checks them before anything starts."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from pydantic import SecretStr, ValidationError

from persistence.address import WrongAddress, database_url
from server.errors import WrongSetting
from server.known_secrets import MIN_SECRET_BYTES
from server.scheduled_cleanup import check_schedule
from server.settings import Settings
from streaming.redis_tls import tls_context
from streaming.redis_url import WrongRedisURL, read_redis_url

_DATABASE: Final = "DATABASE_URL must look like postgresql+asyncpg://user:password@host/database"
_DIRECT: Final = "DATABASE_DIRECT_URL must look like postgresql+asyncpg://user:password@host/database"
_SCHEDULE: Final = "CLEANUP_SCHEDULE must be five cron fields, such as 0 3 * * *, or off"
_TRACING: Final = "OTEL_EXPORTER_OTLP_ENDPOINT needs the optional package group `otel`, which is not installed"
_KEYS: Final = f"SECRET_KEYS must be id:secret, with at least {MIN_SECRET_BYTES} bytes of secret, separated by commas"


def read_settings() -> Settings:
    """Read and check the settings.

    Raises:
        WrongSetting: settings are invalid; the message names all of them.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise WrongSetting(_message(_problems(error))) from None
    problems = [_because(problem, found) for problem, found in _checks(settings).items() if found]
    problems += _redis_problems(settings.redis_url)
    if problems:
        raise WrongSetting(_message(problems))
    return settings


def read_settings_with_servers() -> Settings:
    """The settings of a command that needs a database and Redis, and does not start them itself.

    Raises:
        WrongSetting: a setting is invalid, or the URL of a server is missing.
    """
    settings = read_settings()
    if settings.database_url is None or settings.redis_url is None:
        raise WrongSetting("DATABASE_URL and REDIS_URL must be set. `taskriver dev` works without them.")
    return settings


def _message(problems: list[str]) -> str:
    return f"the settings are wrong: {'; '.join(problems)}"


def _problems(error: ValidationError) -> list[str]:
    """The name of each invalid setting with one reason."""
    problems: dict[str, str] = {}
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        name = "_".join(str(part) for part in each["loc"][:1]).upper()
        reason = each["msg"].removeprefix("Value error, ")
        problems.setdefault(name, f"{name}: {reason}" if name else reason)
    return list(problems.values())


def _checks(settings: Settings) -> dict[str, Exception | bool]:
    return {
        _DATABASE: _fault(database_url, settings.database_url),
        _DIRECT: _fault(database_url, settings.database_direct_url),
        _KEYS: any(len(secret) < MIN_SECRET_BYTES or not name for name, secret in settings.key_ring.items()),
        _TRACING: settings.otel_exporter_otlp_endpoint is not None and find_spec("opentelemetry") is None,
        _SCHEDULE: _fault(check_schedule, settings.cleanup_cron),
    }


def _redis_problems(url: SecretStr | None) -> list[str]:
    if url is None:
        return []
    try:
        target = read_redis_url(url.get_secret_value())
        if target.tls is not None:
            tls_context(target.tls)
    except WrongRedisURL as error:
        return [f"REDIS_URL: {error}"]
    return []


def _because(problem: str, found: Exception | bool) -> str:
    """The problem with its reason. The texts of other exceptions may have secrets."""
    return f"{problem} ({found})" if isinstance(found, WrongAddress) else problem


def _fault(parse: Callable[[str], object], value: SecretStr | str | None) -> Exception | bool:
    """Why a text cannot be parsed; False if it can."""
    if value is None:
        return False
    try:
        parse(value.get_secret_value() if isinstance(value, SecretStr) else value)
    except Exception as error:  # each library raises its own exceptions for text that it cannot parse
        return error
    return False
