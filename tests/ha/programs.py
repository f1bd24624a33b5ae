"""The programs of the cluster: packages of Debian, Patroni, and the servers of the product's own tests."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from embedded.accounts import OSAccount
from embedded.binaries import PostgresPrograms, find_postgres, find_valkey
from tests.ha.patroni import find_patroni

PACKAGES: Final = {"etcd": "etcd-server", "haproxy": "haproxy", "pgbouncer": "pgbouncer"}
"""The package of each program."""
_WAIT: Final = ("-o", "DPkg::Lock::Timeout=120")
"""For another program that installs packages at the moment."""
_PLACES: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
_POLICY: Final = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Programs:
    """The programs, and the user as whom they run: PostgreSQL refuses to run as root."""

    account: OSAccount
    postgres: PostgresPrograms
    valkey: Path
    patroni: str
    etcd: str
    haproxy: str
    pgbouncer: str

    def versions(self, *, pooler: bool) -> dict[str, str]:
        """The version of each program; of PgBouncer only with *pooler*."""
        asked = {
            "PostgreSQL": [str(self.postgres.folder / "postgres"), "--version"],
            "Patroni": [self.patroni, "--version"],
            "etcd": [self.etcd, "--version"],
            "HAProxy": [self.haproxy, "-v"],
            "Valkey": [str(self.valkey), "--version"],
        }
        if pooler:
            asked["PgBouncer"] = [self.pgbouncer, "--version"]
        return {name: _version(command) for name, command in asked.items()}


def find_or_install(account: OSAccount) -> Programs | None:
    """The programs. Root installs what is missing with apt-get; None if they cannot be had."""
    if _missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
    patroni = None if _missing() else find_patroni(account)
    if patroni is None:
        return None
    found = {name: _found(name) or "" for name in PACKAGES}
    return Programs(account, find_postgres(account), find_valkey(account), patroni, **found)


def _missing() -> list[str]:
    return [name for name in PACKAGES if not _found(name)]


def _found(name: str) -> str | None:
    return shutil.which(name, path=_PLACES)


def _install() -> None:
    """Install the packages. A failure shows when the programs are searched again."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with _services_stay_stopped():
        for step in (["update"], ["install", "--no-install-recommends", *PACKAGES.values()]):
            subprocess.run(["apt-get", "-qq", "-y", *_WAIT, *step], env=environment, capture_output=True, check=False)


@contextmanager
def _services_stay_stopped() -> Iterator[None]:
    """During the block, the installation of a package starts no service: this file forbids it (invoke-rc.d)."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout)
    return found[0] if found else "unknown"
