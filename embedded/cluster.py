"""Creates the data directory of a PostgreSQL, and gives another user access to it."""

import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from embedded.accounts import OSAccount
from embedded.binaries import PostgresPrograms
from embedded.errors import EmbeddedError, last_lines
from embedded.processes import Child

USER = "taskriver"
DATABASE = "taskriver"

_TIMEOUT_SECONDS = 60.0
_PLAN = ((signal.SIGKILL, 3.0),)


@contextmanager
def reachable(data: Path, account: OSAccount) -> Iterator[tuple[str, Sequence[int]]]:
    """A path by which *account* can open *data*, and the descriptors that its process must inherit.

    The folder may be below one that only root may enter, such as /root. So root opens the data directory, which the
    account owns, and the server uses the path of the open descriptor: the kernel follows it directly to the directory,
    without a permission check of the parents. Every process of the server inherits the descriptor.
    """
    if not account.differs or not Path("/proc/self/fd").is_dir():
        yield str(data), ()
        return
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def create_cluster(folder: Path, programs: PostgresPrograms, account: OSAccount) -> None:
    """Create *folder* with a password, a log, and a data directory with an empty database.

    The folder appears only when it is complete. Remains of interrupted attempts are removed.

    Raises:
        EmbeddedError: initdb or the server fails, or takes too long.
        OSError: the file system refuses.
    """
    for rest in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(rest, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{folder.name}.new-", dir=folder.parent))
    try:
        _fill(fresh, programs, account)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _fill(fresh: Path, programs: PostgresPrograms, account: OSAccount) -> None:
    data = fresh / "data"
    data.mkdir(mode=0o700)
    account.give(data)
    password = secrets.token_hex(20)
    secret_file = fresh / "password"
    secret_file.touch(mode=0o600)
    secret_file.write_text(password + "\n")
    with reachable(data, account) as (path, open_files), tempfile.TemporaryFile() as secret:
        # A file without a name, owned by the account: initdb reads it, and it is deleted when this process ends.
        secret.write(password.encode())
        secret.seek(0)
        account.give_open(secret.fileno())
        arguments = ["-D", path, f"--pwfile=/dev/fd/{secret.fileno()}", *_choices(programs)]
        inherited = (*open_files, secret.fileno())
        _run([str(programs.folder / "initdb"), *arguments], fresh / "log", account, inherited)
        _create_first_database(path, programs, fresh / "log", account, open_files)


def _choices(programs: PostgresPrograms) -> list[str]:
    """The options of initdb: the same collation on every system, and no fsync.

    Without fsync, a crash of the machine within seconds after the first start can damage the new, empty data. With
    fsync, every first start would be slower.
    """
    if programs.major >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C", f"--lc-ctype={'UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}"]
    return ["--username", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", *locale]


def _create_first_database(
    path: str, programs: PostgresPrograms, log: Path, account: OSAccount, open_files: Sequence[int]
) -> None:
    # The single-user mode needs no port and no password.
    command = [str(programs.folder / "postgres"), "--single", "-D", path, "-c", "fsync=off", "postgres"]
    _run(command, log, account, open_files, input_text=f"CREATE DATABASE {DATABASE}\n")


def _run(
    command: Sequence[str], log: Path, account: OSAccount, open_files: Sequence[int], input_text: str | None = None
) -> None:
    child = Child(command, log=log, plan=_PLAN, account=account, input_text=input_text, open_files=open_files)
    try:
        in_time = child.wait(_TIMEOUT_SECONDS)
    finally:
        child.terminate()
    if not in_time or child.exit_status != 0:
        what = f"failed (status {child.exit_status})" if in_time else f"took longer than {_TIMEOUT_SECONDS:.0f} s"
        raise EmbeddedError(f"The creation of a database in {log.parent.parent} {what}: {last_lines(log)}")
