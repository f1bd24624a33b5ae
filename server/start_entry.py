"""The entry of the audit log for the start of a process: its version, and the settings that are not the defaults."""

import asyncio
import logging
from collections.abc import Mapping
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from domain.audit import Detail
from domain.errors import Unavailable
from persistence.database import Database
from server.settings import Settings
from services import audit as audit_service

RETRY_SECONDS: Final = 30.0
NOT_SHOWN: Final = frozenset(
    {"database_url", "database_direct_url", "redis_url", "secret_keys", "smtp_password", "metrics_folder"}
)
"""Secrets, and the folder that each start chooses anew."""

_log: Final = logging.getLogger("taskriver.audit")


async def record_start(database: Database, settings: Settings) -> None:
    """Add the entry. Until the database can store it, try again."""
    details = {"version": version("taskriver"), **changed_settings(settings)}
    while True:
        try:
            await audit_service.record_start(database.unit_of_work(None), details)
        except Unavailable as error:
            _log.warning("the start could not be added to the audit log; it is tried again. %s", error)
        except Exception:
            _log.exception("the start could not be added to the audit log; it is tried again")
        else:
            return
        await asyncio.sleep(RETRY_SECONDS)


def changed_settings(settings: Settings) -> Mapping[str, Detail]:
    """The settings that differ from the defaults, by the names of their variables. No secret is among them."""
    return {
        name.upper(): _shown(getattr(settings, name))
        for name, field in Settings.model_fields.items()
        if name not in NOT_SHOWN and getattr(settings, name) != field.default
    }


def _shown(value: object) -> Detail:
    if isinstance(value, SecretStr):
        return "(secret)"
    if isinstance(value, tuple):
        return tuple(str(_shown(each)) for each in value)
    if isinstance(value, Enum | Path):
        return str(value.value if isinstance(value, Enum) else value)
    if isinstance(value, bool | int) or value is None:
        return value
    return _without_password(str(value))


def _without_password(text: str) -> str:
    """The text; of a URL only the scheme, the host with its port, and the path."""
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return "(not a URL)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
