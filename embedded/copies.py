"""A copy of a package's programs where every user of this machine can run them.

Needed when the package was installed below a folder that only its owner may enter (root's home, say) while
the server runs as somebody else, and when an installer lost the executable bits.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

# Folders that no running program opens; half of all the files are C headers.
NOT_NEEDED = ("__pycache__", "include")

_READ_AND_RUN = 0o555

# For when the temporary folder is the user's own, or no program may be run from it.
_OTHER_PLACES = ("/var/tmp", "/var/lib")  # noqa: S108 (only a folder in it that is ours, see _shelf)


def runnable_copies(name: str, trees: Sequence[Path]) -> Iterator[Path]:
    """Folders that hold a copy of *trees* side by side, made when asked for; the next one if one does not do.

    *name* is only for people to read. Places that cannot be used are passed over.
    """
    for place in dict.fromkeys((tempfile.gettempdir(), *_OTHER_PLACES)):
        try:
            shelf = _shelf(Path(place))
            yield _copy(shelf / f"{name}-{_digest(trees)}", trees)
        except OSError:
            continue


def _shelf(place: Path) -> Path:
    """Our own folder in *place*.

    Raises:
        OSError: if it cannot be made, or somebody else has put something in its way: then what is in there is
            not ours to run.
    """
    shelf = place / f"taskriver-programs-{os.geteuid()}"
    try:
        shelf.mkdir(mode=0o700)
        shelf.chmod(0o755)
    except FileExistsError:
        pass
    status = shelf.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"{shelf} is not ours")
    return shelf


def _files(tree: Path) -> Iterator[Path]:
    for folder, inner, names in os.walk(tree):
        inner[:] = sorted(set(inner) - set(NOT_NEEDED))
        yield from (Path(folder, name) for name in sorted(names))


def _digest(trees: Sequence[Path]) -> str:
    """Another one for every version: the names, sizes and times of the files."""
    digest = hashlib.sha256()
    for tree in trees:
        for file in _files(tree):
            status = file.stat()
            digest.update(f"{file.relative_to(tree.parent)}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _copy(target: Path, trees: Sequence[Path]) -> Path:
    """Make the copy whole, then give it its name: nobody ever sees half of one."""
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
    """Whether every file is there in full: temporary folders are swept by the system now and then."""
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
