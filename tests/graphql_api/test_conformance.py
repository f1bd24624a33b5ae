"""What clients rely on beyond their queries, on the real schema: statuses, media types, close codes, introspection.

GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/ · graphql-transport-ws:
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from graphql import build_client_schema, get_introspection_query, lexicographic_sort_schema, print_schema

from graphql_api.root import schema
from tests.support.api import Api
from tests.support.serving import serving
from tests.support.websocket_client import Socket, connected

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"

REFUSED_BY_A_RULE = 'mutation { createTask(input: {title: ""}) { userErrors { code } } }'
PARTLY = '{ me { id } node(id: "x") { id } }'
LONG = "subscription { taskChanged { cursor } }"


async def ask(api: Api, document: Any, media: str, *, signed_in: bool = True, **more: Any) -> httpx.Response:
    """Post a document, and want the answer in a media type."""
    headers = {"accept": media, "content-type": JSON}
    if signed_in:
        headers["authorization"] = f"Bearer {await api.token(await api.a_user())}"
    return await api.client.post("/graphql", json={"query": document, **more}, headers=headers)


class TestStatuses:
    @pytest.mark.parametrize(
        ("document", "status", "signed_in"),
        [
            pytest.param("{ me { id } }", 200, True, id="answered"),
            pytest.param(PARTLY, 200, True, id="partly answered"),
            pytest.param(REFUSED_BY_A_RULE, 200, True, id="refused by a rule"),
            pytest.param("{ me { id } }", 401, False, id="not signed in"),
            pytest.param("{ me { id } users { totalCount } }", 200, True, id="one of two fields refused"),
            pytest.param("mutation { setUserActive(input: {}) { user { id } } }", 400, True, id="not valid"),
            pytest.param("{ me { nope } }", 400, True, id="no such field"),
            pytest.param("{", 400, True, id="no document"),
            pytest.param("{ tasks(first: 1000) { totalCount } }", 200, True, id="a bad argument"),
        ],
    )
    async def test_the_graphql_media_type_has_real_statuses(
        self, api: Api, document: str, status: int, signed_in: bool
    ):
        """With `application/graphql-response+json` the status shows the result of the request."""
        response = await ask(api, document, GRAPHQL, signed_in=signed_in)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"

    @pytest.mark.parametrize("document", ["{ me { id } }", "{ me { nope } }", "{", PARTLY, REFUSED_BY_A_RULE])
    @pytest.mark.parametrize("signed_in", [True, False])
    async def test_plain_json_has_status_200(self, api: Api, document: str, signed_in: bool):
        """With `application/json` older clients read the body."""
        response = await ask(api, document, JSON, signed_in=signed_in)
        assert response.status_code == 200
        assert response.headers["content-type"] == f"{JSON}; charset=utf-8"

    @pytest.mark.parametrize("media", [GRAPHQL, JSON])
    @pytest.mark.parametrize("parameters", [{"variables": 1}, {"operationName": 1}, {"extensions": 1}])
    async def test_an_invalid_request_has_status_400(self, api: Api, media: str, parameters: dict[str, Any]):
        """A parameter of a wrong type is no GraphQL request."""
        assert (await ask(api, "{ me { id } }", media, **parameters)).status_code == 400

    @pytest.mark.parametrize("media", [GRAPHQL, JSON])
    async def test_get_is_read_only(self, api: Api, media: str):
        """A mutation by GET is 405, names POST, and changes nothing."""
        token = await api.token(await api.a_user())
        headers = {"accept": media, "authorization": f"Bearer {token}"}
        write = 'mutation { createTask(input: {title: "x"}) { task { id } } }'

        read = await api.client.get("/graphql", params={"query": "{ tasks { totalCount } }"}, headers=headers)
        refused = await api.client.get("/graphql", params={"query": write}, headers=headers)
        again = await api.client.get("/graphql", params={"query": "{ tasks { totalCount } }"}, headers=headers)

        assert (read.status_code, refused.status_code, refused.headers["allow"]) == (200, 405, "POST")
        assert read.json() == again.json() == {"data": {"tasks": {"totalCount": 0}}}

    async def test_the_operation_is_chosen_by_its_name(self, api: Api):
        """Of several operations the named one runs; without a name none does."""
        document = "query A { me { id } } query B { __typename }"
        assert (await ask(api, document, GRAPHQL, operationName="B")).json() == {"data": {"__typename": "Query"}}
        assert (await ask(api, document, GRAPHQL)).status_code == 400


async def test_introspection_returns_the_whole_schema(api: Api):
    """With descriptions and deprecations, within the limits."""
    everything = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )
    introspected = build_client_schema((await api.ask(everything)).data)  # type: ignore[arg-type]
    assert print_schema(lexicographic_sort_schema(introspected)) == print_schema(
        lexicographic_sort_schema(schema._schema)
    )


@pytest.fixture(scope="module")
async def url(api: Api) -> AsyncIterator[str]:
    """Where the API is served."""
    async with serving(api.server.asgi()) as address:
        yield address


class TestCloseCodes:
    async def _signed_in(self, api: Api, socket: Socket) -> None:
        await socket.init({"authorization": f"Bearer {await api.token(await api.a_user())}"})

    async def test_before_and_after_the_first_message(self, url: str, api: Api):
        """Subscribing too early is 4401, beginning twice is 4429."""
        async with connected(url) as socket:
            await socket.subscribe("1", LONG)
            assert (await socket.closed())[0] == 4401
        async with connected(url) as socket:
            await self._signed_in(api, socket)
            await socket.send(type="connection_init")
            assert (await socket.closed())[0] == 4429

    async def test_an_id_in_use(self, url: str, api: Api):
        """A second operation under the id of one that runs is 4409; after `complete` the id is free."""
        async with connected(url) as socket:
            await self._signed_in(api, socket)
            await socket.subscribe("1", LONG)
            await socket.send(id="1", type="complete")
            await socket.subscribe("1", LONG)
            await socket.subscribe("1", LONG)
            assert await socket.closed() == (4409, "Subscriber for 1 already exists")

    async def test_a_message_of_no_known_kind(self, url: str, api: Api):
        """What the protocol does not know is 4400."""
        async with connected(url) as socket:
            await self._signed_in(api, socket)
            await socket.send(type="start", id="1", payload={"query": LONG})
            assert (await socket.closed())[0] == 4400

    async def test_a_sign_out_closes_other_sockets(self, url: str, api: Api):
        """They are closed with 4403, whatever ended the session."""
        token = await api.token(user := await api.a_user())
        async with connected(url) as socket:
            await socket.init({"authorization": f"Bearer {token}"})
            await socket.subscribe("1", LONG)
            (await api.ask("mutation { logout { userErrors { code } } }", user)).payload("logout")
            assert (await socket.closed())[0] == 4403

    async def test_an_anonymous_socket_cannot_subscribe(self, url: str):
        """A subscription is an error that says why."""
        async with connected(url) as socket:
            await socket.init()
            await socket.subscribe("1", LONG)
            message = await socket.receive()
            assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
