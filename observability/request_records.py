"""Records every request: counts it, measures its duration, and writes one log line when it ends.

During a request only its record is filled. Records are counted and logged in batches, 50 ms later: this costs a third
of the time.
"""

import asyncio
from contextvars import Token
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from time import perf_counter, time
from types import TracebackType
from typing import Any, Final, Literal, Protocol, Self
from uuid import UUID

import structlog

from observability.exception_log import ExceptionLog
from observability.histogram import Histogram
from observability.logging import is_info_enabled, write_events
from persistence.statement_counts import StatementCount, current

Door = Literal["http", "sse", "ws", "rest", "rest-ws"]

FLUSH_SECONDS: Final = 0.05
MAX_PENDING: Final = 1_000

MAX_NAMES: Final = 100
MAX_NAME: Final = 100
"""The number of characters of an operation's name that are logged; a client may send thousands."""

NO_OPERATION: Final = "none"
ANONYMOUS: Final = "anonymous"
OTHER: Final = "other"

OK: Final = "OK"
BAD_REQUEST: Final = "BAD_REQUEST"
CANCELLED: Final = "CANCELLED"
"""The client closed the connection or ended the subscription."""
SUBSCRIPTION: Final = "subscription"

_enter, _leave, _current = current.set, current.reset, current.get


class RequestTrace(Protocol):
    """The span of a request."""

    def enter(self) -> None:
        """Make it the current span of this asyncio task."""

    def leave(self) -> None:
        """Restore the previous current span."""

    def end(self, record: "RequestRecord") -> None:
        """End the span with the data of the request."""


class RequestTracer(Protocol):
    """Creates the spans of requests and of deliveries; `observability.tracing` has the one for OpenTelemetry."""

    def operation(self, request_id: str) -> RequestTrace:
        """The span of a request."""

    def delivered(
        self, *, actor_id: UUID, position: int, at: datetime, caused_by: str | None, subscription: str | None
    ) -> None:
        """A span from a change to its delivery."""


class RequestRecord(StatementCount):
    """The record of one request.

    Within its `with` block it is the current record of the asyncio task and of the tasks that start there. Always call
    `end`. `code` is OK, or the code of the first error.
    """

    operation: str | None = None
    kind: str | Enum | None = None
    known = False
    actor_id: UUID | None = None
    status: int | None = None
    code: str | None = None
    frames = 0
    seconds = 0.0
    ended_at = 0.0
    _trace: RequestTrace | None = None
    _bugs: ExceptionLog | None = None

    def __init__(self, requests: "RequestRecords", door: Door, request_id: str) -> None:
        self._requests = requests
        self.door: Door = door
        self.request_id = request_id
        self._started = perf_counter()

    def __enter__(self) -> Self:
        self._token: Token[StatementCount | None] = _enter(self)
        if self._trace is not None:
            self._trace.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        _leave(self._token)
        if self._trace is not None:
            self._trace.leave()

    def end(self) -> None:
        """The request has ended; without a status and a code it counts as cancelled."""
        self.seconds = perf_counter() - self._started
        self.ended_at = time()
        if self._bugs is not None:
            self._bugs.log_rest(request_id=self.request_id)
        pending = self._requests.pending
        pending.append(self)
        if len(pending) == 1 or len(pending) >= MAX_PENDING:
            self._requests.schedule_flush()
        if self._trace is not None:
            self._trace.end(self)

    @property
    def bugs(self) -> ExceptionLog:
        """The unexpected exceptions of the request."""
        if self._bugs is None:
            self._bugs = ExceptionLog()
        return self._bugs

    @property
    def outcome(self) -> str:
        """The code of the ended request."""
        if self.code is not None:
            return self.code
        if self.status is None:
            return CANCELLED
        return OK if self.status < 400 else BAD_REQUEST

    @property
    def kind_name(self) -> str | None:
        """The kind as text."""
        return str(self.kind.value) if isinstance(self.kind, Enum) else self.kind


def record_operation(operation: str | None, kind: str | Enum, *, known: bool) -> None:
    """Record the name and the kind of the operation of the current request.

    *known* is whether the name may become a metric label: clients choose names, and each label value costs memory.
    """
    record = _current()
    if isinstance(record, RequestRecord):
        name = operation[:MAX_NAME] if operation is not None else None
        record.operation, record.kind, record.known = name, kind, known


def record_user(actor_id: UUID) -> None:
    """Record the user of the current request."""
    record = _current()
    if isinstance(record, RequestRecord):
        record.actor_id = actor_id


def record_error(code: str) -> None:
    """Record the error code of the current request; the first one counts."""
    record = _current()
    if isinstance(record, RequestRecord) and record.code is None:
        record.code = code


def log_bug(where: str, error: BaseException, *, request_id: str) -> None:
    """Log an unexpected exception. If a request fails repeatedly in the same way, only the first ones are logged."""
    record = _current()
    bugs = record.bugs if isinstance(record, RequestRecord) else ExceptionLog()
    bugs.log(where, error, request_id=request_id)


class RequestRecords:
    """The records of all requests of this process. Call `flush` before you read the counters."""

    def __init__(self, tracing: RequestTracer | None = None) -> None:
        self._tracing = tracing
        self._log = structlog.get_logger("taskriver.request")
        self._labels: dict[str, str] = {}
        self.pending: list[RequestRecord] = []
        """Ended requests that are not counted and logged yet."""
        self._counts: dict[tuple[str, str, str], list[int]] = {}
        self.durations: dict[tuple[str, str], Histogram] = {}
        """By door and operation, without subscriptions: their duration depends on the client."""

    def begin(self, door: Door, request_id: str) -> RequestRecord:
        """Start the record of a request."""
        record = RequestRecord(self, door, request_id)
        if self._tracing is not None:
            record._trace = self._tracing.operation(request_id)
        return record

    @property
    def ended(self) -> dict[tuple[str, str, str], int]:
        """The number of ended requests, by door, operation and code."""
        return {labels: count for labels, (count,) in self._counts.items()}

    def schedule_flush(self) -> None:
        """Flush after 50 ms; immediately if too many records are pending, or if there is no event loop."""
        if len(self.pending) >= MAX_PENDING:
            self.flush()
            return
        try:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        except RuntimeError:
            self.flush()

    def flush(self) -> None:
        """Count and log all ended requests."""
        flushing, self.pending = self.pending, []
        for record in flushing:
            self._count(record)
        if is_info_enabled():
            write_events(_line(record) for record in flushing)

    def delivered(self, actor_id: UUID, position: int, at: datetime, caused_by: str | None) -> None:
        """Record that the current subscription received an event; *caused_by* is the id of the writing request."""
        record = _current()
        subscription = record.request_id if isinstance(record, RequestRecord) else None
        if self._tracing is not None:
            self._tracing.delivered(
                actor_id=actor_id, position=position, at=at, caused_by=caused_by, subscription=subscription
            )
        if structlog.is_configured():
            self._log.debug(
                "delivered", position=position, actor=actor_id, request_id=caused_by, subscription=subscription
            )

    def _count(self, record: RequestRecord) -> None:
        door, label = record.door, self._labels.get(record.operation or "") or self._label(record)
        labels = (door, label, record.outcome)
        count = self._counts.get(labels)
        if count is None:
            count = self._counts[labels] = [0]
        count[0] += 1
        if record.kind_name != SUBSCRIPTION:
            durations = self.durations.get((door, label))
            if durations is None:
                durations = self.durations[door, label] = Histogram()
            durations.add(record.seconds)

    def _label(self, record: RequestRecord) -> str:
        name = record.operation
        if name is None:
            return NO_OPERATION if record.kind is None else ANONYMOUS
        if not record.known or len(self._labels) >= MAX_NAMES:
            return OTHER
        return self._labels.setdefault(name, name)


def _line(record: RequestRecord) -> dict[str, Any]:
    line = {
        "time": _instant(record.ended_at),
        "level": "info",
        "event": "request",
        "door": record.door,
        "operation": record.operation,
        "kind": record.kind_name,
        "status": record.status,
        "code": record.outcome,
        "ms": round(record.seconds * 1000, 1),
        "statements": record.statements,
        "actor": record.actor_id,
        "request_id": record.request_id,
    }
    return line | {"frames": record.frames} if record.kind_name == SUBSCRIPTION else line


def _instant(stamp: float) -> str:
    second = int(stamp)
    return f"{_second(second)}.{int((stamp - second) * 1000):03}+00:00"


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
