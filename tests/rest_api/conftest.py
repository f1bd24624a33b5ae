"""The REST API of the shared server, and its address for sockets."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.rest_api.documented import HOOKS
from tests.rest_api.support import Rest
from tests.support.api import URL, Api
from tests.support.serving import serving


@pytest.fixture(scope="module")
async def rest(api: Api) -> AsyncIterator[Rest]:
    """The REST API."""
    transport = httpx.ASGITransport(app=api.server.asgi())
    async with httpx.AsyncClient(transport=transport, base_url=URL, event_hooks=HOOKS) as client:
        yield Rest(api, client, transport)


@pytest.fixture(scope="module")
async def url(api: Api) -> AsyncIterator[str]:
    """Where it is served, over a real network."""
    async with serving(api.server.asgi()) as address:
        yield address
