"""A running application and a client of it, both fresh for every test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.echo_app import Echo, build
from tests.support.serving import serving


@pytest.fixture
def echo() -> Echo:
    """The application."""
    return build()


@pytest.fixture
async def url(echo: Echo) -> AsyncIterator[str]:
    """Where it is served."""
    async with serving(echo.app) as address:
        yield address


@pytest.fixture
async def client(echo: Echo) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client that calls it without a network."""
    transport = httpx.ASGITransport(echo.app, client=("203.0.113.7", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://taskriver.test") as client:
        yield client
