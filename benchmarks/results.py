"""The measurements, stored line by line, so that a long comparison can be continued."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measurement:
    """One peer in one round. `value` has the unit of the workload; only values of the same `round` are comparable.

    `numbers` are milliseconds (`p50`, `p95`, `p99`, `longest`, `alone`, the p50 of one connection, and
    `delivery_p50` and `delivery_p95`), megabytes (`memory`), the share of its core that the server used (`busy`), and
    requests per second of the server's processor time (`per_cpu`, and `alone_per_cpu` with one connection).
    """

    what: str
    peer: str
    round: int
    value: float
    numbers: dict[str, float]
    commit: str = ""
    """The commit that was measured, see `machine.commit`."""


class Results:
    """A file of measurements."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> list[Measurement]:
        """All measurements."""
        if not self._file.exists():
            return []
        return [Measurement(**json.loads(line)) for line in self._file.read_text().splitlines()]

    def add(self, some: Iterable[Measurement], commit: str = "") -> None:
        """Add the measurements of a complete round at this commit."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as out:
            out.writelines(f"{json.dumps(asdict(replace(each, commit=commit)))}\n" for each in some)

    def forget(self) -> None:
        """Remove the file."""
        self._file.unlink(missing_ok=True)
