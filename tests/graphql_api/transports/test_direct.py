"""A request that is answered directly has the same response and the same record as one that goes through all layers."""

import asyncio
import gc
import json
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from asgi import direct_request
from graphql_api.execution.executor import Executor
from graphql_api.execution.response import Response
from graphql_api.transports.http.endpoint import GraphQLHTTP
from observability import request_records
from observability.request_records import RequestRecord
from observability.tracing import Tracing
from streaming.lease import Lease
from tests.graphql_api.transports.direct_requests import CLOSING, KNOWN, Generator, World
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS

CONNECTIONS = 25
CHANGING = {"time", "ms", "request_id"}
"""The fields of a line of the log that differ between two requests."""

Record = dict[str, Any]


@dataclass
class Observed:
    """What one path did: the bytes that it sent, the requests that it recorded, and the spans."""

    sent: bytes
    records: list[Record]
    spans: list[tuple[str, StatusCode]]


@dataclass
class Paths:
    """One server behind two ports: its requests are answered directly where that is possible, or never."""

    api: Api
    world: World
    direct: int
    indirect: int
    records: list[Record]
    answered_directly: list[None]
    spans: InMemorySpanExporter

    async def observe(self, port: int, parts: list[bytes], *, in_turn: bool = False) -> Observed:
        """Send the parts on one connection, and read until the server closes it."""
        self.records.clear()
        self.spans.clear()
        sent = await exchange(port, parts, in_turn=in_turn)
        await all_answered()
        spans = [(span.name, span.status.status_code) for span in self.spans.get_finished_spans()]
        return Observed(comparable(sent), list(self.records), spans)


@pytest.fixture(scope="module", params=[False, True], ids=["not traced", "traced"])
async def paths(
    request: pytest.FixtureRequest, new_database: Callable[[], str], new_redis: Callable[[], str]
) -> AsyncIterator[Paths]:
    """Both paths to one server whose cache has the documents and the identity of the user."""
    spans = InMemorySpanExporter()
    tracing = Tracing(processor=SimpleSpanProcessor(spans)) if request.param else None
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(an_api(new_database(), new_redis(), tracing=tracing))
        world = await World.create(api)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(Lease, "fresh", True)  # a busy machine may renew it too late
        records, direct = watched(patch)
        direct_port = await stack.enter_async_context(served(api, directly=True))
        indirect_port = await stack.enter_async_context(served(api, directly=False))
        for document in KNOWN:
            await api.ask(document, world.tokens[0].removeprefix("Bearer "))
            assert api.server.documents.knows(document)
        yield Paths(api, world, direct_port, indirect_port, records, direct, spans)


def watched(patch: pytest.MonkeyPatch) -> tuple[list[Record], list[None]]:
    """Lists that get each ended request, and one entry for each direct answer."""
    records, direct = list[Record](), list[None]()
    end, serve = RequestRecord.end, GraphQLHTTP.serve_known

    def recorded(record: RequestRecord) -> None:
        end(record)
        line = request_records._line(record)
        records.append({"known": record.known, **{name: line[name] for name in line.keys() - CHANGING}})

    def serve_known(self: Any, *arguments: Any) -> Any:
        direct.append(None)
        return serve(self, *arguments)

    patch.setattr(RequestRecord, "end", recorded)
    patch.setattr(GraphQLHTTP, "serve_known", serve_known)
    return records, direct


@asynccontextmanager
async def served(api: Api, *, directly: bool) -> AsyncIterator[int]:
    """The port of an application of this server."""
    app: Any = api.server.asgi()
    if not directly:
        app.direct_path = b""
    async with serving(app) as url:
        yield urlsplit(url).port or 0


async def exchange(port: int, parts: list[bytes], *, in_turn: bool) -> bytes:
    """All that the server sends. *in_turn*: each part is sent after something was received for the one before."""
    received = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(HANG_SECONDS):
            for part in parts:
                writer.write(part)
                await writer.drain()
                if in_turn:
                    received.append(await reader.read(2**20))
            received.append(await reader.read())
    except ConnectionError:
        pass
    finally:
        writer.close()
    return b"".join(received)


async def all_answered() -> None:
    """No request of this loop is being answered any more."""
    async with asyncio.timeout(HANG_SECONDS):
        while any("run_asgi" in repr(task.get_coro()) for task in asyncio.all_tasks()):
            await asyncio.sleep(0)


def comparable(sent: bytes) -> bytes:
    """The bytes without the date and the ids that the server makes."""
    sent = re.sub(rb"date: [^\r]*\r\n", b"", sent)
    return re.sub(rb"\b[0-9a-f]{16}\b", b"(id)", sent)


def post(world: World, body: bytes, *lines: bytes) -> bytes:
    """A usual request."""
    fields = [b"Host: a", b"Content-Type: application/json", b"Authorization: " + world.tokens[0].encode(), *lines]
    return b"POST /graphql HTTP/1.1\r\n%b\r\nContent-Length: %d\r\n\r\n%b" % (b"\r\n".join(fields), len(body), body)


@pytest.mark.parametrize("seed", range(12))
async def test_responses_and_records_are_equal(paths: Paths, seed: int):
    """For generated connections: one to three requests, whole or in parts, pipelined or in turn."""
    generator = Generator(paths.world, random.Random(seed))
    paths.answered_directly.clear()
    for _ in range(CONNECTIONS):
        parts, in_turn = generator.connection()
        direct = await paths.observe(paths.direct, parts, in_turn=in_turn)
        before = len(paths.answered_directly)
        indirect = await paths.observe(paths.indirect, parts, in_turn=in_turn)
        assert direct == indirect, parts
        assert len(paths.answered_directly) == before
    assert len(paths.answered_directly) >= CONNECTIONS / 5


async def test_usual_requests_are_answered_directly(paths: Paths):
    """Each of three on one connection."""
    paths.answered_directly.clear()
    request = post(paths.world, b'{"query": "{ __typename }"}')
    observed = await paths.observe(paths.direct, [request, request, request, CLOSING], in_turn=True)
    assert observed.sent.count(b'{"data":{"__typename":"Query"}}') == 3
    assert len(observed.spans) in (0, 3)
    assert len(paths.answered_directly) == 3


async def test_pages_of_other_origins_are_answered_directly(paths: Paths):
    """With the same headers for CORS."""
    paths.answered_directly.clear()
    request = post(paths.world, b'{"query": "{ __typename }"}', b"Origin: http://a")
    observed = await paths.observe(paths.direct, [request, CLOSING])
    assert b"access-control-allow-origin: http://a\r\n" in observed.sent
    assert len(paths.answered_directly) == 1


@pytest.mark.parametrize("authorization", ["", "Bearer new", "Basic abc"])
async def test_other_identities_go_through_all_layers(paths: Paths, authorization: str):
    """No token, and tokens that are not in the cache."""
    paths.answered_directly.clear()
    request = post(paths.world, b'{"query": "{ __typename }"}').replace(
        paths.world.tokens[0].encode(), authorization.encode()
    )
    await paths.observe(paths.direct, [request, CLOSING])
    assert not paths.answered_directly


async def test_cached_identities_are_not_trusted_without_a_lease(paths: Paths, monkeypatch: pytest.MonkeyPatch):
    """A revocation may have been missed, so the database is asked, as on the other path."""
    paths.answered_directly.clear()
    monkeypatch.setattr(Lease, "fresh", False)
    request = post(paths.world, b'{"query": "{ __typename }"}')
    observed = await paths.observe(paths.direct, [request, CLOSING])
    assert observed.sent.startswith(b"HTTP/1.1 200")
    assert not paths.answered_directly


class Gate:
    """Holds operations until it is opened."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.entered, self.opened = asyncio.Event(), asyncio.Event()
        execute = Executor.execute

        async def gated(executor: Any, operation: Any, context: Any) -> Any:
            self.entered.set()
            await self.opened.wait()
            return await execute(executor, operation, context)

        patch.setattr(Executor, "execute", gated)


@pytest.mark.parametrize("directly", [True, False])
async def test_a_query_stops_when_its_client_disconnects(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, *, directly: bool
):
    """It is recorded as cancelled."""
    gate = Gate(monkeypatch)
    paths.records.clear()
    paths.answered_directly.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", paths.direct if directly else paths.indirect)
    writer.write(post(paths.world, b'{"query": "{ __typename }"}'))
    async with asyncio.timeout(HANG_SECONDS):
        await gate.entered.wait()
        writer.close()
        await all_answered()
    assert [record["code"] for record in paths.records] == ["CANCELLED"]
    assert len(paths.answered_directly) == directly


@pytest.mark.parametrize("directly", [True, False])
async def test_a_running_query_is_answered_when_the_server_stops(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, *, directly: bool
):
    """It is the last one of its connection."""
    gate = Gate(monkeypatch)
    paths.answered_directly.clear()
    async with asyncio.timeout(HANG_SECONDS):
        async with served(paths.api, directly=directly) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(post(paths.world, b'{"query": "{ __typename }"}'))
            await gate.entered.wait()
            asyncio.get_running_loop().call_soon(gate.opened.set)
        sent = await reader.read()
        writer.close()
    assert len(paths.answered_directly) == directly
    assert b'{"__typename":"Query"}' in sent


@pytest.mark.parametrize("directly", [True, False])
async def test_a_bug_is_masked(paths: Paths, monkeypatch: pytest.MonkeyPatch, *, directly: bool):
    """As on the other path."""

    async def execute(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Executor, "execute", execute)
    port = paths.direct if directly else paths.indirect
    observed = await paths.observe(port, [post(paths.world, b'{"query": "{ __typename }"}'), CLOSING])
    assert observed.sent.startswith(b"HTTP/1.1 500")
    assert [(record["status"], record["code"]) for record in observed.records] == [(500, "INTERNAL")]


@pytest.mark.parametrize("query", ["{ __typename }", "{ me { username role } }"])
async def test_a_response_that_must_wait_for_the_client_is_the_same(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, query: str
):
    """It is sent as ASGI messages, which wait until the client reads."""
    parts = [post(paths.world, json.dumps({"query": query}).encode(), b"Origin: http://a"), CLOSING]
    in_one_step = await paths.observe(paths.direct, parts)
    paths.answered_directly.clear()
    monkeypatch.setattr(direct_request, "can_respond", lambda _: False)
    assert await paths.observe(paths.direct, parts) == in_one_step
    assert len(paths.answered_directly) == 1


def direct_requests() -> int:
    """How many of these objects exist, those that other tests have left included."""
    return sum(type(each) is direct_request.DirectRequest for each in gc.get_objects())


async def test_a_request_leaves_nothing_to_the_collector(paths: Paths, monkeypatch: pytest.MonkeyPatch):
    """What belongs to it is freed when the next one of its connection arrives, if the executor does not keep it."""

    async def execute(*_: Any) -> Response:
        return Response({"data": None})

    monkeypatch.setattr(Executor, "execute", execute)
    request = post(paths.world, b'{"query": "{ __typename }"}')
    gc.collect()
    before = direct_requests()
    gc.disable()
    try:
        await paths.observe(paths.direct, [*[request] * 10, CLOSING], in_turn=True)
        assert direct_requests() <= before + 1
    finally:
        gc.enable()
