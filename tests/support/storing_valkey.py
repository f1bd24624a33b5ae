"""A Valkey with a folder of its own, for its data or its certificates."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from embedded.accounts import OSAccount, account_for
from embedded.binaries import find_valkey
from embedded.cluster import reachable
from embedded.processes import Child
from embedded.valkey import Valkey
from tests.support.certificates import Authority, Certificate

_SLOWLY: Final = """\
key-load-delay 1000
loading-process-events-interval-bytes 1024
"""
"""1 ms for each key, and requests are answered after each kilobyte."""


class StoringValkey(Valkey):
    """Loads at its start what SAVE has stored. With *loads_slowly* this takes a second for a thousand keys."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.data = self.folder / "data"
        self.loads_slowly = False
        self._account = account_for()

    def _prepare(self) -> None:
        super()._prepare()
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
            self._account.give(self.data)

    def _launch(self, port: int) -> Child:
        with reachable(self.data, self._account) as (path, open_files):
            return Child(
                [str(self._program()), "-"],
                log=self.log,
                plan=self.plan,
                account=self._account,
                input_text=self._configuration(port) + self._settings(port, path),
                open_files=open_files,
            )

    def _program(self) -> Path:
        return find_valkey(self._account)

    def _settings(self, port: int, path: str) -> str:
        """The last lines of the configuration; *path* is where the server finds the folder."""
        return f"dir {path}\nrdbcompression no\n{_SLOWLY if self.loads_slowly else ''}"


@dataclass(frozen=True)
class ServerTLS:
    """A program with TLS, and its certificate. It accepts only clients with a certificate of the authority."""

    program: Path
    authority: Authority
    certificate: Certificate

    def copy_to(self, folder: Path, account: OSAccount) -> None:
        """Copy the files for the user of the server."""
        files = {"ca.pem": self.authority.file, "server.pem": self.certificate.file, "server.key": self.certificate.key}
        for name, file in files.items():
            shutil.copy(file, folder / name)
            account.give(folder / name)

    def settings(self, port: int, path: str) -> str:
        """Lines of the configuration, also for connections to other servers. *path* has the files."""
        return (
            f"port 0\ntls-port {port}\ntls-replication yes\ntls-ca-cert-file {path}/ca.pem\n"
            f"tls-cert-file {path}/server.pem\ntls-key-file {path}/server.key\n"
        )


class TLSValkey(StoringValkey):
    """Accepts only TLS, from clients with a certificate of the authority."""

    def __init__(self, folder: Path, tls: ServerTLS) -> None:
        super().__init__(folder)
        self._tls = tls

    def _prepare(self) -> None:
        super()._prepare()
        self._tls.copy_to(self.data, self._account)

    def _program(self) -> Path:
        return self._tls.program

    def _settings(self, port: int, path: str) -> str:
        return self._tls.settings(port, path)


def find_tls_program() -> Path | None:
    """An installed server that is built with TLS; None if there is none. That of the wheel is not."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/bin", "/usr/local/bin"))
    for name in ("valkey-server", "redis-server"):
        program = shutil.which(name, path=path)
        if program and b"SSL_CTX_new" in Path(program).resolve().read_bytes():
            return Path(program)
    return None


def server_tls(authority: Authority, certificate: Certificate) -> ServerTLS:
    """TLS for a server; without a program for it, the test is left out."""
    program = find_tls_program()
    if program is None:
        pytest.skip("No installed valkey-server or redis-server is built with TLS (apt-get install redis-server).")
    return ServerTLS(program, authority, certificate)
