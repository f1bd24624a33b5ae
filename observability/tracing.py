"""OpenTelemetry traces. This module needs the optional dependencies of the extra `otel`.

The trace id of a request is derived from its request id. An event has the id of the request that caused it, so each
process that delivers the event can link to the trace of this request.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from contextvars import Token
from datetime import datetime
from functools import wraps
from hashlib import sha256
from types import ModuleType
from typing import Any, Final
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from observability.request_records import RequestRecord
from persistence.statement_counts import Statements

_SUCCESS: Final = ("OK", "CANCELLED")
_SERVER_ERRORS: Final = ("INTERNAL", "UNAVAILABLE")
_EMPTY_CONTEXT: Final = Context()


class Tracing:
    """Creates spans, and sends them to *endpoint* or to *processor*."""

    def __init__(self, endpoint: str = "", *, processor: SpanProcessor | None = None) -> None:
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "taskriver"}), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(
            processor or BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))
        )
        self._tracer = self._provider.get_tracer("taskriver")
        self._restore: list[Callable[[], None]] = []

    def operation(self, request_id: str) -> "Trace":
        """The span of a request. It is the root of its trace, even if the client sends a trace id."""
        self._ids.following = span_context_of(request_id)
        span = self._tracer.start_span("request", context=_EMPTY_CONTEXT, kind=SpanKind.SERVER)
        return Trace(span)

    def delivered(
        self, *, actor_id: UUID, position: int, at: datetime, caused_by: str | None, subscription: str | None
    ) -> None:
        """A span from a change to its delivery, with links to the write and to the subscription."""
        ids = [each for each in (caused_by, subscription) if each is not None]
        span = self._tracer.start_span(
            "deliver",
            context=_EMPTY_CONTEXT,
            kind=SpanKind.PRODUCER,
            links=[Link(span_context_of(each)) for each in ids],
            attributes={"taskriver.position": position, "enduser.id": str(actor_id)},
            start_time=int(at.timestamp() * 1e9),
        )
        span.end()

    def watch_statements(self, statements: Statements) -> None:
        """Create a span for each statement of a request; statements outside of requests have no span."""
        statements.watch(self._begin_statement, _end)

    def watch_services(self, services: ModuleType) -> None:
        """Create a span for each service call, by wrapping the functions; without tracing there is no wrapper."""
        for found in pkgutil.iter_modules(services.__path__):
            module = importlib.import_module(f"{services.__name__}.{found.name}")
            for name, function in _calls(module):
                setattr(module, name, self._traced(f"{found.name}.{name}", function))
                self._restore.append(_setter(module, name, function))

    def close(self) -> None:
        """Send the remaining spans, for a few seconds at most, and remove the wrappers."""
        for restore in self._restore:
            restore()
        self._restore.clear()
        self._provider.shutdown()

    def _begin_statement(self, text: str) -> Span | None:
        if not trace.get_current_span().is_recording():
            return None
        verb = text.lstrip().partition(" ")[0].upper()[:20]
        attributes = {"db.system.name": "postgresql", "db.query.text": text}  # parameters are not in the text
        return self._tracer.start_span(verb or "SQL", kind=SpanKind.CLIENT, attributes=attributes)

    def _traced(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        async def call(*args: Any, **kwargs: Any) -> Any:
            if not trace.get_current_span().is_recording():
                return await function(*args, **kwargs)
            # The exception is not recorded: its message may quote user data.
            with self._tracer.start_as_current_span(
                name, record_exception=False, set_status_on_exception=False
            ) as span:
                try:
                    return await function(*args, **kwargs)
                except BaseException as error:
                    span.set_attribute("error.type", type(error).__name__)
                    raise

        return call


class Trace:
    """The span of a request."""

    __slots__ = ("_context", "_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._context = trace.set_span_in_context(span, _EMPTY_CONTEXT)
        self._token: Token[Context] | None = None

    def enter(self) -> None:
        """Make it the current span of this asyncio task."""
        self._token = attach(self._context)

    def leave(self) -> None:
        """Restore the previous current span."""
        if self._token is not None:
            detach(self._token)

    def end(self, record: RequestRecord) -> None:
        """End the span with the data of the request."""
        span, code = self._span, record.outcome
        span.update_name(f"{record.kind_name or record.door} {record.operation or ''}".rstrip())
        span.set_attributes(
            {
                "taskriver.door": record.door,
                "taskriver.request_id": record.request_id,
                "taskriver.code": code,
                "taskriver.statements": record.statements,
            }
        )
        if record.actor_id is not None:
            span.set_attribute("enduser.id", str(record.actor_id))
        if record.status is not None:
            span.set_attribute("http.response.status_code", record.status)
        if code not in _SUCCESS:
            span.set_attribute("error.type", code)
        if code in _SERVER_ERRORS:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def span_context_of(request_id: str) -> SpanContext:
    """The span context of a request, derived from its id."""
    digest = sha256(request_id.encode()).digest()
    return SpanContext(
        trace_id=int.from_bytes(digest[:16]),
        span_id=int.from_bytes(digest[16:24]),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


class _Ids(IdGenerator):
    """Random ids, unless `following` has the ids of the next span."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.following: SpanContext | None = None

    def generate_trace_id(self) -> int:
        return self.following.trace_id if self.following is not None else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        place, self.following = self.following, None
        return place.span_id if place is not None else self._random.generate_span_id()


def _calls(module: ModuleType) -> list[tuple[str, Callable[..., Any]]]:
    """The service functions of a module: its public coroutine functions whose first parameter is a unit of work."""
    return [
        (name, function)
        for name, function in inspect.getmembers(module, inspect.iscoroutinefunction)
        if not name.startswith("_")
        and function.__module__ == module.__name__
        and next(iter(inspect.signature(function).parameters), None) == "uow"
    ]


def _setter(module: ModuleType, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(module, name, value)


def _end(span: Span | None, error: BaseException | None) -> None:
    if span is None:
        return
    if error is not None:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(Status(StatusCode.ERROR))
    span.end()
