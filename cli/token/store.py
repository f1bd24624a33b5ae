"""The file that keeps signed-in sessions: readable by its owner only, replaced as a whole, by one process at a time."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from server.errors import CommandError

VARIABLE: Final = "TASKRIVER_TOKENS"
SOON: Final = timedelta(seconds=60)
"""A token that ends so soon is not worth handing out."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """Somebody's session at a server."""

    url: str
    username: str
    access_token: str
    refresh_token: str
    expires_at: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether the access token will do for a while."""
        return self.expires_at - datetime.now(UTC) > SOON

    def to_json(self) -> dict[str, Any]:
        """Plain values only."""
        return asdict(self) | {"expires_at": self.expires_at.isoformat()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**value | {"expires_at": datetime.fromisoformat(value["expires_at"])})


class SessionStore:
    """All that is kept; the one used last comes first. Use it inside `opened`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = _read(path)

    def find(self, url: str, username: str | None) -> StoredSession | None:
        """The session of this user at this server, of the last one used there if no name is given."""
        here = (each for each in self._kept if each.url == url)
        return next((each for each in here if username is None or each.username.lower() == username.lower()), None)

    def keep(self, kept: StoredSession) -> None:
        """Keep a session, in the place of an older one of the same user at the same server."""
        self._write([kept, *self._but(kept)])

    def forget(self, kept: StoredSession) -> None:
        """Keep it no longer."""
        self._write(self._but(kept))

    def _but(self, kept: StoredSession) -> list[StoredSession]:
        same = (kept.url, kept.username.lower())
        return [each for each in self._kept if (each.url, each.username.lower()) != same]

    def _write(self, kept: list[StoredSession]) -> None:
        self._kept = kept
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({"sessions": [each.to_json() for each in kept]}, indent=1) + "\n", encoding="utf-8")
        fresh.replace(self._path)


@contextmanager
def opened() -> Iterator[SessionStore]:
    """The shelf, for this process alone.

    Raises:
        CommandError: the file cannot be read or written.
    """
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield SessionStore(path)
        finally:
            os.close(lock)
    except OSError as error:
        raise CommandError(
            f"Tokens cannot be kept in {path}: {error.strerror}; {VARIABLE} names another file."
        ) from error


def _path() -> Path:
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "taskriver" / "tokens.json"


def _read(path: Path) -> list[StoredSession]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    try:
        return [StoredSession.from_json(each) for each in json.loads(text)["sessions"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CommandError(f"{path} is not what was kept there: remove it, and sign in again.") from None
