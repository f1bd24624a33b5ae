"""Two worker processes of `taskriver serve`, used through every transport: their logs and their metrics."""

import asyncio
import json
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import websockets
from prometheus_client.parser import text_string_to_metric_families

from observability.metrics import METRICS, MetricKind
from tests.support.ports import reserved_port
from tests.support.processes import Served
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import connected

PASSWORD, WRONG = "Canary-password1", "Canary-guess1"
MAIL = "canary.mail@example.org"
TITLE, NOTE = "canary title", "canary description"
AGENT = "canary agent"
JWT = "eyJhbGciOiJIUzI1NiJ9.Y2FuYXJ5.Y2FuYXJ5"

REGISTER = "mutation Join($input: RegisterInput!) { register(input: $input) { userErrors { message } } }"
LOGIN = "mutation Enter($input: LoginInput!) { login(input: $input) { accessToken refreshToken userErrors { code } } }"
CREATE = "mutation Write($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }"
CHANGED = "subscription Listen($after: String) { taskChanged(after: $after) { cursor task { title } } }"
CURSOR = "query Where { tasks(first: 1) { streamCursor } }"


@dataclass
class Use:
    """Uses the server, and records all secrets that must not be in its log."""

    server: Served
    client: httpx.AsyncClient
    metrics: str
    secrets: set[str] = field(default_factory=lambda: {PASSWORD, WRONG, MAIL, TITLE, NOTE, AGENT, JWT})

    async def ask(self, query: str, token: str | None = None, /, **variables: Any) -> httpx.Response:
        """Send an operation."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": variables}
        response = await self.client.post(f"{self.server.url}/graphql", json=body, headers=headers)
        for cookie in response.cookies.values():
            self.secrets.add(cookie)
        return response

    async def rest(self, method: str, path: str, token: str | None = None, /, **options: Any) -> httpx.Response:
        """Call an endpoint."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        response = await self.client.request(
            method, f"{self.server.url}/api/v1{path}", headers=headers | options.pop("headers", {}), **options
        )
        for cookie in response.cookies.values():
            self.secrets.add(cookie)
        return response

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        return [json.loads(line) for line in self.server.err.split("\n") if line]

    async def logged(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a line."""
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                for line in self.lines:
                    if wanted(line):
                        return line
                await asyncio.sleep(0.05)

    async def both_are_there(self) -> None:
        """Wait until both processes read the log; a later process would start at the current position."""
        async with asyncio.timeout(HANG_SECONDS):
            while await self.value("taskriver_processes_ready") < 2:
                await asyncio.sleep(0.1)

    async def everything_is_written_down(self) -> None:
        """Wait until both processes have published their metrics; each does so once a second."""
        async with asyncio.timeout(HANG_SECONDS):
            while not await self._is_written_down():
                await asyncio.sleep(0.1)

    async def _is_written_down(self) -> bool:
        totals = await self.totals()
        requests = sum(line["event"] == "request" for line in self.lines)
        numbered = totals["taskriver_events_numbered_total"]
        return (
            totals["taskriver_requests_total"] == requests
            and totals["taskriver_events_recorded_total"] == numbered
            and totals["taskriver_events_told_total"] == 2 * numbered
        )

    async def totals(self) -> Counter[str]:
        """The metrics, summed over their labels."""
        totals: Counter[str] = Counter()
        for (name, _), value in (await self.scraped()).items():
            totals[name] += value  # type: ignore[assignment]  # not only whole numbers
        return totals

    async def scraped(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """The metrics as Prometheus reads them."""
        text = (await self.client.get(self.metrics)).text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def value(self, name: str, **labels: str) -> float:
        """The value of a metric; 0 if it is missing."""
        return (await self.scraped()).get((name, frozenset(labels.items())), 0.0)


@pytest.fixture(scope="module")
async def use(
    new_database: Callable[[], str], new_redis: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Use]:
    """The two processes, after use."""
    async with two_processes(tmp_path_factory.mktemp("observed"), new_database(), new_redis()) as use:
        await everything(use)
        yield use


@asynccontextmanager
async def two_processes(folder: Path, database_url: str, redis_url: str) -> AsyncIterator[Use]:
    """The two processes, unused."""
    port = reserved_port()
    server = Served(
        folder=folder, DATABASE_URL=database_url, REDIS_URL=redis_url, BCRYPT_ROUNDS=4, DATABASE_POOL_SIZE=4,
        WORKERS=2, LOG_LEVEL="debug", METRICS_PORT=port,
    )  # fmt: skip
    try:
        await server.ready()
        # A connection for each request, so that both processes get some.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(limits=limits, headers={"user-agent": AGENT}, timeout=HANG_SECONDS) as client:
            use = Use(server, client, f"http://127.0.0.1:{port}/metrics")
            await use.both_are_there()
            yield use
    finally:
        server.clean_up()


async def everything(use: Use) -> None:
    """Use every transport, with valid and invalid requests that contain recognisable secrets."""
    credentials = {"username": "canary", "password": PASSWORD}
    await use.ask(REGISTER, input=credentials | {"email": MAIL})
    await use.ask(REGISTER, input=credentials | {"email": MAIL})
    await use.ask(LOGIN, input=credentials | {"password": WRONG})
    tokens = (await use.ask(LOGIN, input=credentials)).json()["data"]["login"]
    use.secrets.update(filter(None, tokens.values()))
    token = tokens["accessToken"]
    await over_http(use, token)
    await over_sockets(use, token)
    await over_events(use, token)
    await over_rest(use, token)
    await use.everything_is_written_down()


async def over_http(use: Use, token: str) -> None:
    """GraphQL over HTTP."""
    await use.ask(CREATE, token, input={"title": TITLE, "description": NOTE})
    await use.ask(CREATE, token, input={"title": 3, "description": PASSWORD})
    await use.ask(f'mutation {{ login(input: {{username: "canary", password: "{PASSWORD}", nonsense: 1}}) {{ x }} }}')
    await use.ask("{ me { id } }", JWT)
    await use.ask('query "\n{"event": "forged"}\n')
    get = {"query": f'{{ tasks(first: 1, filter: {{text: "{TITLE}"}}) {{ totalCount }} }}', "token": token}
    await use.client.get(f"{use.server.url}/graphql", params=get, headers={"authorization": f"Bearer {token}"})
    await use.client.post(f"{use.server.url}/graphql", content=f'{{"query": "{PASSWORD}', headers={
        "content-type": "application/json", "x-request-id": f"a {PASSWORD}", "cookie": f"refresh_token={JWT}",
    })  # fmt: skip
    for _ in range(20):
        await use.ask("query Often { __typename }")


async def over_sockets(use: Use, token: str) -> None:
    """GraphQL over a socket."""
    cursor = (await use.ask(CURSOR, token)).json()["data"]["tasks"]["streamCursor"]
    async with connected(use.server.url, user_agent_header=AGENT) as socket:
        await socket.init({"authorization": f"Bearer {token}"})
        await socket.subscribe("1", CHANGED, after=cursor)
        await use.ask(CREATE, token, input={"title": TITLE})
        assert (await socket.receive())["type"] == "next"
        await socket.subscribe(f"{PASSWORD}\n", CREATE, input={"title": TITLE})
        assert (await socket.receive())["type"] in {"next", "complete"}
        await socket.subscribe("2", f'{{ nonsense(password: "{PASSWORD}") }}')
        await socket.send(id="1", type="complete")
    async with connected(use.server.url) as socket:
        await socket.send(type="connection_init", payload={"authorization": f"Bearer {JWT}"})
        await socket.closed()
    async with connected(use.server.url) as socket:
        await socket.connection.send(f'{{"password": "{PASSWORD}"')
        await socket.closed()


async def over_events(use: Use, token: str) -> None:
    """GraphQL over Server-Sent Events."""
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
    url = f"{use.server.url}/graphql"
    async with use.client.stream("POST", url, json={"query": CHANGED}, headers=headers) as events:
        lines = events.aiter_lines()
        await anext(lines)
        await use.ask(CREATE, token, input={"title": TITLE})
        async for line in lines:
            if line.startswith("data:"):
                break
    await use.client.post(url, json={"query": f'{{ nonsense(password: "{PASSWORD}") }}'}, headers=headers)
    await use.client.post(url, json={"query": "{ __typename }"}, headers=headers | {"accept": "*/*"})


async def over_rest(use: Use, token: str) -> None:
    """The REST API and its socket."""
    await use.rest("POST", "/auth/login/", data={"username": "canary", "password": WRONG})
    signed_in = await use.rest("POST", "/auth/login/", data={"username": "canary", "password": PASSWORD})
    use.secrets.add(signed_in.json()["access_token"])
    cookie = {"cookie": f"refresh_token={signed_in.cookies['refresh_token']}"}
    await use.rest("POST", "/auth/refresh/", headers=cookie)
    await use.rest("POST", "/tasks/", token, json={"title": TITLE, "description": NOTE})
    await use.rest("POST", "/tasks/", token, json={"title": [PASSWORD]})
    await use.rest("GET", f"/tasks/?search={TITLE}&token={token}", token)
    await use.rest("GET", f"/{PASSWORD}")
    await use.rest("GET", "/users/about_me/", JWT)
    address = use.server.url.replace("http", "ws", 1) + "/ws/tasks/0199e2a4-8d10-7c61-a2b4-93f1c07d5e12"
    async with websockets.connect(f"{address}?token={token}") as socket:
        await socket.send(json.dumps({"type": "auth", "token": token}))
        await socket.recv()
    async with websockets.connect(address) as socket:
        await socket.send(json.dumps({"type": "auth", "token": JWT}))
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()


class TestTheLog:
    async def test_the_log_holds_no_secret(self, use: Use):
        """No token, password, cookie, e-mail address, title or user agent, from any transport."""
        all_output = use.server.err + use.server.out
        assert len(use.secrets) > 10
        assert [secret for secret in use.secrets if secret in all_output] == []
        assert "canary." not in all_output

    async def test_every_line_is_json(self, use: Use):
        """Each line is one object with time, level and event; none is forged."""
        assert len(use.lines) > 50
        assert all({"time", "level", "event"} <= line.keys() for line in use.lines)
        assert not any(line["event"] == "forged" for line in use.lines)

    async def test_client_errors_are_no_warnings(self, use: Use):
        """Only invalid HTTP is a warning of the server. On a busy machine Redis may answer late, too."""
        warnings = [line for line in use.lines if line["level"] in ("warning", "error")]
        assert [line for line in warnings if not line["event"].startswith("no Redis notifications")] == []

    async def test_every_transport_has_request_lines(self, use: Use):
        """One line per request: actor, operation, transport and result."""
        observed = [line for line in use.lines if line["event"] == "request"]
        found = {(line["door"], line["operation"], line["code"]) for line in observed}
        assert {
            ("http", "Enter", "OK"),
            ("http", "Enter", "INVALID_CREDENTIALS"),
            ("http", "Join", "ALREADY_EXISTS"),
            ("http", None, "BAD_REQUEST"),
            ("http", None, "UNAUTHENTICATED"),
            ("ws", "Listen", "CANCELLED"),
            ("ws", "Write", "OK"),
            ("ws", None, "BAD_REQUEST"),
            ("sse", "Listen", "CANCELLED"),
            ("sse", None, "BAD_REQUEST"),
            ("rest", "login", "INVALID_CREDENTIALS"),
            ("rest", "login", "OK"),
            ("rest", "create_task", "BAD_REQUEST"),
            ("rest", "about_me", "UNAUTHENTICATED"),
            ("rest", None, "BAD_REQUEST"),
            ("rest-ws", "tasks", "CANCELLED"),
            ("rest-ws", "tasks", "UNAUTHORIZED"),
        } <= found
        write = next(line for line in observed if line["operation"] == "Write" and line["code"] == "OK")
        assert write["statements"] >= 1
        assert write["actor"]
        assert write["ms"] > 0

    async def test_a_delivery_names_the_request_that_caused_it(self, use: Use):
        """The line of the delivery has the request ids of the write and of the subscription."""
        delivered = await use.logged(lambda line: line["event"] == "delivered" and line["subscription"] is not None)
        write = await use.logged(
            lambda line: line["event"] == "request" and line["request_id"] == delivered["request_id"]
        )
        assert write["operation"] == "Write"
        listening = await use.logged(
            lambda line: line["event"] == "request" and line["request_id"] == delivered["subscription"]
        )
        assert (listening["kind"], listening["code"], listening["frames"] >= 1) == ("subscription", "CANCELLED", True)


WHEN_COUNTED: Final = {
    "taskriver_throttled_total",
    "taskriver_trusted_documents_total",
    "taskriver_untrusted_documents_total",
}
"""Counters with labels, which have no sample before something is counted."""


class TestTheMetrics:
    async def test_metrics_of_both_processes_are_summed(self, use: Use):
        """Both processes are ready and receive notifications."""
        assert await use.value("taskriver_processes") == 2
        assert await use.value("taskriver_processes_ready") == 2
        assert await use.value("taskriver_processes_with_redis") == 2
        often = await use.value("taskriver_requests_total", door="http", operation="Often", code="OK")
        first = sum(1 for line in use.lines if line.get("operation") == "Often") - int(often)
        assert often + first == 20
        assert first <= 2  # the first request in each process has no name yet

    async def test_every_metric_is_present(self, use: Use):
        """The metrics that this use must change have changed. Every recorded event is numbered and delivered by each
        process before the metrics are published.
        """
        await use.everything_is_written_down()
        scraped = await use.scraped()
        names = {name for name, _ in scraped}
        observed = {each.name + ("_count" if each.kind is MetricKind.HISTOGRAM else "") for each in METRICS}
        assert observed - names <= WHEN_COUNTED
        totals = await use.totals()
        for moved in (
            "taskriver_statements_total", "taskriver_events_recorded_total", "taskriver_events_numbered_total",
            "taskriver_events_delivered_total", "taskriver_chimes_total", "taskriver_memory_bytes",
            "taskriver_cpu_seconds_total", "taskriver_event_delivery_seconds_count",
        ):  # fmt: skip
            assert totals[moved] > 0, moved
        assert (
            scraped[
                "taskriver_request_seconds_bucket",
                frozenset({("door", "rest"), ("operation", "login"), ("le", "10.0")}),
            ]
            == 2
        )

    async def test_open_sockets_are_summed(self, use: Use):
        """Sockets and subscriptions that are open now, in all processes; closed ones are gone a second later."""
        token = (await use.ask(LOGIN, input={"username": "canary", "password": PASSWORD})).json()["data"]["login"][
            "accessToken"
        ]
        sockets = [connected(use.server.url) for _ in range(6)]
        for each in sockets:
            socket = await each.__aenter__()
            await socket.init({"authorization": f"Bearer {token}"})
            await socket.subscribe("1", CHANGED)
        await self._becomes(use, "taskriver_sockets", 6)
        await self._becomes(use, "taskriver_subscriptions", 6)
        for each in sockets:
            await each.__aexit__(None, None, None)
        await self._becomes(use, "taskriver_sockets", 0)

    async def test_revocations_are_timed(self, use: Use):
        """Each process reports the time until it applied a sign-out."""
        before = await use.value("taskriver_revocation_seconds_count")
        token = (await use.ask(LOGIN, input={"username": "canary", "password": PASSWORD})).json()["data"]["login"][
            "accessToken"
        ]
        await use.rest("POST", "/auth/logout_all/", token)
        async with asyncio.timeout(HANG_SECONDS):
            while await use.value("taskriver_revocation_seconds_count") < before + 2:
                await asyncio.sleep(0.1)

    async def test_metrics_are_not_on_the_public_port(self, use: Use):
        """Clients of the API cannot read them."""
        assert (await use.client.get(f"{use.server.url}/metrics")).status_code == 404

    async def test_a_dead_worker_keeps_its_counts(
        self, new_database: Callable[[], str], new_redis: Callable[[], str], tmp_path: Path
    ):
        """The worker is replaced; no count falls, and there are two processes again."""
        async with two_processes(tmp_path, new_database(), new_redis()) as use:
            await use.ask(REGISTER, input={"username": "canary", "password": PASSWORD, "email": MAIL})
            await use.everything_is_written_down()
            before = {key: value for key, value in (await use.scraped()).items() if key[0].endswith("_total")}
            pid, *_ = self._workers(use)
            assert pid in {person[0] for person in use.server.family()}
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(HANG_SECONDS):
                while len(self._workers(use)) < 3:
                    await asyncio.sleep(0.1)
            await use.both_are_there()
            await self._becomes(use, "taskriver_processes", 2)
            after = await use.scraped()
        fallen = [key for key, value in before.items() if after.get(key, 0) < value]
        assert fallen == []

    @staticmethod
    def _workers(use: Use) -> list[int]:
        started = [line["event"] for line in use.lines if "Started server process" in line["event"]]
        return [int(re.findall(r"\d+", each)[0]) for each in started]

    @staticmethod
    async def _becomes(use: Use, name: str, wanted: float) -> None:
        async with asyncio.timeout(HANG_SECONDS):
            while await use.value(name) != wanted:
                await asyncio.sleep(0.1)
