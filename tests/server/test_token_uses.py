"""The use of personal access tokens is stored beside the requests."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from domain.access_token import Scope
from domain.errors import Unavailable
from graphql_api.auth.token_uses import TokenUses
from server import token_uses
from services import access_token as access_token_service
from tests.support.api import Api
from tests.support.builders import Builders
from tests.support.waiting import HANG_SECONDS

ME = "{ me { id } }"
TOKENS = "{ accessTokens { name lastUsedAt } }"


async def used_at(api: Api, by: str) -> str:
    """When the only token was used, once it is stored."""
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            [token] = (await api.ask(TOKENS, by)).data["accessTokens"]
            if token["lastUsedAt"] is not None:
                return str(token["lastUsedAt"])
            await asyncio.sleep(0.01)


async def test_a_request_with_a_token_is_noted(api: Api):
    """It becomes visible in the list, with the time of the use; a request with a session is no use."""
    user = await api.a_user()
    _, text = await api.build.an_access_token(user, Scope.ACCOUNT)
    session = await api.token(user)
    [token] = (await api.ask(TOKENS, session)).data["accessTokens"]
    assert token["lastUsedAt"] is None
    began = datetime.now(UTC)
    assert (await api.ask(ME, text)).codes == []
    assert began <= datetime.fromisoformat(await used_at(api, session))


async def test_a_use_that_cannot_be_stored_is_stored_later(build: Builders, monkeypatch: pytest.MonkeyPatch):
    """An outage of the database loses none."""
    user, uses, store, tries = await build.a_user(), TokenUses(), access_token_service.note_use, []
    row, _ = await build.an_access_token(user)
    done = asyncio.Event()

    async def fail_once(uow: object, *, token_ids: list[object]) -> None:
        tries.append(list(token_ids))
        if len(tries) == 1:
            raise Unavailable("down")
        await store(uow, token_ids=token_ids)  # type: ignore[arg-type]
        done.set()

    monkeypatch.setattr(access_token_service, "note_use", fail_once)
    monkeypatch.setattr(token_uses, "GATHERING_SECONDS", 0)
    task = asyncio.create_task(token_uses.store_token_uses(build.database, uses))
    uses.note(row.id)
    async with asyncio.timeout(HANG_SECONDS):
        await done.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert tries == [[row.id], [row.id]]
    [found] = await access_token_service.list_access_tokens(build.as_(user), user_id=user.id)
    assert found.last_used_at is not None
