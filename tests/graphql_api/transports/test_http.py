"""GraphQL over HTTP: accepted requests, and responses to others."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.pages.endpoint_page import endpoint_page
from tests.support.echo_app import Echo, build
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS

GRAPHQL = {"accept": "application/graphql-response+json"}
JSON = {"content-type": "application/json"}


async def ask(
    client: httpx.AsyncClient, query: str, headers: dict[str, str] | None = None, **more: Any
) -> httpx.Response:
    """POST an operation."""
    return await client.post("/graphql", json={"query": query} | more, headers=headers)


def codes(response: httpx.Response) -> list[str]:
    """The codes of the errors in an answer."""
    return [error["extensions"]["code"] for error in response.json()["errors"]]


class TestAnswers:
    async def test_a_query_is_answered(self, client: httpx.AsyncClient) -> None:
        """As JSON in UTF-8, not to be stored, under the id that the client gave."""
        response = await ask(client, '{ echo(text: "Grüße") }', {"x-request-id": "mine-1"})
        assert response.status_code == 200
        assert response.json() == {"data": {"echo": "Grüße"}}
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-request-id"] == "mine-1"
        assert response.headers["content-length"] == str(len(response.content))

    @pytest.mark.parametrize("given_id", ["", "a" * 65, "a b", "<script>"])
    async def test_an_invalid_request_id_is_replaced(self, client: httpx.AsyncClient, given_id: str) -> None:
        """Logs and headers contain only safe ids."""
        response = await ask(client, "{ facts }", {"x-request-id": given_id})
        assert response.headers["x-request-id"] != given_id
        assert response.json()["data"]["facts"][2] == response.headers["x-request-id"]

    async def test_a_query_by_get(self, client: httpx.AsyncClient) -> None:
        """Variables are JSON in the query string."""
        parameters = {"query": "query($t: String!) { echo(text: $t) }", "variables": '{"t": "a&b"}'}
        response = await client.get("/graphql", params=parameters)
        assert response.json() == {"data": {"echo": "a&b"}}

    async def test_a_resolver_may_add_headers(self, client: httpx.AsyncClient) -> None:
        """A cookie set while the operation ran is in the answer."""
        response = await ask(client, "mutation { cookie }")
        assert response.headers["set-cookie"] == "a=1; HttpOnly"

    async def test_resolvers_get_the_request_context(self, client: httpx.AsyncClient) -> None:
        """The transport, and the client's address."""
        response = await ask(client, "{ facts }")
        assert response.json()["data"]["facts"][:2] == ["http", "203.0.113.7"]

    async def test_head_is_get_without_a_body(self, client: httpx.AsyncClient) -> None:
        """With the length of the body."""
        response = await client.head("/graphql", params={"query": "{ facts }"})
        assert response.status_code == 200
        assert response.content == b""
        assert int(response.headers["content-length"]) > 0

    async def test_options_lists_the_methods(self, client: httpx.AsyncClient) -> None:
        """Also without CORS headers."""
        response = await client.options("/graphql")
        assert response.status_code == 204
        assert "content-length" not in response.headers
        assert "POST" in response.headers["allow"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"", "empty"),
            (b"nonsense", "not JSON"),
            (b"null", "JSON object"),
            (b'"x"', "JSON object"),
            (b"1", "JSON object"),
            (b'[{"query":"{ facts }"}]', "one by one"),
            (b"{}", "no query"),
            (b"\xff\xfe", "not JSON"),
            (b"\xef\xbb\xbf{}", "not JSON"),
            (b'{"query":"{ facts }","variables":{"a":NaN}}', "not JSON"),
            (b'{"query":"{ facts }","variables":{"a":1e999}}', "not JSON"),
            (b'{"query":"\\ud800"}', "not JSON"),
            (b"[" * 200_000, "not JSON"),
            (b'{"a":' * 40_000, "not JSON"),
            (b"[" * 1_000 + b"]" * 1_000, "one by one"),
            (b"9" * 200_000, "not JSON"),
        ],
    )
    async def test_a_bad_body_is_a_bad_request(self, client: httpx.AsyncClient, body: bytes, words: str) -> None:
        """Always 400, with a message."""
        response = await client.post("/graphql", content=body, headers=JSON)
        assert response.status_code == 400
        assert words in response.json()["errors"][0]["message"]
        assert codes(response) == ["BAD_REQUEST"]

    @pytest.mark.parametrize(
        "headers",
        [
            {"content-type": "text/plain"},
            {"content-type": "application/x-www-form-urlencoded"},
            {"content-type": "multipart/form-data; boundary=a"},
            {"content-type": ""},
            {"content-type": "application/json; charset=utf-16"},
            {"content-type": "application/json; " + "a;" * 30_000},
            JSON | {"content-encoding": "gzip"},
            JSON | {"content-encoding": "identity, gzip"},
            JSON | {"content-encoding": "identity," * 1_000},
        ],
    )
    async def test_only_json_is_accepted(self, client: httpx.AsyncClient, echo: Echo, headers: dict[str, str]) -> None:
        """A form of another site cannot change anything."""
        body = json.dumps({"query": 'mutation { note(text: "a") }'}).encode()
        response = await client.post("/graphql", content=body, headers=headers)
        assert response.status_code == 415
        assert echo.journal.events == []

    async def test_an_unsupported_content_encoding_is_refused(self, client: httpx.AsyncClient) -> None:
        """With the supported ones (RFC 9110, 12.5.3)."""
        response = await ask(client, "{ facts }", {"content-encoding": "gzip"})
        assert (response.status_code, response.headers["accept-encoding"]) == (415, "identity")

    @pytest.mark.parametrize("coding", ["identity", "Identity", "", " , identity,IDENTITY"])
    async def test_no_coding_at_all_may_be_named(self, client: httpx.AsyncClient, coding: str) -> None:
        """In a list and in capitals, too."""
        headers = [(b"content-encoding", coding.encode()), (b"content-encoding", b"identity")]
        for some in (headers, headers[:1]):
            response = await client.post(
                "/graphql",
                content=b'{"query": "{ facts }"}',
                headers=[*some, (b"content-type", b"application/json")],
            )
            assert response.status_code == 200

    async def test_a_mutation_by_get_is_refused(self, client: httpx.AsyncClient, echo: Echo) -> None:
        """The message names POST."""
        response = await client.get("/graphql", params={"query": 'mutation { note(text: "a") }'})
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
        assert echo.journal.events == []

    async def test_other_methods_are_refused(self, client: httpx.AsyncClient) -> None:
        """With the list of allowed methods."""
        response = await client.put("/graphql", json={"query": "{ facts }"})
        assert response.status_code == 405
        assert "GET" in response.headers["allow"]

    async def test_an_unsupported_accept_header_is_not_acceptable(self, client: httpx.AsyncClient) -> None:
        """The response lists the media types, in JSON."""
        response = await ask(client, "{ facts }", {"accept": "image/png"})
        assert response.status_code == 406
        assert "application/json" in response.json()["errors"][0]["message"]

    async def test_a_subscription_over_http_is_refused(self, client: httpx.AsyncClient) -> None:
        """The message names the WebSocket."""
        response = await ask(client, "subscription { count }")
        assert response.status_code == 400
        assert "WebSocket" in response.json()["errors"][0]["message"]

    @pytest.mark.parametrize(
        "query", ["", "query=a&query=b", "query=%ff", "query=a&variables={", "&".join("a=b" for _ in range(30))]
    )
    async def test_a_bad_query_string_is_a_bad_request(self, client: httpx.AsyncClient, query: str) -> None:
        """Missing, twice, not UTF-8, not JSON, too much."""
        assert (await client.get(f"/graphql?{query}")).status_code == 400

    async def test_too_many_parameters_have_their_own_message(self, client: httpx.AsyncClient) -> None:
        """It differs from that of unreadable ones."""
        many = await client.get("/graphql?" + "&".join(f"a{number}=b" for number in range(21)))
        assert many.json()["errors"][0]["message"] == "The query string has more than 20 parameters."
        unreadable = await client.get("/graphql?query=%ff")
        assert "percent-encoded UTF-8" in unreadable.json()["errors"][0]["message"]

    @pytest.mark.parametrize("name", ["variables", "extensions", "operationName"])
    async def test_an_empty_parameter_is_an_absent_one(self, client: httpx.AsyncClient, name: str) -> None:
        """Clients that build a link write every parameter."""
        response = await client.get("/graphql", params={"query": "{ facts }", name: ""})
        assert response.status_code == 200
        assert response.json()["data"]["facts"]


class TestLargeBodies:
    async def test_a_declared_large_body_is_not_read(self, client: httpx.AsyncClient) -> None:
        """Its length is enough."""
        response = await client.post("/graphql", content=b" " * 262_145, headers=JSON)
        assert response.status_code == 413
        assert response.headers["connection"] == "close"

    async def test_an_undeclared_large_body_is_read_up_to_the_limit(self, url: str) -> None:
        """The response is sent before the whole body has arrived."""

        async def endless() -> Any:
            for _ in range(40):
                yield b" " * 65_536

        async with httpx.AsyncClient(timeout=HANG_SECONDS) as client:
            try:
                response = await client.post(f"{url}/graphql", content=endless(), headers=JSON)
            except httpx.TransportError:
                return  # the server closed the connection while the test was writing
            assert response.status_code == 413

    async def test_the_largest_passes(self, client: httpx.AsyncClient) -> None:
        """To the byte."""
        body = b'{"query":"{ facts }"}'
        response = await client.post("/graphql", content=body + b" " * (262_144 - len(body)), headers=JSON)
        assert response.status_code == 200

    async def test_an_incomplete_body_times_out(self) -> None:
        """A slow client blocks nothing."""
        async with serving(build(body_seconds=0.2).app) as url:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
            writer.write(b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n")
            writer.write(b"content-length: 100\r\n\r\n{")
            answer = await asyncio.wait_for(reader.read(), HANG_SECONDS)
            writer.close()
        assert answer.startswith(b"HTTP/1.1 408")


class TestStatuses:
    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ("{", 400),
            ("{ nothing }", 400),
            ("query($a: Int!) { items(first: $a) { name } }", 400),
            ("{ items { children { children { name } } } }", 400),
            ("{ me }", 200),
            ("{ strictlyMe }", 401),
            ("{ unavailable }", 503),
            ("{ limited }", 429),
        ],
    )
    async def test_statuses_of_the_graphql_media_type(self, client: httpx.AsyncClient, query: str, status: int) -> None:
        """Plain JSON has 200 for every well-formed request."""
        assert (await ask(client, query, GRAPHQL)).status_code == status
        assert (await ask(client, query)).status_code == 200

    async def test_retry_after_is_a_header(self, client: httpx.AsyncClient) -> None:
        """In seconds, in both media types."""
        assert (await ask(client, "{ limited }")).headers["retry-after"] == "7"

    async def test_a_bug_is_masked(self, client: httpx.AsyncClient) -> None:
        """The answer knows the request id, and no detail."""
        response = await ask(client, "{ bug }", {"x-request-id": "r-1"})
        assert codes(response) == ["INTERNAL"]
        assert "r-1" in response.text
        assert "secret" not in response.text


class TestAuthentication:
    async def test_a_token_authenticates(self, client: httpx.AsyncClient) -> None:
        """Resolvers see the identity."""
        response = await ask(client, "{ me }", {"authorization": "Bearer ada"})
        assert response.json()["data"]["me"]

    @pytest.mark.parametrize("token", ["garbage", "expired"])
    async def test_an_invalid_token_affects_protected_fields_only(self, client: httpx.AsyncClient, token: str) -> None:
        """Public fields work, so that a client with an expired token can sign in."""
        response = await ask(client, '{ echo(text: "a") me }', {"authorization": f"Bearer {token}"})
        assert response.status_code == 200
        assert response.json()["data"] == {"echo": "a", "me": None}
        assert codes(response) == ["UNAUTHENTICATED"]

    @pytest.mark.parametrize(
        ("authorization", "challenge"),
        [
            (None, "Bearer"),
            ("", "Bearer"),
            ("Bearer garbage", 'Bearer error="invalid_token"'),
            ("Bearer expired", 'Bearer error="invalid_token"'),
            ("Basic YTpi", 'Bearer error="invalid_token"'),
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
    async def test_a_401_has_a_challenge(
        self, client: httpx.AsyncClient, authorization: str | None, challenge: str, method: str
    ) -> None:
        """It asks for a token, or another one (RFC 9110, 15.5.2; RFC 6750, 3); other statuses have none."""
        headers = GRAPHQL | ({} if authorization is None else {"authorization": authorization})
        query = {"query": "{ strictlyMe }"}
        more: dict[str, Any] = {"json": query} if method == "POST" else {"params": query}
        response = await client.request(method, "/graphql", headers=headers, **more)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, challenge)
        assert "www-authenticate" not in (await ask(client, "{ strictlyMe }")).headers

    async def test_an_unavailable_database_is_503(self, client: httpx.AsyncClient) -> None:
        """With Retry-After."""
        response = await ask(client, "{ me }", {"authorization": "Bearer unknowable"})
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert codes(response) == ["UNAVAILABLE"]

    async def test_a_bug_in_it_is_masked(self, client: httpx.AsyncClient) -> None:
        """The request is over, politely."""
        response = await ask(client, "{ me }", {"authorization": "Bearer bug"})
        assert response.status_code == 500
        assert codes(response) == ["INTERNAL"]


class TestClientsThatHangUp:
    async def _hang_up_during(self, url: str, query: str, echo: Echo, begun: str) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        body = json.dumps({"query": query}).encode()
        writer.write(b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(body) + body)
        await echo.journal.until(begun)
        writer.close()

    async def test_queries_of_disconnected_clients_are_cancelled(self, url: str, echo: Echo) -> None:
        """They stop."""
        await self._hang_up_during(url, "{ slow(seconds: 600) }", echo, "slow query begun")
        await echo.journal.until("slow query cancelled")

    async def test_mutations_of_disconnected_clients_complete(self, url: str, echo: Echo) -> None:
        """A started change is made."""
        await self._hang_up_during(url, 'mutation { note(text: "a", seconds: 0.3) }', echo, "a begun")
        await echo.journal.until("a done")


BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class TestThePage:
    async def test_a_browser_gets_a_page(self, client: httpx.AsyncClient) -> None:
        """It may load and run nothing."""
        response = await client.get("/graphql", headers=BROWSER)
        assert response.status_code == 200
        assert response.content == endpoint_page(f"{client.base_url}/graphql")
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert b"<script" not in response.content

    async def test_a_browser_with_a_query_gets_an_answer(self, client: httpx.AsyncClient) -> None:
        """A link to a query works."""
        response = await client.get("/graphql?" + urlencode({"query": "{ facts }"}), headers=BROWSER)
        assert "data" in response.json()

    async def test_a_program_gets_json(self, client: httpx.AsyncClient) -> None:
        """Without a query, and without accepting HTML."""
        response = await client.get("/graphql")
        assert response.status_code == 400
        assert "query" in response.json()["errors"][0]["message"]


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
REQUESTS = st.fixed_dictionaries(
    {"query": st.sampled_from(["{ facts }", "query($t: String!) { echo(text: $t) }", "{", ""]) | JSONISH},
    optional={"variables": JSONISH, "operationName": JSONISH, "extensions": JSONISH, "t": JSONISH},
)
BODIES = st.one_of(
    st.binary(max_size=60),
    REQUESTS.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.tuples(REQUESTS, st.integers(0, 60)).map(lambda pair: json.dumps(pair[0]).encode()[: pair[1]]),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODIES, accept=st.sampled_from(["*/*", "application/json", GRAPHQL["accept"]]))
async def test_any_body_gets_a_json_response(body: bytes, accept: str) -> None:
    """Never a server error."""
    transport = httpx.ASGITransport(_ECHO.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
        response = await client.post("/graphql", content=body, headers=JSON | {"accept": accept})
    assert response.status_code < 500
    assert {"data", "errors"} & response.json().keys()


_ECHO = build()
