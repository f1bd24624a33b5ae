"""`/metrics` for Prometheus, on a separate port, in a thread."""

import threading
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from observability.histogram import BOUNDS
from observability.metrics import METRICS, Metric, MetricKind, Samples, Snapshot

_ENDS: Final = (*map(str, BOUNDS), "+Inf")


def listen(host: str, port: int, read: Callable[[], Snapshot]) -> Callable[[], None]:
    """Serve the metrics; *read* is called for each request. Returns the function that stops the server.

    Raises:
        OSError: the port is in use, or this machine does not have the address.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Families(read))
    server, thread = start_http_server(port, host, registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


class Families(Collector):
    """All metrics, as a collector of the client library."""

    def __init__(self, read: Callable[[], Snapshot]) -> None:
        self._read = read
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Family]:
        """All metrics, including those without a value."""
        with self._lock:
            snapshot = self._read()
        for metric in METRICS:
            samples = snapshot.get(metric.name, {})
            yield _histogram(metric, samples) if metric.kind is MetricKind.HISTOGRAM else _numbers(metric, samples)


def _numbers(metric: Metric, samples: Samples) -> Family:
    kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples.items():
        assert not isinstance(value, tuple)
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, samples: Samples) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples.items():
        assert isinstance(value, tuple)
        buckets, total = value
        family.add_metric(labels, list(zip(_ENDS, accumulate(buckets), strict=True)), total)
    return family
