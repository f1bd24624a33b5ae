"""The parts of the readiness response."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from persistence.schema_check import SchemaState
from server.health import Health

GOOD = {"database": True, "redis": True, "refused": False, "exhausted": False, "draining": False}


async def readiness(tables: SchemaState = SchemaState.OK, **parts: bool) -> tuple[int, dict[str, object]]:
    """The status and the body with the tables and these parts in this state."""
    state = GOOD | parts

    def check(name: str):
        async def answer() -> bool:
            return state[name]

        return answer

    async def state_of_tables() -> SchemaState:
        return tables

    health = Health(
        database=check("database"),
        migrations=state_of_tables,
        redis=check("redis"),
        refused=lambda: state["refused"],
        exhausted=lambda: state["exhausted"],
        draining=lambda: state["draining"],
    )
    transport = httpx.ASGITransport(Starlette(routes=[Route("/readyz", health.ready)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
        response = await client.get("/readyz")
        return response.status_code, response.json()


@pytest.mark.parametrize(
    ("parts", "status", "word"),
    [
        ({}, 200, "ok"),
        ({"redis": False}, 200, "degraded"),
        ({"refused": True}, 200, "degraded"),
        ({"exhausted": True}, 200, "degraded"),
        ({"database": False}, 503, "unavailable"),
        ({"tables": SchemaState.BEHIND}, 503, "unavailable"),
        ({"draining": True}, 503, "unavailable"),
        ({"draining": True, "refused": True}, 503, "unavailable"),
    ],
)
async def test_without_notifications_it_is_ready(parts: dict[str, Any], status: int, word: str):
    """Events arrive by polling."""
    found, body = await readiness(**parts)
    assert (found, body["status"]) == (status, word)


async def test_a_refusal_is_reported():
    """With its effect."""
    _, body = await readiness(refused=True)
    assert body["checks"]["notifications"] == "refused: events arrive by polling"  # type: ignore[index]
