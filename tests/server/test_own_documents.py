"""The commands work with a server that requires trusted documents."""

from collections.abc import AsyncIterator, Callable

import pytest

from cli.stored_sessions.sessions import StoredSessions
from domain.user import Role
from graphql_api.auth.passwords import Passwords
from persistence.models import UserRow
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.serving import serving
from verification.client import http
from verification.client.account import Account
from verification.client.failures import Refused
from verification.stream_test import StreamTest, StreamTestPlan

PASSWORD = "Correct-horse1"


@pytest.fixture
async def api(new_database: Callable[[], str], redis_url: str) -> AsyncIterator[Api]:
    """An API that requires them, and has been given none."""
    async with an_api(new_database(), redis_url, {"trusted_documents": "require"}) as api:
        yield api


@pytest.fixture
async def endpoint(api: Api) -> AsyncIterator[http.Api]:
    """It, over the network."""
    async with serving(api.server.asgi()) as url:
        yield http.Api(f"{url}/graphql")


@pytest.fixture
async def admin(api: Api) -> UserRow:
    """A user who can sign in, and may do everything."""
    return await api.a_user(Role.ADMIN, password_hash=await Passwords(4).hash(PASSWORD))


def refused(api: Api) -> int:
    """The number of documents that were refused."""
    assert api.server.trusted is not None
    return api.server.trusted.untrusted.total()


async def test_the_stream_is_verified(api: Api, endpoint: http.Api, admin: UserRow):
    """The check sends most documents of the commands, over HTTP and on sockets."""
    account = Account(lambda: endpoint, admin.username, PASSWORD)
    report = await StreamTest(account, StreamTestPlan(2, 2, 1.0, faults=False), lambda text: None).run()

    assert report.clean
    assert refused(api) == 0
    with pytest.raises(Refused, match="trusted"):
        await endpoint.ask("{ __typename }")
    assert refused(api) == 1


async def test_sessions_are_stored_and_ended(api: Api, endpoint: http.Api, admin: UserRow):
    """As `taskriver token` does it."""
    sessions = StoredSessions(endpoint)
    stored = await sessions.sign_in(admin.username, PASSWORD)
    renewed = await sessions.renew(stored)
    assert renewed is not None
    assert await sessions.validate(renewed) is not None
    await sessions.end(renewed)

    assert refused(api) == 0
