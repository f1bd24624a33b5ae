"""The settings of a command, looked at as closely as can be done before anything starts."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Final

from pydantic import SecretStr, ValidationError
from redis.asyncio.connection import parse_url

from persistence.database import database_url
from server.errors import WrongSetting
from server.scheduled_cleanup import check_schedule
from server.settings import MIN_SECRET_BYTES, Settings

_DATABASE: Final = "DATABASE_URL must look like postgresql+asyncpg://user:password@host/database"
_REDIS: Final = "REDIS_URL must look like redis://host:6379/0"
_SCHEDULE: Final = "CLEANUP_SCHEDULE must be cron's five fields, such as 0 3 * * *, or off"
_TRACING: Final = "OTEL_EXPORTER_OTLP_ENDPOINT needs the extra `otel`, which is not installed"
_KEYS: Final = f"SECRET_KEYS must be id:secret, with at least {MIN_SECRET_BYTES} bytes of secret, separated by commas"


def read_settings() -> Settings:
    """The settings.

    Raises:
        WrongSetting: one of them cannot be used; names them all.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise WrongSetting(_told(_problems(error))) from None
    problems = [problem for problem, found in _found(settings).items() if found]
    if problems:
        raise WrongSetting(_told(problems))
    return settings


def read_settings_with_servers() -> Settings:
    """The settings of a command that brings no servers of its own.

    Raises:
        WrongSetting: one cannot be used, or they do not say where the servers are.
    """
    settings = read_settings()
    if settings.database_url is None or settings.redis_url is None:
        raise WrongSetting("DATABASE_URL and REDIS_URL must be set; `taskriver dev` brings servers of its own.")
    return settings


def _told(problems: list[str]) -> str:
    return f"the settings are wrong: {'; '.join(problems)}"


def _problems(error: ValidationError) -> list[str]:
    """Which settings are wrong, and why: one reason each."""
    problems: dict[str, str] = {}
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        name = "_".join(str(part) for part in each["loc"][:1]).upper()
        reason = each["msg"].removeprefix("Value error, ")
        problems.setdefault(name, f"{name}: {reason}" if name else reason)
    return list(problems.values())


def _found(settings: Settings) -> dict[str, bool]:
    return {
        _DATABASE: _is_bad(database_url, settings.database_url),
        _REDIS: _is_bad(parse_url, settings.redis_url),
        _KEYS: any(len(secret) < MIN_SECRET_BYTES or not name for name, secret in settings.key_ring.items()),
        _TRACING: settings.otel_exporter_otlp_endpoint is not None and find_spec("opentelemetry") is None,
        _SCHEDULE: _is_bad(check_schedule, settings.cleanup_cron),
    }


def _is_bad(read: Callable[[str], object], value: SecretStr | str | None) -> bool:
    if value is None:
        return False
    try:
        read(value.get_secret_value() if isinstance(value, SecretStr) else value)
    except Exception:  # each library has exceptions of its own for what it cannot read
        return True
    return False
