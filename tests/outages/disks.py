"""Small disks that can be filled, and that can stop: file systems of their own, which only root can mount."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_CHUNK: Final = b"\0" * 65_536
_REFILL_SECONDS: Final = 0.2


class NoDiskError(Exception):
    """A disk cannot be mounted here; the message says why, and what to do."""


class SmallDisk:
    """A mounted file system in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    async def full(self, seconds: float) -> None:
        """Keep the disk full for some time: what is freed meanwhile is filled again."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await asyncio.to_thread(self._fill)
                    await asyncio.sleep(_REFILL_SECONDS)
        except TimeoutError:
            self._ballast.unlink()

    async def stop(self, seconds: float) -> None:
        """Let every write wait for some time (`fsfreeze`). A shell resumes the disk, also if this process ends."""
        place = str(self.folder)
        script = 'fsfreeze --freeze "$1" && { sleep "$2"; fsfreeze --unfreeze "$1"; }'
        shell = await asyncio.create_subprocess_exec("sh", "-c", script, "sh", place, str(seconds))
        if await asyncio.shield(shell.wait()) != 0:
            raise NoDiskError(f"fsfreeze cannot stop {place}.")

    @property
    def is_filled(self) -> bool:
        """Whether nothing more can be written."""
        return self._ballast.exists() and os.statvfs(self.folder).f_bavail == 0

    def _fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(_CHUNK)


@contextmanager
def memory_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A disk in memory (tmpfs).

    Raises:
        NoDiskError: this user may not mount it.
    """
    with _mounted(folder, ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=711", "tmpfs"]) as disk:
        yield disk


@contextmanager
def file_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A disk with ext4 in a file next to *folder*.

    Raises:
        NoDiskError: this user may not mount it, or a program is missing.
    """
    image = folder.with_suffix(".image")
    with image.open("wb") as file:
        file.truncate(megabytes * 2**20)
    _run("mkfs.ext4", "-q", str(image))
    with _mounted(folder, ["-o", "loop", str(image)]) as disk:
        folder.chmod(0o711)
        yield disk
    image.unlink()


@contextmanager
def _mounted(folder: Path, arguments: list[str]) -> Iterator[SmallDisk]:
    folder.mkdir()
    if os.geteuid() != 0:
        raise NoDiskError("Only root can mount a disk: run this as root, for example in a container that may mount.")
    _run("mount", *arguments, str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        _run("umount", str(folder))


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoDiskError(f"There is no {command[0]}: install it (Debian: e2fsprogs, mount).") from None
    if done.returncode != 0:
        raise NoDiskError(f"{' '.join(command)} failed: {done.stderr.strip()}")
