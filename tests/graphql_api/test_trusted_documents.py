"""Trusted documents through every transport: by id, by hash and by text, and what happens to others."""

from collections.abc import AsyncIterator, Callable
from json import dumps
from typing import Any

import pytest

from domain.trusted_document import digest_of
from observability import metrics
from observability.metrics import Metric
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.log import Log
from tests.support.serving import serving
from tests.support.trusted_documents import CHANGES, CREATE, ME, add, document, prepared
from tests.support.websocket_client import connected

MD5 = "0cc175b9c0f1b6a831c399e269772661"
RELAY = "query Relay { me { username role } }"
SHA1 = "356a192b7913b04c54574d18c28d46e6395428ab"
CODEGEN = "query Codegen { me { username id } }"
SHARED = "query Shared { me { id } }"
OTHER = "{ me { username } }"
GRAPHQL = {"accept": "application/graphql-response+json"}

NewApi = Callable[[str], Any]


async def an_api_with(mode: str, database_url: str, redis_url: str) -> AsyncIterator[Api]:
    """An API in this mode, which knows documents of three clients."""
    async with an_api(database_url, redis_url, {"trusted_documents": mode}) as api:
        await add(api.server.database, [document(ME), document(CREATE), document(CHANGES), document(SHARED)])
        await add(api.server.database, [document(RELAY, "relay", id=MD5), document(SHARED, "relay")])
        await add(api.server.database, [document(CODEGEN, "codegen", id=SHA1)])
        await api.server.document_reader.read()
        yield api


@pytest.fixture(scope="module")
async def prefer(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """An API that prefers trusted documents."""
    async for api in an_api_with("prefer", new_database(), new_redis()):
        yield api


@pytest.fixture(scope="module")
async def require(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """An API that requires them."""
    async for api in an_api_with("require", new_database(), new_redis()):
        yield api


@pytest.fixture(params=["prefer", "require"])
def either(request: pytest.FixtureRequest) -> Api:
    """One of the two."""
    found: Api = request.getfixturevalue(request.param)
    return found


def named(digest: str) -> dict[str, Any]:
    """The extension of an automatic persisted query."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}


async def answer(api: Api, body: dict[str, Any], **headers: str) -> Any:
    """The response to a body, sent by a new user."""
    headers["authorization"] = f"Bearer {await api.token(await api.a_user())}"
    return (await api.client.post("/graphql", json=body, headers=headers)).json()


def code(response: Any) -> str:
    """The code of the one error."""
    [error] = response["errors"]
    assert response.get("data") is None
    return str(error["extensions"]["code"])


def reading(api: Api, metric: Metric, *labels: str) -> float:
    """The value of a metric."""
    value = api.server._metrics_collector().collect()[metric.name].get(labels, 0)
    assert isinstance(value, float | int)
    return value


class TestTrusted:
    @pytest.mark.parametrize(
        "body",
        [
            {"documentId": digest_of(ME)},
            {"documentId": f"sha256:{digest_of(ME)}"},
            {"doc_id": MD5},
            {"documentId": SHA1},
            {"documentId": digest_of(ME), "query": ME},
            {"documentId": digest_of(ME), "query": None},
            {"query": ME},
            named(digest_of(ME)),
            {"query": ME} | named(digest_of(ME)),
            named(SHA1),
            named(MD5),
            {"documentId": f"sha256:{digest_of(RELAY)}"},
        ],
        ids="+".join,
    )
    async def test_it_is_executed(self, either: Api, body: dict[str, Any]):
        """By its id, by its SHA-256, by the id in the extension of Apollo's links, or by its text."""
        response = await answer(either, body)
        assert response["data"]["me"]["username"].startswith("user")

    async def test_get_and_streams_take_ids(self, either: Api):
        """A query by GET, a result in an event stream, and operations on a socket."""
        user = await either.a_user()
        sent = {"authorization": f"Bearer {await either.token(user)}"}
        got = await either.client.get("/graphql", params={"documentId": digest_of(ME)}, headers=sent)
        events = await either.client.post(
            "/graphql", json={"documentId": digest_of(ME)}, headers=sent | {"accept": "text/event-stream"}
        )
        async with serving(either.server.asgi()) as url, connected(url) as socket:
            await socket.init({"token": await either.token(user)})
            await socket.send(id="1", type="subscribe", payload={"documentId": digest_of(ME)})
            result = await socket.receive()

        expected = {"data": {"me": {"username": user.username}}}
        assert got.json() == result["payload"] == expected
        assert dumps(expected, separators=(",", ":")) in events.text

    async def test_a_mutation_needs_post(self, either: Api):
        """A link must not change anything (GraphQL over HTTP, appendix A)."""
        got = await either.client.get("/graphql", params={"documentId": digest_of(CREATE)})
        assert got.status_code == 405

    @pytest.mark.parametrize(
        "body",
        [
            {"documentId": digest_of(ME), "query": OTHER},
            {"documentId": MD5, "query": ME},
            {"query": OTHER} | named(SHA1),
        ],
        ids=["another text", "another trusted text", "another hash"],
    )
    async def test_an_id_and_another_text_are_refused(self, either: Api, body: dict[str, Any]):
        """With the status 400: which of them is meant is unknown."""
        response = await either.client.post("/graphql", json=body, headers=GRAPHQL)
        assert (response.status_code, code(response.json())) == (400, "BAD_REQUEST")

    @pytest.mark.parametrize("value", [5, "", "x" * 257, ["a"]], ids=["number", "empty", "long", "list"])
    async def test_a_malformed_id_is_refused(self, either: Api, value: object):
        """The message says what an id is."""
        response = await either.client.post("/graphql", json={"documentId": value}, headers=GRAPHQL)
        assert (response.status_code, code(response.json())) == (400, "BAD_REQUEST")
        assert "documentId" in response.text

    async def test_an_unknown_id_is_not_found(self, either: Api):
        """The message says what to do, and clients do not take it for an automatic persisted query."""
        response = await either.client.post("/graphql", json={"documentId": "0" * 64}, headers=GRAPHQL)
        assert (response.status_code, code(response.json())) == (400, "DOCUMENT_NOT_FOUND")
        assert "taskriver documents add" in response.text
        assert "PersistedQueryNotFound" not in response.text

    async def test_it_is_counted_by_client_and_id(self, either: Api):
        """Clients that share a document are counted by the name in the header."""
        before = reading(either, metrics.TRUSTED_DOCUMENTS, "relay", MD5)
        await answer(either, {"documentId": MD5})
        for name in ("relay", "nobody"):
            await answer(either, {"documentId": digest_of(SHARED)}, **{"graphql-client-name": name})

        assert reading(either, metrics.TRUSTED_DOCUMENTS, "relay", MD5) == before + 1
        assert reading(either, metrics.TRUSTED_DOCUMENTS, "relay", digest_of(SHARED)) == 1
        assert reading(either, metrics.TRUSTED_DOCUMENTS, "several", digest_of(SHARED)) == 1


class TestPrefer:
    async def test_others_are_executed_and_counted(self, prefer: Api, no_secrets_in_logs: Log):
        """By client, if it has trusted documents; one line in the log for each client and text."""
        clients = ["relay", "relay", "evil-1", "evil-2"]
        for name in clients:
            response = await answer(prefer, {"query": OTHER}, **{"apollographql-client-name": name})
            assert response["data"]["me"]["username"]
        await answer(prefer, {"query": OTHER})

        found = {name: reading(prefer, metrics.UNTRUSTED_DOCUMENTS, name, "executed") for name in ("relay", "other")}
        assert found == {"relay": 2, "other": 2}
        assert reading(prefer, metrics.UNTRUSTED_DOCUMENTS, "unnamed", "executed") >= 1
        lines = [line for line in no_secrets_in_logs.text.splitlines() if digest_of(OTHER) in line]
        assert [name for name in ("relay", "other", "unnamed") for line in lines if f"client {name}," in line] == [
            *("relay", "other", "unnamed")
        ]

    async def test_automatic_persisted_queries_work(self, prefer: Api):
        """As without trusted documents."""
        text = "query Automatic { me { username } }"
        unknown = await answer(prefer, named(digest_of(text)))
        assert code(unknown) == "PERSISTED_QUERY_NOT_FOUND"
        for body in ({"query": text} | named(digest_of(text)), named(digest_of(text))):
            assert (await answer(prefer, body))["data"]["me"]["username"]


class TestOff:
    async def test_ids_are_unknown(self, api: Api):
        """The message names the setting; a text is executed, whatever id is sent with it."""
        response = await api.client.post("/graphql", json={"documentId": digest_of(ME)}, headers=GRAPHQL)
        assert (response.status_code, code(response.json())) == (400, "BAD_REQUEST")
        assert "TRUSTED_DOCUMENTS=off" in response.text
        assert (await answer(api, {"documentId": MD5, "query": ME}))["data"]["me"]

    async def test_nothing_is_read_and_counted(self, api: Api):
        """The metrics are there, without samples."""
        assert api.server.trusted is None
        assert api.server._metrics_collector().collect()[metrics.TRUSTED_DOCUMENTS.name] == {}


class TestPages:
    async def test_the_endpoint_says_why_there_is_no_graphiql(self, require: Api, prefer: Api):
        """Also if PLAYGROUND is on: what is written in it would be refused."""
        browser = {"accept": "text/html"}
        refused = await require.client.get("/graphql", headers=browser)
        page = await prefer.client.get("/graphql", headers=browser)

        assert "executes only trusted documents" in refused.text
        assert "GraphiQL" not in (await require.client.get("/", headers=browser)).text
        assert "executes only trusted documents" not in page.text
        assert (await require.client.get("/board", headers=browser)).status_code == 200

    async def test_the_board_and_the_commands_are_trusted(self, require: Api):
        """All of their documents are valid and planned."""
        await prepared(require)
        trusted = require.server.trusted
        assert trusted is not None
        own = [each for each in trusted._own if each.client.startswith("taskriver-")]
        assert len(own) >= 70
        assert all(require.server.documents.knows(each.text) for each in own)
