"""`REGISTRATION`: who may register, the same over GraphQL and REST."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from domain.actor import OPERATOR
from domain.registration import CLOSED, INVITED_ONLY, Registration
from services.user import count_users, register
from tests.support.api import Api
from tests.support.api_server import an_api

REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } userErrors { code message } } }"
REFUSALS = {Registration.OPEN: None, Registration.INVITE: INVITED_ONLY, Registration.CLOSED: CLOSED}


@pytest.fixture(scope="module", params=Registration)
async def api(
    request: pytest.FixtureRequest, new_database: Callable[[], str], new_redis: Callable[[], str]
) -> AsyncIterator[Api]:
    """A server with this setting."""
    async with an_api(new_database(), new_redis(), {"registration": request.param}) as api:
        yield api


def newcomer() -> dict[str, Any]:
    """A user who does not exist yet."""
    name = f"u{uuid4().hex[:12]}"
    return {"username": name, "email": f"{name}@example.org", "password": "Correct-horse1"}


async def test_graphql_and_rest_refuse_the_same(api: Api):
    """With the message that says what to do. Nothing is stored."""
    expected = REFUSALS[api.server.settings.registration]
    given, before = newcomer(), await count_users(api.build.as_(OPERATOR))
    payload = (await api.ask(REGISTER, input=given)).data["register"]
    assert payload["userErrors"] == ([] if expected is None else [{"code": "FORBIDDEN", "message": expected}])

    other = newcomer()
    answer = await api.client.post("/api/v1/auth/register/", json=other)
    assert answer.status_code == (201 if expected is None else 403)
    assert answer.json().get("detail") == expected

    created = await count_users(api.build.as_(OPERATOR)) - before
    assert created == (2 if expected is None else 0)


async def test_the_operator_creates_users_in_every_mode(api: Api):
    """As `taskriver user create` does: who has access to the database needs no permission to register."""
    mode = api.server.settings.registration
    row = await register(
        api.build.as_(OPERATOR), **newcomer(), hash_password=api.server.passwords.hash, registration=mode
    )
    assert row.is_active


async def test_pages_know_the_mode(api: Api):
    """A page shows the form only where it works."""
    options = (await api.ask("{ signInOptions { registration } }")).data["signInOptions"]
    assert options == {"registration": api.server.settings.registration.name}
