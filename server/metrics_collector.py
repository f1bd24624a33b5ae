"""What the parts of a process say about themselves, read when somebody asks: nothing is pushed while they work."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_SELF, getpagesize, getrusage
from typing import Final

from graphql_api.auth.passwords import Passwords
from graphql_api.auth.rate_limits import RateLimiter
from graphql_api.execution.compiled_executor import CompiledExecutor
from graphql_api.execution.documents import Documents
from observability import metrics
from observability.file_descriptors import FileDescriptors
from observability.metrics import Metric, Samples, Snapshot, Value
from observability.request_records import RequestRecords
from persistence.database import LOG_POOL_SIZE, Database
from server.oldest_snapshot import OldestSnapshot
from streaming.connections import Connections
from streaming.lease import LEASE_SECONDS
from streaming.stream import Stream

_STATM: Final = Path("/proc/self/statm")
_LONG_AGO: Final = 86_400.0
"""Shown for a log that was never read: a day, since charts have no room for infinity."""


@dataclass(frozen=True, slots=True)
class MetricsCollector:
    """One process's parts; *leaving* is whether it turns requests away."""

    requests: RequestRecords
    documents: Documents
    compiled: CompiledExecutor | None
    database: Database
    pool_size: int
    passwords: Passwords
    throttle: RateLimiter
    connections: Connections
    stream: Stream
    descriptors: FileDescriptors
    oldest_snapshot: OldestSnapshot
    leaving: Callable[[], bool]

    def take(self) -> Snapshot:
        """All their numbers, now."""
        self.requests.settle()
        found = self._of_requests() | self._of_the_stream() | self._of_the_process()
        return {metric.name: samples for metric, samples in found.items()}

    def _of_requests(self) -> dict[Metric, Samples]:
        requests, documents = self.requests, self.documents
        in_use, log_in_use = self.database.connections
        refused, log_refused = self.database.refused_connections
        return {
            metrics.REQUESTS: dict(requests.ended.items()),
            metrics.REQUEST_SECONDS: {labels: metrics.of(each) for labels, each in requests.durations.items()},
            metrics.DOCUMENTS: {
                ("found",): documents.found,
                ("read",): documents.read,
                ("refused",): documents.refused,
            },
            metrics.OPERATIONS: self._of_the_ways(),
            metrics.STATEMENTS: _one(self.database.statements.count),
            metrics.CONNECTIONS: {("requests",): in_use, ("log",): log_in_use},
            metrics.CONNECTIONS_MAX: {("requests",): self.pool_size, ("log",): LOG_POOL_SIZE},
            metrics.CONNECTIONS_REFUSED: {("requests",): refused, ("log",): log_refused},
            metrics.SNAPSHOT_AGE: _one(self.oldest_snapshot.seconds),
            metrics.SNAPSHOT_TRANSACTIONS: _one(self.oldest_snapshot.transactions),
            metrics.PASSWORDS_WAITING: _one(self.passwords.waiting),
            metrics.THROTTLED: {(limit,): count for limit, count in self.throttle.refused.items()},
        }

    def _of_the_ways(self) -> Samples:
        if self.compiled is None:
            return {}
        return {("compiled",): self.compiled.ran, ("general",): self.compiled.left}

    def _of_the_stream(self) -> dict[Metric, Samples]:
        stream, counters = self.stream, self.stream.counters
        return {
            metrics.SOCKETS: _one(self.connections.count),
            metrics.SUBSCRIPTIONS: _one(stream.subscribers),
            metrics.SUBSCRIPTIONS_BEHIND: _one(stream.behind),
            metrics.QUEUED: _one(stream.queued),
            metrics.RECORDED: _one(self.database.recorded),
            metrics.NUMBERED: _one(counters.numbered),
            metrics.TOLD: _one(counters.told),
            metrics.DELIVERED: _one(counters.delivered),
            metrics.REPLAYS: _one(counters.replays),
            metrics.RESYNCS: _one(counters.resyncs),
            metrics.UNKNOWN_EVENTS: {
                ("skipped",): counters.skipped,
                ("read_in_part",): counters.read_in_part,
                ("rights_read_again",): counters.unknown_access,
            },
            metrics.GAPS: _one(counters.gaps),
            metrics.CHIMES: _one(counters.chimes),
            metrics.UNREAD: _one(stream.unread),
            metrics.DELIVERY_SECONDS: _one(metrics.of(counters.telling)),
            metrics.REVOCATION_SECONDS: _one(metrics.of(counters.revoking)),
            metrics.LEASE_AGE: _one(min(stream.lease_age, _LONG_AGO)),
        }

    def _of_the_process(self) -> dict[Metric, Samples]:
        ready = self.stream.lease_age < LEASE_SECONDS and not self.leaving()
        return {
            metrics.PROCESSES: _one(1),
            metrics.READY: _one(int(ready)),
            metrics.BELL: _one(int(self.stream.healthy)),
            metrics.REFUSED: _one(int(self.stream.is_refused)),
            metrics.EXHAUSTED: _one(self.descriptors.exhausted_seconds),
            metrics.CPU: _one(time.process_time()),
            metrics.MEMORY: _one(_resident_bytes()),
        }


def _one(value: Value) -> Samples:
    return {(): value}


def _resident_bytes() -> int:
    try:
        return int(_STATM.read_text().split()[1]) * getpagesize()
    except OSError:
        return getrusage(RUSAGE_SELF).ru_maxrss  # where there is no /proc, the most it ever was, in bytes on macOS
