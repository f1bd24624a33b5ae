"""The file with the stored sessions. Only its owner can read it; one process at a time replaces it as a whole."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from cli.errors import CommandError

VARIABLE: Final = "TASKRIVER_TOKENS"
MIN_REMAINING: Final = timedelta(seconds=60)
"""A token is renewed if it expires sooner than this."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A user's session at a server."""

    url: str
    username: str
    access_token: str
    refresh_token: str
    expires_at: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether the access token is valid for at least another minute."""
        return self.expires_at - datetime.now(UTC) > MIN_REMAINING

    def to_json(self) -> dict[str, Any]:
        """The values as JSON types."""
        return asdict(self) | {"expires_at": self.expires_at.isoformat()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**value | {"expires_at": datetime.fromisoformat(value["expires_at"])})


class SessionStore:
    """The stored sessions, the most recently used one first. Use it inside `open_store`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sessions = _read(path)

    def find(self, url: str, username: str | None) -> StoredSession | None:
        """The session of this user at this server; without a username, the most recently used one at this server."""
        here = (each for each in self._sessions if each.url == url)
        return next((each for each in here if username is None or each.username.lower() == username.lower()), None)

    def save(self, session: StoredSession) -> None:
        """Store a session. It replaces an older one of the same user at the same server."""
        self._write([session, *self._without(session)])

    def forget(self, session: StoredSession) -> None:
        """Remove a session."""
        self._write(self._without(session))

    def _without(self, session: StoredSession) -> list[StoredSession]:
        same = (session.url, session.username.lower())
        return [each for each in self._sessions if (each.url, each.username.lower()) != same]

    def _write(self, sessions: list[StoredSession]) -> None:
        self._sessions = sessions
        unfinished = self._path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        text = json.dumps({"sessions": [each.to_json() for each in sessions]}, indent=1)
        unfinished.write_text(f"{text}\n", encoding="utf-8")
        unfinished.replace(self._path)


@contextmanager
def open_store() -> Iterator[SessionStore]:
    """The store, locked for this process.

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
            f"Sessions cannot be stored in {path}: {error.strerror}. Set {VARIABLE} to another file."
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
        raise CommandError(f"{path} is not a file of stored sessions: remove it, and sign in again.") from None
