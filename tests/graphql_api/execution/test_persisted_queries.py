"""A document can be requested by its hash after its text was sent, through every transport."""

from hashlib import sha256
from json import dumps
from typing import Any

import pytest

from domain.errors import BadRequest, UnknownHash
from graphql_api.execution.persisted_queries import PersistedQueries
from graphql_api.execution.request import OperationRequest
from tests.support.api import Api
from tests.support.serving import serving
from tests.support.websocket_client import connected

ME = "query Me { me { username } }"
MOVE = "mutation Move($input: CreateTaskInput!) { createTask(input: $input) { task { title } } }"


def named(text: str) -> dict[str, Any]:
    """The extension that names a document."""
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}


def request(text: str, extensions: dict[str, Any]) -> OperationRequest:
    """A request with this text, which may be empty."""
    return OperationRequest(text, None, {}, extensions)


class TestTexts:
    def test_a_text_is_known_once_it_was_sent(self):
        """By its hash alone it is not found before, and found afterwards."""
        persisted = PersistedQueries()
        with pytest.raises(UnknownHash):
            persisted.with_text(request("", named(ME)))
        persisted.store(persisted.with_text(request(ME, named(ME))))

        assert persisted.with_text(request("", named(ME))).query == ME

    def test_a_hash_stands_for_its_own_text(self):
        """Another text with this hash is refused."""
        with pytest.raises(BadRequest):
            PersistedQueries().with_text(request(ME, named(MOVE)))

    @pytest.mark.parametrize(
        "extension",
        ["text", 1, [], {}, {"version": 2, "sha256Hash": "0" * 64}, {"version": 1}, {"version": 1, "sha256Hash": "x"}],
    )
    def test_an_invalid_hash_is_refused(self, extension: Any):
        """The message says what a hash is."""
        with pytest.raises(BadRequest, match="persistedQuery"):
            PersistedQueries().with_text(request("", {"persistedQuery": extension}))

    def test_the_store_is_bounded(self):
        """The least recently used document is removed."""
        persisted = PersistedQueries(max_count=2)
        for text in ("{ a }", "{ b }", "{ c }"):
            persisted.store(request(text, named(text)))

        with pytest.raises(UnknownHash):
            persisted.with_text(request("", named("{ a }")))
        assert persisted.with_text(request("", named("{ c }"))).query == "{ c }"


class TestHTTP:
    async def test_the_protocol(self, api: Api):
        """Not found, then text and hash, then the hash only, by POST and GET, by different users."""
        one, other = await api.a_user(), await api.a_user()
        text = f"{ME} # {one.username}"

        assert (await self.ask(api, {"extensions": named(text)}, one))["errors"][0] == {
            "message": "PersistedQueryNotFound",
            "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
        }
        for body, user in (({"query": text}, one), ({}, other), ({}, one)):
            answer = await self.ask(api, body | {"extensions": named(text)}, user)
            assert answer == {"data": {"me": {"username": user.username}}}
        got = await api.client.get(
            "/graphql", params={"extensions": dumps(named(text))}, headers=await self.headers(api, other)
        )
        assert got.json() == {"data": {"me": {"username": other.username}}}

    async def test_a_mutation_needs_post(self, api: Api):
        """A link must not change anything."""
        user = await api.a_user()
        answer = await self.ask(
            api, {"query": MOVE, "variables": {"input": {"title": "One"}}, "extensions": named(MOVE)}, user
        )
        assert "errors" not in answer
        got = await api.client.get(
            "/graphql", params={"extensions": dumps(named(MOVE))}, headers=await self.headers(api, user)
        )

        assert got.status_code == 405

    async def test_an_invalid_document_is_not_stored(self, api: Api):
        """Its hash stays unknown."""
        user, text = await api.a_user(), "{ nothing }"
        await self.ask(api, {"query": text, "extensions": named(text)}, user)
        answer = await self.ask(api, {"extensions": named(text)}, user)

        assert answer["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"

    async def ask(self, api: Api, body: dict[str, Any], user: Any) -> Any:
        """The answer to a body."""
        return (await api.client.post("/graphql", json=body, headers=await self.headers(api, user))).json()

    async def headers(self, api: Api, user: Any) -> dict[str, str]:
        """The headers of a signed-in user."""
        return {"authorization": f"Bearer {await api.token(user)}"}


class TestSocket:
    async def test_the_protocol(self, api: Api):
        """An unknown hash fails its operation, and not the socket; both make it known."""
        user = await api.a_user()
        text = f"{ME} # on a socket"
        async with serving(api.server.asgi()) as url, connected(url) as socket:
            await socket.init({"token": await api.token(user)})
            responses: dict[str, dict[str, Any]] = {}
            for key, payload in (("1", {}), ("2", {"query": text}), ("3", {})):
                await socket.send(id=key, type="subscribe", payload=payload | {"extensions": named(text)})
                responses[key] = await socket.receive()
                if responses[key]["type"] == "next":
                    assert (await socket.receive())["type"] == "complete"

        assert responses["1"]["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        assert responses["3"]["payload"] == {"data": {"me": {"username": user.username}}}
