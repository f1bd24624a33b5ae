"""The data directory of a PostgreSQL: making one, and reaching it as somebody else."""

import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from embedded.accounts import Account
from embedded.binaries import PostgresPrograms
from embedded.errors import EmbeddedError, last_lines
from embedded.processes import Child

USER = "taskriver"
DATABASE = "taskriver"

_PATIENCE = 60.0
_PLAN = ((signal.SIGKILL, 3.0),)


@contextmanager
def reachable(data: Path, account: Account) -> Iterator[tuple[str, Sequence[int]]]:
    """A path by which *account* reaches *data*, and the descriptors its process must inherit for that.

    Root's folder may be below one that only root may enter (/root, a private checkout), but the data belong
    in it. So root opens the data directory, which the account owns, and the server is told to find it among
    its own open files: the kernel follows such a link straight to the directory, past its parents. Every
    process of the server inherits the descriptor. Keeping the data elsewhere would need somewhere to keep
    track of them, and opening up the parents would be nobody's wish.
    """
    if not account.differs or not Path("/proc/self/fd").is_dir():
        yield str(data), ()
        return
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def create_cluster(folder: Path, programs: PostgresPrograms, account: Account) -> None:
    """Make *folder* with a password, a log and a data directory, in which there is an empty database.

    It appears whole or not at all. What killed attempts have left is removed.

    Raises:
        EmbeddedError: if initdb or the server fails, or takes too long.
        OSError: if the file system refuses.
    """
    for rest in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(rest, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{folder.name}.new-", dir=folder.parent))
    try:
        _fill(fresh, programs, account)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _fill(fresh: Path, programs: PostgresPrograms, account: Account) -> None:
    data = fresh / "data"
    data.mkdir(mode=0o700)
    account.give(data)
    password = secrets.token_hex(20)
    secret_file = fresh / "password"
    secret_file.touch(mode=0o600)
    secret_file.write_text(password + "\n")
    with reachable(data, account) as (path, open_files), tempfile.TemporaryFile() as secret:
        # A file without a name, owned by the account: initdb reads it, and it is gone when we are.
        secret.write(password.encode())
        secret.seek(0)
        account.give_open(secret.fileno())
        arguments = ["-D", path, f"--pwfile=/dev/fd/{secret.fileno()}", *_choices(programs)]
        inherited = (*open_files, secret.fileno())
        _run([str(programs.folder / "initdb"), *arguments], fresh / "log", account, inherited)
        _create_first_database(path, programs, fresh / "log", account, open_files)


def _choices(programs: PostgresPrograms) -> list[str]:
    """The same collation on every system, no sockets, and no waiting for the disk.

    Should the machine itself fall over within seconds of the first start, the new and still empty data may be
    broken; waiting for the disk would cost every first start more than that is worth.
    """
    if programs.major >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C", f"--lc-ctype={'UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}"]
    return ["--username", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", *locale]


def _create_first_database(
    path: str, programs: PostgresPrograms, log: Path, account: Account, open_files: Sequence[int]
) -> None:
    # A server for one, without port or password: the only one to use before the folder has its name.
    command = [str(programs.folder / "postgres"), "--single", "-D", path, "-c", "fsync=off", "postgres"]
    _run(command, log, account, open_files, told=f"CREATE DATABASE {DATABASE}\n")


def _run(
    command: Sequence[str], log: Path, account: Account, open_files: Sequence[int], told: str | None = None
) -> None:
    child = Child(command, log=log, plan=_PLAN, account=account, told=told, open_files=open_files)
    try:
        in_time = child.wait(_PATIENCE)
    finally:
        child.put_down()
    if not in_time or child.exit_status != 0:
        what = f"failed (status {child.exit_status})" if in_time else f"took longer than {_PATIENCE:.0f} s"
        raise EmbeddedError(f"Making a database in {log.parent.parent} {what}: {last_lines(log)}")
