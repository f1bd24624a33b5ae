"""Checks that need no server: settings, secrets, cookies, the disk."""

import shutil
import stat
from pathlib import Path
from typing import Final

from cli.doctor.finding import CheckResult, make_finding
from server.known_secrets import DEVELOPMENT_SECRET
from server.settings import Settings

ENV_FILE: Final = Path(".env")
LOW_BYTES: Final = 1_000_000_000
LOW_FRACTION: Final = 0.05


def settings(found: Settings) -> CheckResult:
    """The settings. They are valid: invalid ones are refused before."""
    given = len(found.model_fields_set)
    detail = f"{found.environment.value}, {given} of {len(Settings.model_fields)} set, the others have defaults"
    exposed = ENV_FILE.exists() and stat.S_IMODE(ENV_FILE.stat().st_mode) & 0o077
    return make_finding(
        "settings", detail, warning="Other users can read .env with its secrets: run chmod 600 .env" if exposed else ""
    )


def secrets(found: Settings) -> CheckResult:
    """The names of the signing keys."""
    if any(DEVELOPMENT_SECRET.encode() in secret for secret in found.key_ring.values()):
        return make_finding("secrets", "the public development key: use it on this machine only")
    first, *others = found.key_ring
    detail = f"{first} signs" + (f", {', '.join(others)} only verify" if others else "")
    return make_finding(
        "secrets", detail, warning="Remove the old keys one hour after the change of keys." if len(others) > 1 else ""
    )


def cookies(found: Settings) -> CheckResult:
    """Whether browsers send the refresh cookie only over HTTPS."""
    detail = "Secure" if found.cookie_secure else "not Secure: only for plain HTTP on this machine"
    return make_finding("cookies", detail)


def disk(folder: Path, *, database_bytes: int | None) -> CheckResult:
    """The free disk space on this machine; the disk of the database can be on another one."""
    usage = shutil.disk_usage(folder)
    detail = f"{size(usage.free)} of {size(usage.total)} free here"
    if database_bytes is not None:
        detail += f"; the database takes {size(database_bytes)}"
    is_low = usage.free < LOW_BYTES or usage.free < usage.total * LOW_FRACTION
    return make_finding("disk", detail, warning="Free disk space: a full disk stops PostgreSQL." if is_low else "")


def size(count: float) -> str:
    """Bytes, in the largest unit that gives at least 1."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1_000:
            return f"{count:.0f} {unit}"
        count /= 1_000
    return f"{count:.1f} TB"
