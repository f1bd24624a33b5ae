"""Certificates of an own authority, made by the program openssl."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_DAYS: Final = "2"


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate and its key, in PEM format."""

    file: Path
    key: Path


class Authority:
    """A certificate authority with its files in *folder*."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("There is no openssl to make certificates with.")
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.file = folder / "ca.pem"
        self._key = folder / "ca.key"
        self._run("req", "-x509", *_new_key(self._key), "-subj", "/CN=An authority", "-days", _DAYS, "-out", self.file)

    def issue(self, name: str, *, alternative_name: str = "IP:127.0.0.1") -> Certificate:
        """A certificate for a server or a client."""
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        self._run(
            *("req", "-x509", *_new_key(made.key), "-subj", f"/CN={name}", "-days", _DAYS),
            *("-addext", f"subjectAltName={alternative_name}", "-addext", "basicConstraints=critical,CA:FALSE"),
            *("-CA", self.file, "-CAkey", self._key, "-out", made.file),
        )
        return made

    def encrypt(self, certificate: Certificate, to: Path) -> Path:
        """The key of a certificate, with a passphrase."""
        self._run("ec", "-in", certificate.key, "-aes256", "-passout", "pass:secret", "-out", to)
        return to

    def _run(self, *arguments: str | Path) -> None:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _new_key(file: Path) -> tuple[str | Path, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", file)
