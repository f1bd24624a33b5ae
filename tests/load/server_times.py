"""Durations that the server measures, from its metrics endpoint: the load generator does not delay them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from observability import metrics
from observability.metrics import Metric
from tests.load.figures import Figures

COMMIT_TO_WRITE: Final = "in the server: commit to write"
BEFORE_FILE: Final = "LOAD_BEFORE"
METRICS_PORT: Final = "LOAD_METRICS_PORT"


@dataclass(frozen=True, slots=True)
class Durations:
    """A histogram: the upper bound of each bucket in seconds, how many durations it has, and the sum of all."""

    bounds: Sequence[float]
    counts: Sequence[float]
    sum: float

    def since(self, before: "Durations") -> "Durations":
        """What was added since an earlier reading."""
        counts = [after - earlier for after, earlier in zip(self.counts, before.counts, strict=True)]
        return Durations(self.bounds, counts, self.sum - before.sum)

    def quantile(self, share: float) -> float:
        """Seconds within which this share of the durations lies, interpolated as Prometheus does; 0 without any."""
        wanted, start = share * sum(self.counts), 0.0
        for bound, count in zip(self.bounds, self.counts, strict=True):
            if count and wanted <= count:
                return start if bound == float("inf") else start + (bound - start) * wanted / count
            wanted, start = wanted - count, bound
        return 0.0


def save(durations: Durations, file: Path) -> None:
    """Write the values to a file."""
    file.write_text(json.dumps(asdict(durations)))


def load(file: Path) -> Durations:
    """The values in a file."""
    return Durations(**json.loads(file.read_text()))


def read(port: int, metric: Metric = metrics.WRITE_SECONDS) -> Durations:
    """The current values of a histogram without labels."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return parsed(text, metric)


def parsed(text: str, metric: Metric) -> Durations:
    """The histogram in a response of the metrics endpoint."""
    bounds, totals, total = [], [0.0], 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples if family.name == metric.name else ():
            if sample.name.endswith("_bucket"):
                bounds.append(float(sample.labels["le"]))
                totals.append(sample.value)
            elif sample.name.endswith("_sum"):
                total = sample.value
    return Durations(bounds, [after - before for before, after in pairwise(totals)], total)


def figures(durations: Durations, seconds: float, title: str = COMMIT_TO_WRITE) -> Figures:
    """A row of the table; the longest time is the end of its bucket."""
    count = sum(durations.counts)
    p50, p95, p99, longest = (1_000 * durations.quantile(share) for share in (0.5, 0.95, 0.99, 1.0))
    average = 1_000 * durations.sum / count if count else 0.0
    return Figures(title, int(count), 0, average, p50, p95, p99, longest, count / seconds)
