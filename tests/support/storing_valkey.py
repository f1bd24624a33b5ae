"""A Valkey that keeps its data on disk."""

from pathlib import Path
from typing import Final

from embedded.accounts import account_for
from embedded.binaries import find_valkey
from embedded.cluster import reachable
from embedded.processes import Child
from embedded.valkey import Valkey

_SLOWLY: Final = """\
key-load-delay 1000
loading-process-events-interval-bytes 1024
"""
"""1 ms for each key, and requests are answered after each kilobyte."""


class StoringValkey(Valkey):
    """Loads at its start what SAVE has stored. With *loads_slowly* this takes a second for a thousand keys."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.loads_slowly = False
        self._account = account_for()

    def _prepare(self) -> None:
        super()._prepare()
        data = self.folder / "data"
        if not data.exists():
            data.mkdir(mode=0o700)
            self._account.give(data)

    def _launch(self, port: int) -> Child:
        with reachable(self.folder / "data", self._account) as (path, open_files):
            return Child(
                [str(find_valkey(self._account)), "-"],
                log=self.log,
                plan=self.plan,
                account=self._account,
                input_text=f"{self._configuration(port)}dir {path}\nrdbcompression no\n{_SLOWLY if self.loads_slowly else ''}",
                open_files=open_files,
            )
