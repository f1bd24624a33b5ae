"""The exception of this package."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ADVICE = {
    errno.ENOSPC: "free some space there, or choose another folder",
    errno.EDQUOT: "free some space there, or choose another folder",
    errno.EROFS: "choose a folder on a disk that can be written",
    errno.EACCES: "choose a folder that you own, or run as the user who created it",
    errno.EPERM: "choose a folder that you own, or run as the user who created it",
    errno.ENOTDIR: "choose another folder, because there is a file with this name",
    errno.EEXIST: "choose another folder, because there is a file with this name",
}


_LOW_SPACE = 100_000_000


class EmbeddedError(Exception):
    """A private server cannot run. The message has the reason and what to do."""


@contextmanager
def wrap_os_errors(folder: Path) -> Iterator[None]:
    """Convert an `OSError` in the block to an `EmbeddedError` about *folder*.

    Raises:
        EmbeddedError: the block raised an `OSError`.
    """
    try:
        yield
    except OSError as refusal:
        reason = refusal.strerror or str(refusal)
        advice = _ADVICE.get(refusal.errno or 0, "choose another folder")
        raise EmbeddedError(f"The folder {folder} cannot be used ({reason}): {advice}.") from refusal


def last_lines(log: Path, since: int = 0) -> str:
    """The end of a log in one line, from byte *since* on, with a note if the disk is nearly full.

    On a full disk the server cannot write the log either, so the log may not have the reason.
    """
    with log.open("rb") as file:
        file.seek(since)
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    said = " | ".join(lines[-5:]) or "(nothing)"
    if shutil.disk_usage(log.parent).free < _LOW_SPACE:
        return f"{said} (The disk is nearly full: free some space.)"
    return said
