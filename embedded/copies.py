"""Copies the programs of a package to a folder where all users of this machine can run them.

This is necessary when the package is installed below a folder that only its owner may enter (such as root's home) and
the server runs as another user, or when an installer has lost the executable bits.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

# Folders that the programs do not need; half of all files are C headers.
NOT_NEEDED = ("__pycache__", "include")

_READ_AND_RUN = 0o555

# Used if only its owner may enter the temporary folder, or if programs in it cannot run.
_OTHER_PLACES = ("/var/tmp", "/var/lib")  # noqa: S108 (only a private folder in it, see private_folder)


def runnable_copies(name: str, trees: Sequence[Path]) -> Iterator[Path]:
    """Folders with a copy of *trees*, created on demand; the caller takes the next one if the programs cannot run.

    *name* is part of the folder's name. Folders that cannot be used are skipped.
    """
    for place in dict.fromkeys((tempfile.gettempdir(), *_OTHER_PLACES)):
        try:
            folder = private_folder(Path(place))
            yield _copy(folder / f"{name}-{_digest(trees)}", trees)
        except OSError:
            continue


def private_folder(place: Path) -> Path:
    """A folder in *place* that only this user can write.

    Raises:
        OSError: it cannot be created, or it belongs to another user: then its programs must not be run.
    """
    folder = place / f"taskriver-programs-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o700)
        folder.chmod(0o755)
    except FileExistsError:
        pass
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"{folder} belongs to another user, or others can write to it")
    return folder


def _files(tree: Path) -> Iterator[Path]:
    for folder, inner, names in os.walk(tree):
        inner[:] = sorted(set(inner) - set(NOT_NEEDED))
        yield from (Path(folder, name) for name in sorted(names))


def _digest(trees: Sequence[Path]) -> str:
    """A digest of the names, sizes and times of the files, which differs between versions."""
    digest = hashlib.sha256()
    for tree in trees:
        for file in _files(tree):
            status = file.stat()
            digest.update(f"{file.relative_to(tree.parent)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _copy(target: Path, trees: Sequence[Path]) -> Path:
    """Create the copy, and rename it when it is complete, so that no process sees an incomplete one."""
    if _intact(target, trees):
        return target
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        for tree in trees:
            shutil.copytree(tree, fresh / tree.name, ignore=shutil.ignore_patterns(*NOT_NEEDED))
        _open_up(fresh)
        _move(fresh, target, trees)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _intact(target: Path, trees: Sequence[Path]) -> bool:
    """Whether all files are complete: the system may have deleted old temporary files."""
    try:
        return all(
            (target / file.relative_to(tree.parent)).stat().st_size == file.stat().st_size
            for tree in trees
            for file in _files(tree)
        )
    except OSError:
        return False


def _open_up(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            path.chmod(_READ_AND_RUN | stat.S_IWUSR)


def _move(fresh: Path, target: Path, trees: Sequence[Path]) -> None:
    try:
        fresh.rename(target)
    except OSError:
        if _intact(target, trees):
            return  # another process was faster
        swept = Path(tempfile.mkdtemp(prefix=".old-", dir=target.parent))
        target.rename(swept / "programs")
        shutil.rmtree(swept, ignore_errors=True)
        fresh.rename(target)
