"""Every request at every door: counted, timed, and told in one line of the log when it is over.

While a request is served it only writes down what it learns. The counting and telling is done for many at a time, a
twentieth of a second later, where it costs a third of what it would cost in between.
"""

import asyncio
from contextvars import Token
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from time import perf_counter, time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self
from uuid import UUID

import structlog

from observability.exception_log import ExceptionLog
from observability.histogram import Histogram
from observability.logging import tell, tells
from persistence.statement_counts import StatementCount, current

if TYPE_CHECKING:
    from observability.tracing import Trace, Tracing

Door = Literal["http", "sse", "ws", "rest", "rest-ws"]

SETTLE_SECONDS: Final = 0.05
MAX_UNSETTLED: Final = 1_000

MAX_NAMES: Final = 100
MAX_NAME: Final = 100
"""Characters of an operation's name that are logged: a client may send thousands."""

NO_OPERATION: Final = "none"
ANONYMOUS: Final = "anonymous"
OTHER: Final = "other"

OK: Final = "OK"
BAD_REQUEST: Final = "BAD_REQUEST"
CANCELLED: Final = "CANCELLED"
"""Nobody waits for it any more: the client hung up, or has heard enough of a subscription."""
SUBSCRIPTION: Final = "subscription"

_enter, _leave, _current = current.set, current.reset, current.get


class RequestRecord(StatementCount):
    """One request, from its first byte to its last; whoever learns something of it writes it down here.

    Inside its `with` block a task, and the tasks that it begins there, work for it; whatever happens, `end` it.
    `code` is OK, or that of the first thing that went wrong.
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
    _trace: "Trace | None" = None
    _bugs: ExceptionLog | None = None

    def __init__(self, requests: "RequestRecords", door: Door, request_id: str) -> None:
        self._requests = requests
        self.door: Door = door
        self.request_id = request_id
        self._begun = perf_counter()

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
        """It is over; without a status and a code, because nobody waits for it any more."""
        self.seconds = perf_counter() - self._begun
        self.ended_at = time()
        if self._bugs is not None:
            self._bugs.log_rest(request_id=self.request_id)
        unsettled = self._requests.unsettled
        unsettled.append(self)
        if len(unsettled) == 1 or len(unsettled) >= MAX_UNSETTLED:
            self._requests.settle_soon()
        if self._trace is not None:
            self._trace.end(self)

    @property
    def bugs(self) -> ExceptionLog:
        """Its unexpected failures."""
        if self._bugs is None:
            self._bugs = ExceptionLog()
        return self._bugs

    @property
    def outcome(self) -> str:
        """Its code, once it is over."""
        if self.code is not None:
            return self.code
        if self.status is None:
            return CANCELLED
        return OK if self.status < 400 else BAD_REQUEST

    @property
    def kind_told(self) -> str | None:
        """The kind in words."""
        return str(self.kind.value) if isinstance(self.kind, Enum) else self.kind


def runs(operation: str | None, kind: str | Enum, *, known: bool) -> None:
    """Note what is wanted by the request that this task works for: an operation's name and kind, as parsed.

    *known* is whether the name may become a label: names are the clients' to choose, and each one costs memory
    wherever metrics are kept.
    """
    asked = _current()
    if isinstance(asked, RequestRecord):
        name = operation[:MAX_NAME] if operation is not None else None
        asked.operation, asked.kind, asked.known = name, kind, known


def record_user(actor_id: UUID) -> None:
    """Note who asks."""
    asked = _current()
    if isinstance(asked, RequestRecord):
        asked.actor_id = actor_id


def refused(code: str) -> None:
    """Note why a request, or a part of it, was refused; the first reason counts."""
    asked = _current()
    if isinstance(asked, RequestRecord) and asked.code is None:
        asked.code = code


def log_bug(where: str, error: BaseException, *, request_id: str) -> None:
    """Log an unexpected failure; of a request that fails again and again in the same way, only the first ones."""
    asked = _current()
    bugs = asked.bugs if isinstance(asked, RequestRecord) else ExceptionLog()
    bugs.log(where, error, request_id=request_id)


def frame_sent() -> None:
    """Note that the subscription that this task works for was told something."""
    asked = _current()
    if isinstance(asked, RequestRecord):
        asked.frames += 1


class RequestRecords:
    """All requests of this process. Its numbers are read when somebody asks for them; `settle` before."""

    def __init__(self, tracing: "Tracing | None" = None) -> None:
        self._tracing = tracing
        self._log = structlog.get_logger("taskriver.request")
        self._labels: dict[str, str] = {}
        self.unsettled: list[RequestRecord] = []
        """Those that are over and neither counted nor told yet."""
        self._counts: dict[tuple[str, str, str], list[int]] = {}
        self.durations: dict[tuple[str, str], Histogram] = {}
        """By door and operation; subscriptions are not among them, for they last as long as somebody listens."""

    def begin(self, door: Door, request_id: str) -> RequestRecord:
        """A request has come."""
        asked = RequestRecord(self, door, request_id)
        if self._tracing is not None:
            asked._trace = self._tracing.operation(request_id)
        return asked

    @property
    def ended(self) -> dict[tuple[str, str, str], int]:
        """How many are over, by door, operation and code."""
        return {labels: count for labels, (count,) in self._counts.items()}

    def settle_soon(self) -> None:
        """Settle after a moment; at once when too many wait already, or there is no loop to wait in."""
        if len(self.unsettled) >= MAX_UNSETTLED:
            self.settle()
            return
        try:
            asyncio.get_running_loop().call_later(SETTLE_SECONDS, self.settle)
        except RuntimeError:
            self.settle()

    def settle(self) -> None:
        """Count and tell everything that is over."""
        settling, self.unsettled = self.unsettled, []
        for asked in settling:
            self._count(asked)
        if tells():
            tell(_line(asked) for asked in settling)

    def delivered(self, actor_id: UUID, position: int, at: datetime, caused_by: str | None) -> None:
        """The subscription that this task works for was handed an event; *caused_by* is the writing request's id."""
        asked = _current()
        subscription = asked.request_id if isinstance(asked, RequestRecord) else None
        if self._tracing is not None:
            self._tracing.delivered(
                actor_id=actor_id, position=position, at=at, caused_by=caused_by, subscription=subscription
            )
        if structlog.is_configured():
            self._log.debug(
                "delivered", position=position, actor=actor_id, request_id=caused_by, subscription=subscription
            )

    def _count(self, asked: RequestRecord) -> None:
        door, label = asked.door, self._labels.get(asked.operation or "") or self._label(asked)
        labels = (door, label, asked.outcome)
        count = self._counts.get(labels)
        if count is None:
            count = self._counts[labels] = [0]
        count[0] += 1
        if asked.kind_told != SUBSCRIPTION:
            durations = self.durations.get((door, label))
            if durations is None:
                durations = self.durations[door, label] = Histogram()
            durations.add(asked.seconds)

    def _label(self, asked: RequestRecord) -> str:
        name = asked.operation
        if name is None:
            return NO_OPERATION if asked.kind is None else ANONYMOUS
        if not asked.known or len(self._labels) >= MAX_NAMES:
            return OTHER
        return self._labels.setdefault(name, name)


def _line(asked: RequestRecord) -> dict[str, Any]:
    line = {
        "time": _instant(asked.ended_at),
        "level": "info",
        "event": "request",
        "door": asked.door,
        "operation": asked.operation,
        "kind": asked.kind_told,
        "status": asked.status,
        "code": asked.outcome,
        "ms": round(asked.seconds * 1000, 1),
        "statements": asked.statements,
        "actor": asked.actor_id,
        "request_id": asked.request_id,
    }
    return line | {"frames": asked.frames} if asked.kind_told == SUBSCRIPTION else line


def _instant(stamp: float) -> str:
    second = int(stamp)
    return f"{_second(second)}.{int((stamp - second) * 1000):03}+00:00"


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
