"""A server without free file descriptors serves its open connections, reports the problem, and recovers."""

import asyncio
import resource
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Serve
from tests.support.processes import Served
from tests.support.waiting import HANG_SECONDS

MOST = 200
"""Connections that a test opens at most, until there is no descriptor left."""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="limits of another process are Linux's")
async def test_it_recovers_when_descriptors_are_free_again(serve: Serve):
    """Open connections are served meanwhile, and `/readyz` reports it; afterwards new ones are accepted."""
    server = await serve().ready()
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client, asyncio.timeout(HANG_SECONDS):
        assert (await client.get("/readyz")).json()["status"] == "ok"
        _leave(server, 5)
        async with AsyncExitStack() as stack:
            for _ in range(MOST):
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                stack.callback(writer.close)
            body = (await client.get("/readyz")).json()
            while body["checks"]["files"] == "ok":
                body = (await client.get("/readyz")).json()
            assert body["status"] == "degraded"
            assert (await client.post("/graphql", json={"query": "{ __typename }"})).status_code == 200
        while (await client.get("/readyz")).json()["status"] != "ok":
            await asyncio.sleep(0.05)
    await server.ready()
    assert server.err.count("no file descriptor is left") == 1
    assert "Traceback" not in server.err


def _leave(server: Served, number: int) -> None:
    """Let it open so many more files, and no others."""
    used = len([*Path(f"/proc/{server.process.pid}/fd").iterdir()])
    hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used + number, hard))
