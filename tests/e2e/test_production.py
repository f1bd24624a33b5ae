"""Configurations that `taskriver serve` refuses in production."""

import re
from pathlib import Path

from tests.support.processes import Command, environment

SECRET = "k1:" + "s3cret" * 8
SAFE = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql+asyncpg://u:hunter2@127.0.0.1:1/d",
    "REDIS_URL": "redis://:hunter2@127.0.0.1:1",
    "SECRET_KEYS": SECRET,
}
UNSAFE = {
    "SECRET_KEYS": ("dev:development-only-secret-do-not-deploy", "holds the development secret"),
    "COOKIE_SECURE": ("false", "COOKIE_SECURE must stay on"),
    "DATABASE_URL": ("", "DATABASE_URL is not set"),
    "REDIS_URL": ("redis://:change-me@127.0.0.1:1", "the password in REDIS_URL is a well-known one"),
    "BCRYPT_ROUNDS": ("4", "BCRYPT_ROUNDS must be at least 12"),
    "ALLOWED_ORIGINS": ("*", "ALLOWED_ORIGINS must not hold '*'"),
}


def refusal(folder: Path, **settings: str) -> str:
    """The error line, with exit code 2 and nothing on standard output."""
    command = Command("serve", folder=folder, environment=environment(**(SAFE | settings)))
    try:
        assert command.ends() == 2, command.err
        assert command.out == ""
        assert re.fullmatch(r"taskriver: [^\n]+\n", command.err), command.err
        return command.err
    finally:
        command.clean_up()


def test_all_unsafe_settings_are_named(tmp_path: Path):
    """In one line without values."""
    output = refusal(tmp_path, **{name: value for name, (value, _) in UNSAFE.items()})

    assert [reason for _, reason in UNSAFE.values() if reason not in output] == []
    assert "hunter2" not in output
    assert "development-only" not in output


def test_redis_is_required(tmp_path: Path):
    """Without a Redis the server does not start."""
    assert "DATABASE_URL and REDIS_URL must be set" in refusal(tmp_path, REDIS_URL="")


def test_a_short_secret_is_refused(tmp_path: Path):
    """A key that is too short or has no name is refused without being shown."""
    output = refusal(tmp_path, SECRET_KEYS=f"{SECRET},k2:2short,{'no-identifier-' * 4}")

    assert "at least 32 bytes" in output
    assert not any(part in output for part in ("2short", "no-identifier", "s3cret"))
