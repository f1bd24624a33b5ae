"""The user as whom a server runs: PostgreSQL refuses to run as root, and Valkey does not need it."""

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import EmbeddedError


@dataclass(frozen=True)
class OSAccount:
    """The user and group of a program; None means those of this process."""

    user: int | None = None
    group: int | None = None
    extra_groups: Sequence[int] | None = None

    @property
    def differs(self) -> bool:
        """Whether the program runs as another user than this process."""
        return self.user is not None

    def give(self, path: Path) -> None:
        """Make this account the owner of *path*."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def give_open(self, descriptor: int) -> None:
        """Make this account the owner of an open file."""
        if self.user is not None and self.group is not None:
            os.fchown(descriptor, self.user, self.group)


def account_for(data: Path | None = None) -> OSAccount:
    """The account for a server whose files are in *data*, which need not exist yet.

    The servers of an ordinary user run as this user. The servers of root run as the owner of the data, so that root can
    start servers that an ordinary user has created; without data they run as the user nobody.

    Raises:
        EmbeddedError: the data belong to root, or there is no unprivileged user.
    """
    if os.geteuid() != 0:
        return OSAccount()
    if data is not None and data.exists():
        return _owner(data)
    for name in ("nobody", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OSAccount(entry.pw_uid, entry.pw_gid, ())
    raise EmbeddedError("PostgreSQL does not run as root, and there is no user nobody: run as an ordinary user.")


def _owner(data: Path) -> OSAccount:
    status = data.stat()
    if status.st_uid == 0:
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and {data} belongs to root: "
            f"run chown -R nobody {data}, or choose another folder."
        )
    return OSAccount(status.st_uid, status.st_gid, ())
