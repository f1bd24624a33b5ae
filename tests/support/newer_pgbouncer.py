"""`python -m tests.support.newer_pgbouncer`: a PgBouncer that manages prepared statements, beside that of the system.

Debian 12 has 1.18. The package of Debian 13 and those of its libraries are unpacked into a folder, and the program runs
with the loader from there. The packages of the system stay as they are.
"""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from embedded.copies import private_folder

RELEASE: Final = "trixie"
_LIBRARIES: Final = (
    *("libc6", "libcares2", "libevent-2.1-7t64", "libpam0g", "libssl3t64", "libsystemd0", "libaudit1"),
    *("libcap-ng0", "libcap2", "libzstd1", "zlib1g"),
)
_KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TARGETS: Final = ("Created-By: Packages", "Origin: Debian", "Label: Debian")
_SECONDS: Final = 60
"""For each step; all downloads together are one."""
MISSING: Final = (
    f"PgBouncer of Debian {RELEASE} cannot be had here (apt-get, a source of Debian and {_KEYRING} are needed):"
    " the tests with a PgBouncer that manages prepared statements will be left out."
)
_PROGRAM: Final = """\
#!/bin/sh
exec {loader} --library-path {libraries} {program} "$@"
"""


def find() -> str | None:
    """The program, if it has been installed."""
    try:
        program = private_folder(Path(tempfile.gettempdir())) / f"pgbouncer-{RELEASE}" / "pgbouncer"
    except OSError:
        return None
    return str(program) if _runs(program) else None


def find_or_install() -> str | None:
    """The program, which is installed unless it is there; None if it cannot be had."""
    try:
        return find() or _install()
    except (OSError, subprocess.SubprocessError):
        return None


def main() -> int:
    """Print where the program is, or one line that says why there is none."""
    sys.stdout.write(f"{find_or_install() or MISSING}\n")
    return 0


def _install() -> str | None:
    source = _source()
    if source is None:
        return None
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        fresh = folder / "programs"
        _download(folder, source)
        for package in folder.glob("*.deb"):
            _run("dpkg-deb", "--extract", str(package), str(fresh))
        target = private_folder(Path(tempfile.gettempdir())) / f"pgbouncer-{RELEASE}"
        shutil.rmtree(target, ignore_errors=True)
        _open_up(fresh)
        _write_program(fresh, target)
        shutil.move(fresh, target)
    return find()


def _source() -> str | None:
    """The next release at the place from which this machine has its packages, as a line of sources.list."""
    if shutil.which("apt-get") is None or not _KEYRING.exists():
        return None
    places = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", *_TARGETS).split()
    return f"deb [signed-by={_KEYRING}] {places[0]} {RELEASE} main\n" if places else None


def _download(folder: Path, source: str) -> None:
    """Get the packages, with lists and caches in *folder*."""
    (folder / "sources.list").write_text(source)
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    options = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "",
    }
    given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    _run("apt-get", "-qq", *given, "update")
    _run("apt-get", "-qq", *given, "download", *(f"{name}/{RELEASE}" for name in ("pgbouncer", *_LIBRARIES)), at=folder)


def _open_up(root: Path) -> None:
    """Let the user of the server read and run everything."""
    for folder, _, names in os.walk(root):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IRGRP | stat.S_IROTH | (0o111 if path.is_dir() else 0))


def _write_program(fresh: Path, target: Path) -> None:
    """Write what starts PgBouncer with the loader and the libraries of its release."""
    [libraries] = fresh.glob("usr/lib/*-linux-gnu")
    loader = next(libraries.glob("ld-linux*.so.*"))
    places = {"loader": loader, "libraries": libraries, "program": fresh / "usr/sbin/pgbouncer"}
    program = fresh / "pgbouncer"
    program.write_text(_PROGRAM.format(**{name: target / path.relative_to(fresh) for name, path in places.items()}))
    program.chmod(0o755)


def _runs(program: Path) -> bool:
    try:
        return "PgBouncer" in _run(str(program), "--version")
    except (OSError, subprocess.SubprocessError):
        return False


def _run(*command: str, at: Path | None = None) -> str:
    """The output of a command.

    Raises:
        OSError: it does not exist.
        subprocess.SubprocessError: it fails, or takes too long.
    """
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True, cwd=at).stdout


if __name__ == "__main__":
    sys.exit(main())
