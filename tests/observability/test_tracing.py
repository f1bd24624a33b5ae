"""Traces: a span for each operation, service call and statement, and links from deliveries to writes; or nothing."""

import inspect
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from observability.tracing import Tracing, span_context_of
from services import session as session_service
from services import task_creation
from tests.graphql_api.test_tasks import CREATE
from tests.support.api import URL, Api
from tests.support.api_server import settings_of
from tests.support.builders import Builders
from tests.support.executors import a_server
from tests.support.serving import serving
from tests.support.websocket_client import connected

CHANGED = "subscription Listen { taskChanged { task { title } } }"
TITLE = "canary title"


def context_of(span: ReadableSpan) -> SpanContext:
    """Where a span is."""
    context = span.get_span_context()
    assert context is not None
    return context


@pytest.fixture(scope="module")
def exported() -> InMemorySpanExporter:
    """Where the spans go."""
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
async def traced(
    new_database: Callable[[], str], new_redis: Callable[[], str], exported: InMemorySpanExporter
) -> AsyncIterator[Api]:
    """A server that traces."""
    tracing = Tracing(processor=SimpleSpanProcessor(exported))
    server = a_server(settings_of(new_database(), new_redis()), tracing=tracing)
    await server.start()
    transport = httpx.ASGITransport(app=server.asgi())
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield Api(server, Builders(server.database), client)
    await server.stop()
    # So that others find the services as they were.
    for service in (task_creation.create_task, session_service.sign_in):
        assert inspect.getsourcefile(service.__code__) != inspect.getsourcefile(Tracing)


@pytest.fixture
def spans(exported: InMemorySpanExporter) -> Callable[[str], list[ReadableSpan]]:
    """The spans of a request, in the order in which they began."""
    exported.clear()

    def of(request_id: str) -> list[ReadableSpan]:
        trace_id = span_context_of(request_id).trace_id
        found = [span for span in exported.get_finished_spans() if context_of(span).trace_id == trace_id]
        return sorted(found, key=lambda span: span.start_time or 0)

    return of


class TestAnOperation:
    async def test_spans_form_a_tree(self, traced: Api, spans: Callable[[str], list[ReadableSpan]]):
        """The span of an operation contains its service call, with its statements; the request id gives the trace."""
        answer = await traced.ask(CREATE, await traced.a_user(), input={"title": TITLE})
        answer.payload("createTask")

        request_id = answer.http.headers["x-request-id"]
        operation, *below = [span for span in spans(request_id) if span.name != "SELECT"]
        assert context_of(operation).span_id == span_context_of(request_id).span_id
        assert (operation.name, operation.kind, operation.parent) == ("mutation", SpanKind.SERVER, None)
        assert operation.attributes is not None
        assert operation.attributes["taskriver.request_id"] == request_id
        assert operation.attributes["taskriver.code"] == "OK"
        assert operation.attributes["http.response.status_code"] == 200

        [service] = [span for span in below if span.name == "task_creation.create_task"]
        assert service.parent is not None
        assert service.parent.span_id == context_of(operation).span_id
        [write] = [span for span in below if span.name == "WRITE"]
        assert write.parent is not None
        assert write.parent.span_id == context_of(service).span_id
        assert write.kind is SpanKind.CLIENT

    async def test_spans_hold_no_input(self, traced: Api, exported: InMemorySpanExporter):
        """Statements have no parameters, and refusals no messages."""
        exported.clear()
        owner = await traced.a_user()
        await traced.ask(CREATE, owner, input={"title": TITLE})
        await traced.ask(CREATE, owner, input={"title": TITLE * 1000})
        spans = exported.get_finished_spans()
        assert spans
        assert not any(TITLE in span.to_json() or owner.email in span.to_json() for span in spans)

    async def test_a_refusal_has_no_error_status(self, traced: Api, spans: Callable[[str], list[ReadableSpan]]):
        """It has a code and a type; only server errors have the status of an error."""
        answer = await traced.ask(CREATE, await traced.a_user(), input={"title": ""})
        [operation] = [span for span in spans(answer.http.headers["x-request-id"]) if span.parent is None]
        assert operation.attributes is not None
        assert operation.attributes["error.type"] == "INVALID"
        assert operation.status.status_code is StatusCode.UNSET

    async def test_a_bug_is(
        self, traced: Api, spans: Callable[[str], list[ReadableSpan]], monkeypatch: pytest.MonkeyPatch
    ):
        """A masked failure is an error."""

        async def broken(*args: object, **kwargs: object) -> None:
            raise ValueError(TITLE)

        monkeypatch.setattr(task_creation, "create_task", broken)
        answer = await traced.ask(CREATE, await traced.a_user(), input={"title": TITLE})
        [operation] = [span for span in spans(answer.http.headers["x-request-id"]) if span.parent is None]
        assert operation.status.status_code is StatusCode.ERROR
        assert TITLE not in operation.to_json()

    async def test_polling_the_log_makes_no_spans(self, traced: Api, exported: InMemorySpanExporter):
        """Only statements of requests do."""
        exported.clear()
        await traced.numbered()
        await traced.server.database.ping()
        assert exported.get_finished_spans() == ()


class TestADelivery:
    async def test_a_delivery_links_to_the_write(self, traced: Api, exported: InMemorySpanExporter):
        """Its span lasts from the change to the delivery, with links to the write and the subscription."""
        owner = await traced.a_user()
        token = await traced.token(owner)
        async with serving(traced.server.asgi()) as url, connected(url) as socket:
            await socket.init({"token": token})
            await socket.subscribe("1", CHANGED)
            await traced.numbered()
            exported.clear()
            written_at = datetime.now(UTC)
            answer = await traced.ask(CREATE, owner, input={"title": TITLE})
            assert (await socket.receive())["type"] == "next"
            await socket.send(id="1", type="complete")
        delivery = next(span for span in exported.get_finished_spans() if span.name == "deliver")
        write = span_context_of(answer.http.headers["x-request-id"])
        assert delivery.links[0].context.span_id == write.span_id
        assert delivery.parent is None
        assert delivery.start_time is not None
        assert delivery.end_time is not None
        assert written_at.timestamp() - 1 < delivery.start_time / 1e9 <= delivery.end_time / 1e9
        subscriptions = {
            context_of(span).span_id for span in exported.get_finished_spans() if span.name == "subscription Listen"
        }
        assert delivery.links[1].context.span_id in subscriptions
