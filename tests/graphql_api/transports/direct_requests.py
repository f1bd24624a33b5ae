"""Requests of all kinds, for the comparison of requests that are answered directly with the same ones that are not."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from graphql_api.schema.ids import encode_id
from tests.support.api import Api

Fields = list[tuple[str, str]]

CLOSING: Final = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
TASK: Final = "query Task($id: ID!) { task(id: $id) { id title owner { id username } assignee { id } } }"
PAGE: Final = "query Page($first: Int!) { tasks(first: $first) { edges { cursor node { id title description } } } }"
MOVE: Final = """mutation Move($id: ID!) { updateTaskStatus(input: {id: $id, status: DONE}) {
  task { id } userErrors { code message } } }"""
TWO: Final = "query First { __typename } query Second { me { username } }"
SCHEMA: Final = "{ __schema { queryType { name } } }"
MOVES: Final = "subscription { taskStatusChanged { cursor } }"
KNOWN: Final = (
    TASK,
    PAGE,
    MOVE,
    TWO,
    SCHEMA,
    MOVES,
    "{ __typename }",
    "{__typename}",
    "{ me { username role } }",
)

METHODS: Final = ("GET", "HEAD", "PUT", "OPTIONS", "DELETE")
TARGETS: Final = ("/graphql/", "/graphql?query={__typename}", "/healthz", "/nothing", "http://a/graphql", "/graph%71l")
CONTENT_TYPES: Final = ("application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", "application/json;a=b", "")
ACCEPTED: Final = (
    *("*/*", "application/json", "application/graphql-response+json", "text/html", "image/png", ""),
    *("text/event-stream", "text/event-stream, application/json", "application/json;q=0.5, */*;q=0.1"),
)
ORIGINS: Final = ("https://app.example.org", "https://other.example.org", "http://a", "https://a", "null", "")
OTHER_FIELDS: Final[Fields] = [
    *(("X-Request-ID", "abc"), ("X-Request-ID", "not valid"), ("User-Agent", "test"), ("Cookie", "refresh_token=a")),
    *(("Accept-Encoding", "gzip"), ("Accept-Encoding", "identity"), ("Accept-Language", "en"), ("Host", "b")),
    *(("Connection", "keep-alive"), ("Connection", "close"), ("Connection", "upgrade"), ("Upgrade", "h2c")),
    *(("Content-Encoding", "identity"), ("Content-Encoding", "gzip"), ("Idempotency-Key", "a"), ("Expect", "x")),
    *(("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-Proto", "https"), ("Traceparent", "00-ab-cd-01"), ("TE", "gzip")),
    *(("Content-Type", "application/json"), ("Authorization", "Bearer twice"), ("Expect", "100-continue")),
]


@dataclass
class World:
    """What the requests name: tokens of all kinds, and tasks."""

    tokens: list[str]
    own_task: str
    hidden_task: str

    @classmethod
    async def create(cls, api: Api) -> "World":
        """A user with enough tasks for a page that is compressed, and another user's task."""
        user, other = await api.a_user(), await api.a_user()
        tasks = [await api.build.a_task(user, description="long " * 50) for _ in range(12)]
        hidden = await api.build.a_task(other)
        session = await api.build.a_session(user)
        earlier = datetime.now(UTC) - timedelta(days=10)
        expired = api.server.tokens.issue(user.id, session.id, earlier).token
        revoked = api.server.tokens.issue(user.id, uuid4(), datetime.now(UTC)).token
        valid = await api.token(user)
        forged = valid[:-8] + "AAAAAAAA"
        headers = [f"Bearer {token}" for token in (valid, valid, expired, revoked, forged)]
        tokens = [*headers, f"bearer  {valid} ", f"Basic {valid}", "Bearer", ""]
        return cls(tokens, encode_id("Task", tasks[0].id), encode_id("Task", hidden.id))


@dataclass
class Generator:
    """Generates requests. Most of them are usual, and a few things are wrong or unusual in each of the others."""

    world: World
    random: random.Random
    known: list[dict[str, Any]] = field(init=False)
    values: list[tuple[str, Sequence[str]]] = field(init=False)

    def __post_init__(self) -> None:
        self.values = [("Authorization", self.world.tokens), ("Content-Type", CONTENT_TYPES)]
        self.values += [("Accept", ACCEPTED), ("Origin", ORIGINS)]
        own, hidden = self.world.own_task, self.world.hidden_task
        self.known = [
            *(
                {"query": TASK, "variables": {"id": each}}
                for each in (own, own, hidden, "nonsense", encode_id("A", uuid4()))
            ),
            *({"query": PAGE, "variables": {"first": each}} for each in (1, 12, 0, 101)),
            {"query": MOVE, "variables": {"id": hidden}},
            *({"query": TWO, "operationName": each} for each in ("First", "Second", "Third", None)),
            {"query": "{ __typename }"},
            {"query": "{ me { username role } }", "variables": None, "extensions": {}},
        ]

    def request(self) -> bytes:
        """A request."""
        body = self._body()
        fields: Fields = [("Host", "a"), ("Content-Type", "application/json"), ("Authorization", self.world.tokens[0])]
        method, target, version = "POST", "/graphql", "1.1"
        while self._sometimes(0.35):
            match self.random.randrange(5):
                case 0:
                    method = self.random.choice(METHODS)
                case 1:
                    target = self.random.choice(TARGETS)
                case 2:
                    version = "1.0"
                case 3:
                    fields.append(self.random.choice(OTHER_FIELDS))
                case _:
                    name, values = self.random.choice(self.values)
                    _replace(fields, name, self.random.choice(values))
        return self._framed(f"{method} {target} HTTP/{version}\r\n", fields, body)

    def connection(self) -> tuple[list[bytes], bool]:
        """What is sent on one connection, and whether each part is sent after a response to the one before."""
        parts = [self.request() for _ in range(self.random.randint(1, 3))]
        if self._sometimes(0.5):
            return [*parts, CLOSING], True
        if self._sometimes(0.5):
            parts = [b"".join(parts)]
        if self._sometimes(0.5):
            cut = self.random.randrange(len(parts[0]))
            parts = [parts[0][:cut], parts[0][cut:], *parts[1:]]
        if self._sometimes(0.2):
            parts.append(b"nonsense\r\n\r\n")
        return [*parts, CLOSING], False

    def _framed(self, line: str, fields: Fields, body: bytes) -> bytes:
        if b"subscription" in body:
            _replace(fields, "Accept", "")  # an event stream would not end
        if self._sometimes(0.1):
            fields.append(("Transfer-Encoding", "chunked"))
            body = b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, b"X-Trailer: a\r\n") if body else b"0\r\n\r\n"
        else:
            fields.append(("Content-Length", f"{len(body)}"))
        self.random.shuffle(fields)
        head = line + "".join(f"{name}: {value}\r\n" for name, value in fields if value)
        return head.encode() + b"\r\n" + body

    def _body(self) -> bytes:
        if self._sometimes(0.8):
            return json.dumps(self.random.choice(self.known)).encode()
        return self.random.choice(
            [
                *(b"", b"{", b"[]", b"1", b'{"query": 1}', b'{"query": " "}', b"\xff", b'{"query": "{ nothing }"}'),
                b'[{"query": "{ __typename }"}]',
                json.dumps({"query": "{ __typename }", "variables": {"a": "\0"}}).encode(),
                json.dumps({"query": "{ __typename }", "variables": []}).encode(),
                json.dumps({"query": "{ __typename }", "operationName": 1}).encode(),
                json.dumps({"query": TASK, "variables": {"id": None}}).encode(),
                json.dumps({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "a" * 64}}}).encode(),
                json.dumps({"query": SCHEMA}).encode(),
                json.dumps({"query": MOVES}).encode(),
                json.dumps({"query": "{" + "me {" * 40 + "}" * 41}).encode(),
                json.dumps({"query": "{ __typename }" + " " * 300_000}).encode(),
            ]
        )

    def _sometimes(self, probability: float) -> bool:
        return self.random.random() < probability


def _replace(fields: Fields, name: str, value: str) -> None:
    fields[:] = [(each, content) for each, content in fields if each != name] + [(name, value)]
