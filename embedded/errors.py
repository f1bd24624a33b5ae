"""The one refusal of this package."""

import errno
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
