"""The one refusal of this package."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ADVICE = {
    errno.ENOSPC: "free some space there, or choose another folder",
    errno.EDQUOT: "free some space there, or choose another folder",
    errno.EROFS: "choose a folder on a disk that can be written",
    errno.EACCES: "choose a folder you own, or run as the user who made it",
    errno.EPERM: "choose a folder you own, or run as the user who made it",
    errno.ENOTDIR: "choose another folder, a file is in its way",
    errno.EEXIST: "choose another folder, a file is in its way",
}


_LITTLE_SPACE = 100_000_000


class EmbeddedError(Exception):
    """A private server cannot be had. The message says why and what to do, for a person to read."""


@contextmanager
def told_about(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses inside the block into one line about *folder*.

    Raises:
        EmbeddedError: in place of any OSError.
    """
    try:
        yield
    except OSError as refusal:
        reason = refusal.strerror or str(refusal)
        advice = _ADVICE.get(refusal.errno or 0, "choose another folder")
        raise EmbeddedError(f"The folder {folder} cannot be used ({reason}): {advice}.") from refusal


def last_lines(log: Path, since: int = 0) -> str:
    """The end of a log in one line, from byte *since* on; with a word about the disk when it is nearly full.

    A server that cannot write its data cannot write its log either, so the log alone may not tell.
    """
    with log.open("rb") as file:
        file.seek(since)
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    said = " | ".join(lines[-5:]) or "(nothing)"
    if shutil.disk_usage(log.parent).free < _LITTLE_SPACE:
        return f"{said} (The disk is nearly full: free some space.)"
    return said
