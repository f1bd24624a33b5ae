"""The work for a request's headers and parameters is bounded, whatever they contain. The tests count calls of Python
functions, characters given to regular expressions, and memory, not seconds.
"""

import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import quote

import pytest
from starlette.types import ASGIApp, Message

from asgi.client import client_of, is_secure
from asgi.compression import accepts_gzip
from asgi.errors import HTTPError
from asgi.http_protocol import MAX_FIELDS, MAX_HEAD
from asgi.idempotency import idempotency_key_of
from asgi.origins import Origins
from asgi.request_body import check_coding
from asgi.request_id import request_id_of
from asgi.static_files import StaticFile
from domain.errors import DomainError
from domain.stream_cursor import StreamCursor
from graphql_api.auth.cookies import refresh_cookie
from graphql_api.transports.http.body import check_content_type
from graphql_api.transports.http.content_negotiation import media_type, wants_events, wants_page
from rest_api.etags import expected_versions, known_tag
from server.app import Server
from tests.support.api_server import settings_of
from tests.support.regexes import count_characters
from tests.support.work import counted

Fields = list[tuple[bytes, bytes]]
Read = Callable[[Fields], object]

PACKAGES: Final = ("server", "rest_api", "graphql_api", "asgi", "observability", "domain")
"""Where headers are read."""
MAX_CALLS: Final = 5_000
MAX_CHARACTERS: Final = 20_000
MAX_MEMORY: Final = 1024 * 1024
"""Bytes, beside the header itself: a few copies of it."""
PROXIES = (ip_network("10.0.0.0/8"),)
ORIGINS = Origins(["https://app.example.org"])
PIECES = [
    *(b'"1",', b'W/"1", ', b'"', b"W/", b'"a"a', b",", b"\t,", b";", b"=", b" ", b"a", b"a=b;", b"q=", b"[", b"\xff"),
    *(b"refresh_token=a;", b'refresh_token="";', b"refresh_token=", b"gzip;q=0.5,", b"a/b;q=1,", b"text/event-stream,"),
    *(
        b"10.0.0.1, ",
        b"1.1.1.1,",
        b"::1,",
        b"[::1]:1,",
        b"1.",
        b"https://a.",
        b"https://[",
        b"czEu",
        b"eyJ",
        b"bearer ",
    ),
    *(b"application/json;", b"multipart/form-data; boundary=", b"identity,", b"x-a,", b"for=1.1.1.1;", b"%00"),
]


def filled(piece: bytes, size: int = MAX_HEAD) -> bytes:
    """The piece, repeated."""
    return (piece * (size // len(piece) + 1))[:size]


def shapes(name: bytes) -> list[Fields]:
    """Hostile headers with this name: one long field, and many fields of the same total length."""
    many = MAX_FIELDS - 1
    whole = [[(name, filled(piece))] for piece in PIECES]
    return whole + [[(name, filled(piece, MAX_HEAD // many))] * many for piece in PIECES]


def text_of(fields: Fields) -> str:
    """The last field, which counts if there are several."""
    return fields[-1][1].decode("latin-1")


def scope(fields: Fields) -> dict[str, Any]:
    """A request through a trusted proxy."""
    return {"type": "http", "scheme": "http", "client": ("10.0.0.1", 5), "headers": fields, "path": "/"}


READERS: Final[dict[str, Read]] = {
    "Accept": lambda fields: [read(text_of(fields)) for read in (media_type, wants_page, wants_events)],
    "Accept-Encoding": lambda fields: accepts_gzip(fields[-1][1]),
    "Content-Encoding": check_coding,
    "Content-Type": check_content_type,
    "Cookie": refresh_cookie,
    "Host": lambda fields: ORIGINS.allows("https://a.example.org", host=text_of(fields), secure=True),
    "Idempotency-Key": idempotency_key_of,
    "If-Match": expected_versions,
    "If-None-Match": lambda fields: known_tag(fields, 1),
    "If-None-Match of a file": lambda fields: StaticFile(b"x", b"text/html").response(
        {b"if-none-match": fields[-1][1]}, cache=b"no-cache"
    ),
    "Last-Event-ID": lambda fields: StreamCursor.decode(text_of(fields)),
    "Origin": lambda fields: ORIGINS.allows(text_of(fields), host="api.example.org", secure=True),
    "User-Agent": lambda fields: client_of(scope(fields), PROXIES),
    "X-Forwarded-For": lambda fields: client_of(scope(fields), PROXIES),
    "X-Forwarded-Proto": lambda fields: is_secure(scope(fields), PROXIES),
    "X-Request-ID": lambda fields: request_id_of(dict(fields)),
}
"""The functions that read each header, in all transports."""


class TestReaders:
    @pytest.mark.parametrize("header", READERS)
    def test_a_header_of_any_shape_costs_little(self, header: str, monkeypatch: pytest.MonkeyPatch):
        """Each reader reads a part of the 64 kB that a head may have."""
        characters = count_characters(monkeypatch, *PACKAGES)
        for fields in shapes(header.partition(" ")[0].lower().encode()):
            characters.given = 0
            with counted() as work, suppress(DomainError, HTTPError):
                READERS[header](fields)
            assert work.calls <= MAX_CALLS, fields[0][1][:40]
            assert characters.given <= MAX_CHARACTERS, fields[0][1][:40]

    @pytest.mark.parametrize("header", READERS)
    def test_a_header_of_any_shape_takes_little_memory(self, header: str):
        """A few copies of the header, for the duration of the request."""
        for fields in shapes(header.partition(" ")[0].lower().encode()):
            tracemalloc.start()
            try:
                with suppress(DomainError, HTTPError):
                    READERS[header](fields)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert peak <= MAX_MEMORY, fields[0][1][:40]

    def test_the_counters_count(self, monkeypatch: pytest.MonkeyPatch):
        """Calls and characters are counted; otherwise the tests above would prove nothing."""
        characters = count_characters(monkeypatch, *PACKAGES)
        with counted() as work:
            expected_versions([(b"if-match", b'"1","2"')])
        assert work.calls > 3
        assert characters.given >= 14


HEADERS: Final = [
    *("Accept", "Accept-Encoding", "Access-Control-Request-Headers", "Authorization", "Content-Encoding", "Cookie"),
    *("Forwarded", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "Origin", "Sec-Fetch-Site"),
    *("Traceparent", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID", "X-Unheard-Of"),
]
REQUESTS: Final = [
    ("POST", "/graphql", b"", [(b"content-type", b"application/json")], b'{"query": "{ __typename }"}'),
    ("GET", "/graphql", b"query={__typename}", [], b""),
    ("OPTIONS", "/graphql", b"", [(b"access-control-request-method", b"POST"), (b"origin", b"https://a.example")], b""),
    ("POST", "/api/v1/tasks/", b"", [(b"content-type", b"application/json")], b'{"title": "x"}'),
    ("GET", "/", b"", [], b""),
    ("GET", "/nowhere", b"", [], b""),
]
"""Method, path, query string, headers and body."""
VALUES: Final = {
    "many values": '{"a":[' + "1," * 30_000 + "1]}",
    "many lists": '{"a":[' + "[]," * 20_000 + "[]]}",
    "many keys": "{" + ",".join(f'"{number}":1' for number in range(5_000)) + "}",
    "nested": '{"a":' * 1_000 + "1" + "}" * 1_000,
    "too deep": '{"a":' * 12_000,
    "escapes": '{"a":"' + "\\u0041" * 10_000 + '"}',
    "lone surrogates": '{"a":"' + "\\ud800" * 10_000 + '"}',
    "a number": '{"a":' + "9" * 60_000 + "}",
    "no JSON": "[" * 60_000,
    "blank": " " * 20_000,
}
"""What the query parameters `variables` and `extensions` may hold."""
MAX_CALLS_OF_VALUES: Final = 8_000
"""Values are looked at one by one, and there may be 5,000 of them."""


@pytest.fixture(scope="module")
def app() -> ASGIApp:
    """A server that is not started, so that nothing else runs while a request is counted. It reads no database."""
    database, redis = "postgresql://127.0.0.1:1/x", "redis://127.0.0.1:1/0"
    return Server(settings_of(database, redis, trusted_proxies=["127.0.0.0/8"])).asgi()


async def calls_of(app: ASGIApp, method: str, path: str, query: bytes, headers: Fields, body: bytes) -> int:
    """The work of one request through a trusted proxy, whether it succeeds or is refused."""
    statuses = list[int]()
    asked: dict[str, Any] = {
        "type": "http",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
    }
    asked |= {"query_string": query, "headers": [(b"host", b"a"), *headers], "client": ("127.0.0.1", 1)}
    asked |= {"http_version": "1.1", "root_path": "", "extensions": {}}

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    with counted() as work:
        await app(asked, receive, send)
    assert 200 <= statuses[0] < 500
    return work.calls


class TestRequests:
    @pytest.mark.parametrize("header", HEADERS)
    async def test_a_header_makes_no_request_expensive(self, app: ASGIApp, header: str):
        """For every header that the server reads, and for unknown ones."""
        name = header.lower().encode()
        for method, path, query, headers, body in REQUESTS:
            usual = await calls_of(app, method, path, query, headers, body)
            others = [each for each in headers if each[0] != name]
            for fields in shapes(name):
                work = await calls_of(app, method, path, query, [*others, *fields], body)
                assert work - usual <= MAX_CALLS, (method, path, fields[0][1][:40])

    @pytest.mark.parametrize("parameter", ["variables", "extensions"])
    @pytest.mark.parametrize("value", VALUES)
    async def test_a_parameter_makes_no_request_expensive(self, app: ASGIApp, parameter: str, value: str):
        """Both as plain text and percent-encoded."""
        usual = await calls_of(app, "GET", "/graphql", b"query={__typename}", [], b"")
        for text in (VALUES[value].replace(" ", "+"), quote(VALUES[value], safe="")[:MAX_HEAD]):
            query = f"query={{__typename}}&{parameter}={text}".encode()
            assert await calls_of(app, "GET", "/graphql", query, [], b"") - usual <= MAX_CALLS_OF_VALUES
