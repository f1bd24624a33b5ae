"""Collects the metrics of a process when they are requested; nothing is pushed."""

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
from graphql_api.execution.trusted_documents import TrustedDocuments
from observability import metrics
from observability.file_descriptors import FileDescriptors
from observability.metrics import Metric, Samples, Snapshot, Value
from observability.request_records import RequestRecords
from persistence.database import LOG_POOL_SIZE, Database
from server.mail_worker import MailWorker
from server.oldest_snapshot import OldestSnapshot
from streaming.connections import Connections
from streaming.lease import LEASE_SECONDS
from streaming.stream import Stream

_STATM: Final = Path("/proc/self/statm")
_MAX_LEASE_AGE: Final = 86_400.0
"""The value for a log that was never read: a day, because charts cannot show infinity."""


@dataclass(frozen=True, slots=True)
class MetricsCollector:
    """The parts of one process; *is_draining* is whether it refuses new requests."""

    requests: RequestRecords
    documents: Documents
    trusted: TrustedDocuments | None
    compiled: CompiledExecutor | None
    database: Database
    pool_size: int
    passwords: Passwords
    throttle: RateLimiter
    connections: Connections
    stream: Stream
    descriptors: FileDescriptors
    oldest_snapshot: OldestSnapshot
    mail_worker: MailWorker | None
    is_draining: Callable[[], bool]

    def collect(self) -> Snapshot:
        """The current values of all metrics."""
        self.requests.flush()
        found = self._request_metrics() | self._stream_metrics() | self._process_metrics()
        return {metric.name: samples for metric, samples in found.items()}

    def _request_metrics(self) -> dict[Metric, Samples]:
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
            metrics.OPERATIONS: self._operations(),
            **self._trusted_documents(),
            metrics.STATEMENTS: _sample(self.database.statements.count),
            metrics.CONNECTIONS: {("requests",): in_use, ("log",): log_in_use},
            metrics.CONNECTIONS_MAX: {("requests",): self.pool_size, ("log",): LOG_POOL_SIZE},
            metrics.CONNECTIONS_REFUSED: {("requests",): refused, ("log",): log_refused},
            metrics.SNAPSHOT_AGE: _sample(self.oldest_snapshot.seconds),
            metrics.SNAPSHOT_TRANSACTIONS: _sample(self.oldest_snapshot.transactions),
            metrics.PASSWORDS_WAITING: _sample(self.passwords.waiting),
            metrics.THROTTLED: {(limit,): count for limit, count in self.throttle.refused.items()},
            **self._mails(),
        }

    def _operations(self) -> Samples:
        if self.compiled is None:
            return {}
        return {("compiled",): self.compiled.compiled_count, ("general",): self.compiled.general_count}

    def _trusted_documents(self) -> dict[Metric, Samples]:
        if self.trusted is None:
            return {metrics.TRUSTED_DOCUMENTS: {}, metrics.UNTRUSTED_DOCUMENTS: {}}
        return {
            metrics.TRUSTED_DOCUMENTS: dict(self.trusted.used.items()),
            metrics.UNTRUSTED_DOCUMENTS: dict(self.trusted.untrusted.items()),
        }

    def _mails(self) -> dict[Metric, Samples]:
        worker = self.mail_worker
        counts = {(name,): worker.counts[name] if worker is not None else 0 for name in ("sent", "failed", "given_up")}
        return {
            metrics.MAILS: dict(counts.items()),
            metrics.MAILS_WAITING: _sample(worker.waiting.number if worker is not None else 0),
            metrics.MAIL_AGE: _sample(worker.waiting.oldest_seconds if worker is not None else 0.0),
        }

    def _stream_metrics(self) -> dict[Metric, Samples]:
        stream, counters = self.stream, self.stream.counters
        return {
            metrics.SOCKETS: _sample(self.connections.count),
            metrics.SUBSCRIPTIONS: _sample(stream.subscribers),
            metrics.SUBSCRIPTIONS_BEHIND: _sample(stream.behind),
            metrics.QUEUED: _sample(stream.queued),
            metrics.RECORDED: _sample(self.database.recorded),
            metrics.NUMBERED: _sample(counters.numbered),
            metrics.PROCESSED: _sample(counters.dispatched),
            metrics.NOT_DECODED: _sample(counters.not_decoded),
            metrics.DELIVERED: _sample(counters.delivered),
            metrics.REPLAYS: _sample(counters.replays),
            metrics.RESYNCS: _sample(counters.resyncs),
            metrics.UNKNOWN_EVENTS: {
                ("skipped",): counters.skipped,
                ("read_in_part",): counters.read_in_part,
                ("rights_read_again",): counters.unknown_access,
            },
            metrics.GAPS: _sample(counters.gaps),
            metrics.NOTIFICATIONS: _sample(counters.notifications),
            metrics.UNREAD: _sample(stream.unread),
            metrics.DELIVERY_SECONDS: _sample(metrics.of(counters.delivery_seconds)),
            metrics.WRITE_SECONDS: _sample(metrics.of(counters.write_seconds)),
            metrics.REVOCATION_SECONDS: _sample(metrics.of(counters.revocation_seconds)),
            metrics.LEASE_AGE: _sample(min(stream.lease_age, _MAX_LEASE_AGE)),
        }

    def _process_metrics(self) -> dict[Metric, Samples]:
        ready = self.stream.lease_age < LEASE_SECONDS and not self.is_draining()
        return {
            metrics.PROCESSES: _sample(1),
            metrics.READY: _sample(int(ready)),
            metrics.WITH_REDIS: _sample(int(self.stream.healthy)),
            metrics.REFUSED_BY_REDIS: _sample(int(self.stream.is_refused)),
            metrics.EXHAUSTED: _sample(self.descriptors.exhausted_seconds),
            metrics.CPU: _sample(time.process_time()),
            metrics.MEMORY: _sample(_resident_bytes()),
        }


def _sample(value: Value) -> Samples:
    return {(): value}


def _resident_bytes() -> int:
    try:
        return int(_STATM.read_text().split()[1]) * getpagesize()
    except OSError:
        return getrusage(RUSAGE_SELF).ru_maxrss  # without /proc: the peak value, in bytes on macOS
