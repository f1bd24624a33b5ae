"""All metrics: their names, descriptions, and how the values of several processes are merged."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from observability.histogram import Histogram

Value = float | tuple[list[int], float]
"""A number. For a histogram: the count per bucket and the sum."""

Samples = dict[tuple[str, ...], Value]
"""Values by the values of the labels."""

Snapshot = dict[str, Samples]
"""The samples of one process, by metric name."""


class MetricKind(StrEnum):
    """Counters only grow, gauges are current values."""

    COUNTER = "counter"
    GAUGE = "gauge"
    GREATEST = "greatest"
    """A gauge that is merged by maximum, not by sum."""
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, as in the table of docs/operations.md."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()


def _counter(name: str, help: str, *labels: str) -> Metric:
    return Metric(f"taskriver_{name}_total", MetricKind.COUNTER, help, labels)


def _gauge(name: str, help: str, *labels: str) -> Metric:
    return Metric(f"taskriver_{name}", MetricKind.GAUGE, help, labels)


def _greatest(name: str, help: str) -> Metric:
    return Metric(f"taskriver_{name}", MetricKind.GREATEST, help)


def _histogram(name: str, help: str, *labels: str) -> Metric:
    return Metric(f"taskriver_{name}_seconds", MetricKind.HISTOGRAM, help, labels)


REQUESTS: Final = _counter(
    "requests", "Requests that ended, including the operations on a socket.", "door", "operation", "code"
)
REQUEST_SECONDS: Final = _histogram(
    "request", "Duration of requests, from the head to the response. Without subscriptions.", "door", "operation"
)
DOCUMENTS: Final = _counter(
    "documents", "GraphQL documents: `found` in the cache, `read` (parsed), or `refused`.", "result"
)
TRUSTED_DOCUMENTS: Final = _counter(
    "trusted_documents",
    "Requests for trusted documents. `several`: clients that have the same one.",
    "client",
    "document",
)
UNTRUSTED_DOCUMENTS: Final = _counter(
    "untrusted_documents", "Requests for documents that are not trusted: `executed` or `refused`.", "client", "result"
)
OPERATIONS: Final = _counter(
    "operations", "Queries and mutations: `compiled`, or `general` (run by the general executor).", "way"
)
STATEMENTS: Final = _counter(
    "statements", "SQL statements sent. Status changes that share one statement count as one each."
)
CONNECTIONS: Final = _gauge("database_connections", "Database connections in use.", "pool")
CONNECTIONS_MAX: Final = _gauge("database_connections_max", "Maximum number of database connections.", "pool")
CONNECTIONS_REFUSED: Final = _counter(
    "database_connections_refused", "Database connections that failed to open while the pool had others.", "pool"
)
SNAPSHOT_AGE: Final = _greatest(
    "database_snapshot_age_seconds",
    "Age of the transaction with the oldest snapshot, which prevents PostgreSQL from removing old row versions.",
)
SNAPSHOT_TRANSACTIONS: Final = _greatest(
    "database_snapshot_transactions", "Transactions since the oldest snapshot. Replication slots count too."
)
PASSWORDS_WAITING: Final = _gauge("passwords_waiting", "Sign-ins that wait for a password hash.")
THROTTLED: Final = _counter("throttled", "Requests refused by a rate limit.", "limit")
MAILS: Final = _counter(
    "mails", "Attempts to send e-mail: `sent`, `failed` (they are repeated), or `given_up`.", "result"
)
MAILS_WAITING: Final = _greatest("mails_waiting", "E-mail that waits to be sent, in the database.")
MAIL_AGE: Final = _greatest("mail_age_seconds", "Age of the oldest e-mail that waits to be sent.")

SOCKETS: Final = _gauge("sockets", "Open WebSockets.")
SUBSCRIPTIONS: Final = _gauge("subscriptions", "Subscribers of the event stream.")
SUBSCRIPTIONS_BEHIND: Final = _gauge("subscriptions_behind", "Subscribers that read the event log to catch up.")
QUEUED: Final = _gauge("events_queued", "Events in the queues of subscribers.")
RECORDED: Final = _counter("events_recorded", "Events recorded, each in the transaction of its change.")
NUMBERED: Final = _counter("events_numbered", "Events that received their position.")
PROCESSED: Final = _counter("events_told", "Events processed by each process, with or without subscribers.")
NOT_DECODED: Final = _counter(
    "events_not_decoded", "Events processed without decoding them, because they concern no subscriber of the process."
)
DELIVERED: Final = _counter("events_delivered", "Items delivered to subscribers.")
REPLAYS: Final = _counter("replays", "Pages of the event log read for subscribers that reconnected or were too slow.")
RESYNCS: Final = _counter("resyncs", "Subscribers that had to reload everything (`ResyncRequired`).")
UNKNOWN_EVENTS: Final = _counter(
    "events_unknown",
    "Events of a newer version that a process decoded: `skipped`, `read_in_part`, or `rights_read_again`.",
    "reaction",
)
GAPS: Final = _counter("gaps", "Batches of events with a gap before them. The process then reads the log.")
NOTIFICATIONS: Final = _counter("chimes", "Messages received from Redis.")
UNREAD: Final = _greatest("events_unread", "Events in the log that a process has not processed yet.")
DELIVERY_SECONDS: Final = _histogram(
    "event_delivery",
    "Time from the start of a change until a process passed it to the queues of its subscribers."
    " Events that are not decoded do not count.",
)
WRITE_SECONDS: Final = _histogram(
    "event_write",
    "Time from the commit of a change until it was written to the connection of a subscriber, for each subscriber.",
)
REVOCATION_SECONDS: Final = _histogram(
    "revocation", "Time from the start of a change of access rights until a process applied it."
)
LEASE_AGE: Final = _greatest(
    "lease_age_seconds",
    "Time since a process last knew that it had all changes of access rights. From 1 on, it does not use its cache.",
)

PROCESSES: Final = _gauge("processes", "Server processes.")
READY: Final = _gauge(
    "processes_ready", "Processes that read the event log within the last second and are not shutting down."
)
WITH_REDIS: Final = _gauge(
    "processes_with_redis", "Processes that receive notifications from Redis. The others poll four times a second."
)
REFUSED_BY_REDIS: Final = _gauge(
    "processes_refused_by_redis",
    "Processes whose commands Redis refuses: a replica, full memory, or missing permissions. They poll for events.",
)
EXHAUSTED: Final = _counter(
    "files_exhausted_seconds", "Seconds in which a process had no file descriptor left and closed new connections."
)
LOOP_LAG: Final = _greatest(
    "loop_lag_seconds", "Delay of a one-second timer. A high value means that the process is overloaded."
)
CPU: Final = _counter("cpu_seconds", "Processor time of the server processes.")
MEMORY: Final = _gauge(
    "memory_bytes", "Resident memory of the server processes. Shared memory is counted in each process."
)

METRICS: Final[tuple[Metric, ...]] = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
"""All metrics, in the order of the table."""


def of(durations: Histogram) -> Value:
    """The value of a histogram."""
    return list(durations.buckets), durations.sum


def plus(one: Value | None, other: Value) -> Value:
    """The merged value of two processes."""
    if one is None:
        return other
    if isinstance(one, tuple) and isinstance(other, tuple):
        return [a + b for a, b in zip(one[0], other[0], strict=True)], one[1] + other[1]
    assert not isinstance(one, tuple)
    assert not isinstance(other, tuple)
    return one + other


def merge(into: Snapshot, snapshot: Snapshot, *, alive: bool = True) -> None:
    """Add the samples of a process. Of a process that is not *alive*, only counters and histograms count."""
    for metric in METRICS:
        if not alive and metric.kind in (MetricKind.GAUGE, MetricKind.GREATEST):
            continue
        target = into.setdefault(metric.name, {})
        for labels, value in snapshot.get(metric.name, {}).items():
            before = target.get(labels)
            if metric.kind is MetricKind.GREATEST and before is not None:
                target[labels] = max(before, value)
            else:
                target[labels] = plus(before, value)
