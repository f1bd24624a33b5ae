"""What can be looked at without asking anybody: settings, secrets, the disk."""

import shutil
import stat
from pathlib import Path
from typing import Final

from cli.doctor.finding import Finding, judged
from server.settings import DEVELOPMENT_SECRET, Settings

ENV_FILE: Final = Path(".env")
LITTLE_BYTES: Final = 1_000_000_000
LITTLE_SHARE: Final = 0.05


def settings(found: Settings) -> Finding:
    """Settings that can be used; those that cannot have been refused before."""
    given = len(found.model_fields_set)
    told = f"{found.environment.value}, {given} of {len(Settings.model_fields)} set, the others by default"
    exposed = ENV_FILE.exists() and stat.S_IMODE(ENV_FILE.stat().st_mode) & 0o077
    return judged(
        "settings", told, look="Others can read .env, with the secrets in it: chmod 600 .env" if exposed else ""
    )


def secrets(found: Settings) -> Finding:
    """The signing keys, by name only."""
    if any(DEVELOPMENT_SECRET.encode() in secret for secret in found.key_ring.values()):
        return judged("secrets", "the development's key, which everybody knows: for this machine only")
    first, *others = found.key_ring
    told = f"{first} signs" + (f", {', '.join(others)} only verify" if others else "")
    return judged("secrets", told, look="Remove the old keys an hour after the move." if len(others) > 1 else "")


def cookies(found: Settings) -> Finding:
    """Whether browsers keep the refresh cookie off plain HTTP."""
    told = "Secure" if found.cookie_secure else "not Secure: for plain HTTP on this machine"
    return judged("cookies", told)


def disk(folder: Path, *, database_bytes: int | None) -> Finding:
    """Room where this command runs; the database's own disk can only be seen on its machine."""
    usage = shutil.disk_usage(folder)
    told = f"{size(usage.free)} of {size(usage.total)} free here"
    if database_bytes is not None:
        told += f"; the database takes {size(database_bytes)}"
    little = usage.free < LITTLE_BYTES or usage.free < usage.total * LITTLE_SHARE
    return judged("disk", told, look="Make room: a full disk stops PostgreSQL." if little else "")


def size(count: float) -> str:
    """Bytes, in the largest unit that leaves something before the point."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1_000:
            return f"{count:.0f} {unit}"
        count /= 1_000
    return f"{count:.1f} TB"
