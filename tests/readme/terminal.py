"""A terminal that types the commands of a page."""

import os
import subprocess
from pathlib import Path

import embedded
from tests.readme.text import ROOT
from tests.support.waiting import HANG_SECONDS


class Terminal:
    """A shell in the repository; the address and the files below /tmp that a page names are those of the test."""

    def __init__(self, folder: Path, url: str) -> None:
        """*folder* is where the `taskriver dev` at *url* runs."""
        self._folder, self._url = folder, url
        servers = embedded.found(folder / ".taskriver")
        assert servers is not None
        self._environment = os.environ | {"DATABASE_URL": servers.database_url, "TMPDIR": str(folder)}

    def start(self, script: str) -> "subprocess.Popen[str]":
        """Begin a script that ends at the first command that fails."""
        mine = script.replace("http://127.0.0.1:8000", self._url).replace("/tmp/watch-", f"{self._folder}/watch-")  # noqa: S108
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", mine],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def run(self, script: str) -> str:
        """What a script prints; it succeeds."""
        with self.start(script) as shell:
            out, _ = shell.communicate(timeout=HANG_SECONDS)
        assert shell.returncode == 0, out
        return out
