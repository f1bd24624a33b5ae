"""`taskriver serve` with OTEL_EXPORTER_OTLP_ENDPOINT: what arrives at a collector, over HTTP."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from observability.tracing import span_context_of
from tests.support.processes import Served
from tests.support.waiting import HANG_SECONDS

REQUEST_ID = "abc-123"


class Collector(ThreadingHTTPServer):
    """Takes what it is sent, and keeps the spans."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taker)
        self.spans: list[Span] = []
        self.services: set[str] = set()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def take(self, path: str, body: bytes) -> None:
        """Keep what a request holds."""
        assert path == "/v1/traces"
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            attributes = {each.key: each.value.string_value for each in of_resource.resource.attributes}
            self.services.add(attributes["service.name"])
            for of_scope in of_resource.scope_spans:
                self.spans.extend(of_scope.spans)


class _Taker(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.take(self.path, self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
async def served(
    collector: Collector, new_database: Callable[[], str], new_redis: Callable[[], str], tmp_path: Path
) -> AsyncIterator[Served]:
    """A server that sends its traces there."""
    server = Served(
        folder=tmp_path, DATABASE_URL=new_database(), REDIS_URL=new_redis(), BCRYPT_ROUNDS=4,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
    )  # fmt: skip
    try:
        yield await server.ready()
    finally:
        server.clean_up()


async def test_spans_are_exported(served: Served, collector: Collector):
    """After a request and a stop, the collector has its span with the service call and the statements."""
    values = {"username": "traced", "email": "traced@example.org", "password": "Correct-horse1"}
    async with httpx.AsyncClient(headers={"x-request-id": REQUEST_ID}, timeout=HANG_SECONDS) as client:
        answer = await client.post(f"{served.url}/api/v1/auth/register/", json=values)
    assert answer.status_code == 201
    served.send(15)
    assert await served.ended() == 0

    trace = span_context_of(REQUEST_ID).trace_id.to_bytes(16)
    parents = {(span.name, span.parent_span_id): span.span_id for span in collector.spans if span.trace_id == trace}
    (request,) = [span_id for (name, _), span_id in parents.items() if name == "POST register"]
    call = parents["user.register", request]
    assert ("WRITE", parents["user.commit_user", call]) in parents
    assert collector.services == {"taskriver"}
    assert not any(b"traced@example.org" in span.SerializeToString() for span in collector.spans)
