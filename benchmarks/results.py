"""What was measured, kept line by line, so that a long comparison can be made in pieces."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measurement:
    """One peer, once. `value` is in the unit of what was measured; only those of one `round` are comparable.

    `numbers` holds what else was seen: milliseconds (`p50`, `p95`, `p99`, `longest`, `alone`), megabytes (`memory`),
    the share of its core that the server used (`busy`), and requests per second of that (`per_cpu`).
    """

    what: str
    peer: str
    round: int
    value: float
    numbers: dict[str, float]


class Results:
    """A file of measurements; later ones are added."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> list[Measurement]:
        """All there are."""
        if not self._file.exists():
            return []
        return [Measurement(**json.loads(line)) for line in self._file.read_text().splitlines()]

    def add(self, some: Iterable[Measurement]) -> None:
        """Add those of a whole round."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as out:
            out.writelines(f"{json.dumps(asdict(each))}\n" for each in some)

    def forget(self) -> None:
        """Begin anew."""
        self._file.unlink(missing_ok=True)
