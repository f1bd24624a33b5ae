"""The entry of the audit log for the start of a process."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.audit import AuditAction
from domain.errors import Unavailable
from server import start_entry
from server.settings import Settings
from server.start_entry import changed_settings, record_start
from services import audit as audit_service
from tests.support.audit import entries
from tests.support.builders import Builders
from tests.support.log import Log

SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"


def settings(**values: Any) -> Settings:
    """Settings without those of the environment."""
    return Settings(_env_file=None, **values)


def test_no_secret_is_among_the_settings():
    """Every setting that holds one, and a URL with a password."""
    secrets: dict[str, Any] = {
        name: (SecretStr(f"k:{SECRET}"),) if name == "secret_keys" else SecretStr(f"redis://:{SECRET}@h/0")
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert {"database_url", "redis_url", "secret_keys", "database_direct_url"} <= secrets.keys()
    found = changed_settings(
        settings(**secrets, otel_exporter_otlp_endpoint=f"https://u:{SECRET}@collector:4318/v1?key={SECRET}")
    )
    assert found == {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4318/v1"}


def test_only_changed_settings_are_named():
    """By their variables; the folder of the metrics is another one at each start."""
    assert changed_settings(settings()) == {}
    found = changed_settings(
        settings(
            workers=4,
            introspection=False,
            project_creation="admins",
            trusted_proxies="10.0.0.0/8,::1/128",
            allowed_origins="https://a.example",
            metrics_folder=Path("/tmp/x"),  # noqa: S108 - of this test
        )
    )
    assert found == {
        "WORKERS": 4,
        "INTROSPECTION": False,
        "PROJECT_CREATION": "admins",
        "TRUSTED_PROXIES": ("10.0.0.0/8", "::1/128"),
        "ALLOWED_ORIGINS": ("https://a.example",),
    }


async def test_workers_make_one_entry(build: Builders):
    """With their number, and the version."""
    await asyncio.gather(*(record_start(build.database, settings(workers=3)) for _ in range(3)))
    found = await entries(build.database)
    assert sum(row.times for row in found) == 3  # two, if the hour ends meanwhile
    assert {row.action for row in found} == {AuditAction.SERVER_STARTED}
    assert found[0].details["WORKERS"] == 3
    assert found[0].details["version"]
    assert found[0].actor_name is None


async def test_a_start_without_the_database_is_tried_again(
    build: Builders, monkeypatch: pytest.MonkeyPatch, no_secrets_in_logs: Log
):
    """One line, and the entry comes later."""
    real, tries = audit_service.record_start, 0

    async def sometimes(*arguments: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Unavailable("away")
        await real(*arguments)

    monkeypatch.setattr(audit_service, "record_start", sometimes)
    monkeypatch.setattr(start_entry, "RETRY_SECONDS", 0)
    await record_start(build.database, settings())
    assert len(await entries(build.database)) == 1
