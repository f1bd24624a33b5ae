"""`deploy/caddy/Caddyfile` in front of a server, with a real Caddy: TLS, WebSockets, event streams, and restarts."""

import asyncio
import json
import shutil
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import LOGIN, PASSWORD, REGISTER, Serve
from tests.support.ports import reserved_port
from tests.support.processes import Served
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import Socket, connected

CADDYFILE = Path(__file__).parents[2] / "deploy" / "caddy" / "Caddyfile"
PATIENCE = "lb_try_duration 30s"
OPTIONS = """{{
    admin off
    http_port {http}
    https_port {https}
    default_bind 127.0.0.1
    skip_install_trust
    grace_period 1s
    storage file_system {storage}
    servers {{
        protocols h1 h2
    }}
}}
"""
"""Without HTTP/3: the UDP port is the lock of `reserved_port`."""
CREATE = "mutation ($title: String!) { createTask(input: {title: $title}) { task { id } userErrors { message } } }"
CHANGED = (
    "subscription ($after: String) { taskChanged(after: $after) { cursor ... on TaskChanged { task { title } } } }"
)
CADDY = shutil.which("caddy")
pytestmark = pytest.mark.skipif(CADDY is None, reason="there is no Caddy (Debian: caddy)")


@dataclass
class Site:
    """What clients see: the site of Caddy, and the server behind it."""

    server: Served
    settings: dict[str, object]
    url: str
    http_url: str
    trust: ssl.SSLContext
    client: httpx.AsyncClient

    async def ask(self, query: str, token: str | None = None, **variables: Any) -> Any:
        """Send an operation, and return its data."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": variables}
        response = await self.client.post(f"{self.url}/graphql", json=body, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()["data"]


@pytest.fixture
async def site(serve: Serve, tmp_path: Path) -> AsyncIterator[Site]:
    """Caddy with a certificate of its own authority, which exists once the first request has succeeded."""
    http, https = reserved_port(), reserved_port()
    settings: dict[str, object] = {"TRUSTED_PROXIES": "127.0.0.1/32"}
    server = await serve(**settings).ready()
    text = CADDYFILE.read_text()
    assert PATIENCE in text
    config = tmp_path / "Caddyfile"
    config.write_text(
        OPTIONS.format(http=http, https=https, storage=tmp_path / "storage")
        # A machine that is slow or busy starts a server later.
        + text.replace(PATIENCE, f"lb_try_duration {HANG_SECONDS:.0f}s")
    )
    environment = {
        "HOME": str(tmp_path),
        "TASKRIVER_DOMAIN": "localhost",
        "TASKRIVER_UPSTREAM": f"127.0.0.1:{server.port}",
    }
    with (tmp_path / "caddy.log").open("wb") as log:
        caddy = await asyncio.create_subprocess_exec(
            *(str(CADDY), "run", "--config", str(config), "--adapter", "caddyfile"),
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        root = tmp_path / "storage" / "pki" / "authorities" / "local" / "root.crt"
        async with asyncio.timeout(HANG_SECONDS):
            while not (root.exists() and await is_served(root, https)):
                assert caddy.returncode is None, (tmp_path / "caddy.log").read_text()
                await asyncio.sleep(0.05)
        trust = ssl.create_default_context(cafile=str(root))
        async with httpx.AsyncClient(verify=trust, timeout=HANG_SECONDS) as client:
            yield Site(server, settings, f"https://localhost:{https}", f"http://localhost:{http}", trust, client)
    finally:
        caddy.terminate()
        async with asyncio.timeout(HANG_SECONDS):
            await caddy.wait()


async def is_served(root: Path, port: int) -> bool:
    """Whether the site answers with a certificate of this authority."""
    try:
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(root))) as client:
            return (await client.get(f"https://localhost:{port}/healthz", timeout=HANG_SECONDS)).status_code == 200
    except (httpx.TransportError, ssl.SSLError):
        return False


async def signed_in(site: Site, name: str, **headers: str) -> str:
    """An access token of a new user."""
    wanted = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    await site.ask(REGISTER, input=wanted)
    body = {"query": LOGIN, "variables": {"input": {"username": name, "password": PASSWORD}}}
    response = await site.client.post(f"{site.url}/graphql", json=body, headers=headers)
    return str(response.json()["data"]["login"]["accessToken"])


async def repeated(site: Site, token: str, title: str) -> Any:
    """Create a task; an older Caddy answers 502 while the server is away, and the request is repeated."""
    headers = {"authorization": f"Bearer {token}", "idempotency-key": title.replace(" ", "-")}
    body = {"query": CREATE, "variables": {"title": title}}
    async with asyncio.timeout(HANG_SECONDS):
        while (
            response := await site.client.post(f"{site.url}/graphql", json=body, headers=headers)
        ).status_code != 200:
            assert (response.status_code, holds_requests_with_bodies()) == (502, False)
            await asyncio.sleep(0.1)
    return response.json()["data"]


def holds_requests_with_bodies() -> bool:
    """Whether this Caddy tries to connect again for requests with a body (fixed after 2.11.1, issue 7546 of Caddy)."""
    version = subprocess.run([str(CADDY), "version"], check=True, capture_output=True, text=True).stdout
    return tuple(map(int, version.split()[0].lstrip("v").split("."))) > (2, 11, 1)


async def title_of_next(socket: Socket) -> tuple[str, str]:
    """The title and the cursor of the next change."""
    while (message := await socket.receive())["type"] != "next":
        await socket.send(type="pong")
    item = message["payload"]["data"]["taskChanged"]
    return item["task"]["title"], item["cursor"]


async def test_http_leads_to_https(site: Site):
    """With a permanent redirect."""
    response = await site.client.get(f"{site.http_url}/healthz")
    assert response.status_code == 308
    assert response.headers["location"].startswith("https://localhost")


async def test_a_client_cannot_claim_an_address(site: Site):
    """Caddy replaces X-Forwarded-For of the client; the session has the address that Caddy sees."""
    token = await signed_in(site, "claimer", **{"x-forwarded-for": "203.0.113.9"})
    sessions = (await site.ask("{ sessions { ipAddress } }", token))["sessions"]
    assert {session["ipAddress"] for session in sessions} == {"127.0.0.1"}


async def test_events_pass_at_once(site: Site):
    """On WebSockets of pages of the site, and on event streams: nothing waits in a buffer for the next event."""
    token = await signed_in(site, "listener")
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
    body = {"query": CHANGED}
    async with (
        connected(site.url, ssl=site.trust, origin=site.url) as socket,
        site.client.stream("POST", f"{site.url}/graphql", json=body, headers=headers) as stream,
    ):
        lines = stream.aiter_lines()
        await anext(lines)  # `retry:`, the stream has begun
        await socket.init({"authorization": f"Bearer {token}"})
        await socket.subscribe("1", CHANGED)
        await socket.subscribe("2", "{ __typename }")
        while (await socket.receive()).get("id") != "2":
            pass
        await site.ask(CREATE, token, title="At once")
        async with asyncio.timeout(HANG_SECONDS):
            received = [line async for line in until_data(lines)]
        title, _ = await title_of_next(socket)
    assert title == "At once"
    assert json.loads(received[-1])["data"]["taskChanged"]["task"]["title"] == "At once"


async def until_data(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """The lines up to the first one with data."""
    async for line in lines:
        yield line.removeprefix("data: ")
        if line.startswith("data: "):
            return


async def test_a_restart_loses_no_request_and_no_event(site: Site, serve: Serve):
    """Requests that arrive while the server is away wait for it; a subscription ends with 1012, and continues.

    Older versions of Caddy hold only requests without a body, such as queries by GET.
    """
    token = await signed_in(site, "restarter")
    async with connected(site.url, ssl=site.trust) as socket:
        await socket.init({"authorization": f"Bearer {token}"})
        await socket.subscribe("1", CHANGED)
        await socket.subscribe("2", "{ __typename }")
        while (await socket.receive()).get("id") != "2":
            pass
        await site.ask(CREATE, token, title="Before")
        title, cursor = await title_of_next(socket)
        site.server.send(signal.SIGTERM)
        code, _ = await socket.closed()
    await site.server.ended()
    waiting = [asyncio.create_task(repeated(site, token, f"Meanwhile {number}")) for number in range(5)]
    reading = asyncio.create_task(site.client.get(f"{site.url}/graphql?query={{__typename}}"))
    serve(**site.settings, PORT=site.server.port)
    assert (await reading).status_code == 200
    answers = await asyncio.gather(*waiting)
    async with connected(site.url, ssl=site.trust) as socket:
        await socket.init({"authorization": f"Bearer {token}"})
        await socket.subscribe("1", CHANGED, after=cursor)
        received = [(await title_of_next(socket))[0] for _ in waiting]
    assert (title, code) == ("Before", 1012)
    assert all(answer["createTask"]["task"] for answer in answers)
    assert sorted(received) == [f"Meanwhile {number}" for number in range(5)]
