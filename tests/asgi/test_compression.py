"""Large responses are compressed on request; responses with secrets are not."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from asgi.compression import INLINE_BYTES, MIN_BYTES, accepts_gzip, compressed
from domain.user import Role
from tests.graphql_api.test_sessions import PASSWORD, registered
from tests.support.api import Api
from tests.support.serving import serving

GZIP = {"accept-encoding": "gzip"}
PLAIN = {"accept-encoding": "identity"}
INTROSPECTION = "{ __schema { types { name description } } }"
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
  ALIAS: accessToken refreshToken userErrors { message } } }"""


@pytest.fixture(params=["fast", "by messages"])
async def client(request: pytest.FixtureRequest, api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, over the network and by ASGI messages."""
    if request.param == "fast":
        async with serving(api.server.asgi()) as url, httpx.AsyncClient(base_url=url) as client:
            yield client
    else:
        yield api.client


async def raw(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> tuple[httpx.Response, bytes]:
    """A response and its raw body."""
    async with client.stream(method, path, **more) as response:
        return response, b"".join([part async for part in response.aiter_raw()])


@pytest.mark.parametrize(
    ("accept_encoding", "taken"),
    [
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br, gzip;q=0.2", True),
        ("*", True),
        ("*;q=0.5", True),
        ("gzip;q=1.0, identity;q=0.5, *;q=0", True),
        ("identity;q=0, *", True),
        ("gzip ; q=0.001", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.1, identity;q=0.2", False),
        ("gzip;q=x", False),
        ("gzip;q=nan", False),
        ("gzip;q=2", False),
        ("gzip;q=-1", False),
        (",;,=,", False),
        ("br," * 1_000 + "gzip", False),
    ],
)
def test_the_weights_of_accept_encoding_count(accept_encoding: str, taken: bool):
    """RFC 9110, 12.5.3. Only the start of a very long header is read."""
    assert accepts_gzip(accept_encoding.encode()) is taken


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_large_graphql_response_is_compressed(client: httpx.AsyncClient, method: str):
    """It has less than half the size and varies by the header; without the header it is unchanged."""
    query = {"query": INTROSPECTION}
    more: dict[str, Any] = {"json": query} if method == "POST" else {"params": query}
    packed, body = await raw(client, method, "/graphql", headers=GZIP, **more)
    plain, whole = await raw(client, method, "/graphql", headers=PLAIN, **more)
    assert gzip.decompress(body) == whole
    assert len(body) < len(whole) / 2
    assert (packed.headers["content-encoding"], packed.headers["content-length"]) == ("gzip", str(len(body)))
    assert "content-encoding" not in plain.headers
    for answer in (packed, plain):
        assert {"Origin", "accept-encoding"} <= set(answer.headers.get_list("vary", split_commas=True))


async def test_head_is_like_get(client: httpx.AsyncClient):
    """The length is the compressed one if compression is requested."""
    for path in ("/graphql", "/openapi.json", "/schema.graphql"):
        params = {"query": INTROSPECTION} if path == "/graphql" else None
        got, body = await raw(client, "GET", path, headers=GZIP, params=params)
        head, nothing = await raw(client, "HEAD", path, headers=GZIP, params=params)
        assert nothing == b""
        assert head.headers["content-length"] == str(len(body))
        assert head.headers["content-encoding"] == got.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("path", ["/openapi.json", "/schema.graphql", "/board", "/graphql", "/nowhere", "/docs"])
async def test_a_large_page_is_compressed(client: httpx.AsyncClient, path: str):
    """Ranges are not served for compressed pages."""
    html = {"accept": "text/html", "range": "bytes=0-9"}
    packed, body = await raw(client, "GET", path, headers=html | GZIP)
    plain, whole = await raw(client, "GET", path, headers=html | PLAIN)
    assert packed.status_code == plain.status_code != 206
    assert (packed.headers.get("content-encoding") == "gzip") == (len(whole) > MIN_BYTES)
    assert (gzip.decompress(body) if len(whole) > MIN_BYTES else body) == whole


async def test_each_coding_has_its_own_tag(client: httpx.AsyncClient):
    """Each tag revalidates only its own coding."""
    for path in ("/openapi.json", "/schema.graphql"):
        tags = {(await client.get(path, headers=each)).headers["etag"] for each in (GZIP, PLAIN)}
        assert len(tags) == 2
        for headers in (GZIP, PLAIN):
            found = {tag: await client.get(path, headers=headers | {"if-none-match": tag}) for tag in tags}
            assert sorted(answer.status_code for answer in found.values()) == [200, 304]
            [same] = [answer for answer in found.values() if answer.status_code == 304]
            assert found[same.headers["etag"]] is same


async def test_a_compressed_task_keeps_its_version(client: httpx.AsyncClient, api: Api):
    """REST: the tag of a compressed task stands for the same version in every condition."""
    owner = await api.a_user()
    task = await api.build.a_task(owner, description="some text " * 300)
    headers = {"authorization": f"Bearer {await api.token(owner)}"} | GZIP
    path = f"/api/v1/tasks/{task.id}"
    answer = await client.get(path, headers=headers)
    assert (answer.headers["etag"], answer.headers["content-encoding"]) == ('"1-gzip"', "gzip")
    known = await client.get(path, headers=headers | {"if-none-match": '"1-gzip"'})
    assert (known.status_code, known.headers["etag"]) == (304, '"1-gzip"')
    changed = await client.patch(path, json={"title": "a"}, headers=headers | {"if-match": '"1-gzip"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2-gzip"')
    late = await client.patch(path, json={"title": "b"}, headers=headers | {"if-match": '"1-gzip"'})
    assert (late.status_code, late.headers["etag"]) == (412, '"2"')


@pytest.mark.parametrize("return_refresh_token", [True, False])
async def test_no_token_is_compressed(client: httpx.AsyncClient, api: Api, return_refresh_token: bool):
    """Lengths of compressed responses would let an attacker guess the token character by character."""
    name = await registered(api)
    wanted = {"username": name, "password": PASSWORD, "returnRefreshToken": return_refresh_token}
    query = LOGIN.replace("ALIAS", "a" * 2_000)
    answer = await client.post("/graphql", json={"query": query, "variables": {"input": wanted}}, headers=GZIP)
    payload = answer.json()["data"]["login"]
    assert payload["a" * 2_000], payload
    assert "content-encoding" not in answer.headers
    if return_refresh_token:
        again = "mutation ($token: String!) { refreshToken(input: {refreshToken: $token}) { ALIAS: accessToken } }"
        query = again.replace("ALIAS", "b" * 2_000)
        variables = {"token": payload["refreshToken"]}
        answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=GZIP)
        assert answer.json()["data"]["refreshToken"]["b" * 2_000], answer.text
        assert "content-encoding" not in answer.headers


async def test_a_small_response_is_not_compressed(client: httpx.AsyncClient):
    """It fits into one packet."""
    answer = await client.post("/graphql", json={"query": "{ __typename }"}, headers=GZIP)
    assert "content-encoding" not in answer.headers
    assert "accept-encoding" not in answer.headers["vary"]


async def test_a_stream_is_not_compressed(client: httpx.AsyncClient):
    """Events must be sent one by one."""
    headers = GZIP | {"accept": "text/event-stream"}
    answer = await client.post("/graphql", json={"query": INTROSPECTION}, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in answer.headers


async def test_a_list_of_the_rest_api_is_compressed(client: httpx.AsyncClient, api: Api):
    """Whatever its content."""
    admin = await api.a_user(Role.ADMIN)
    for number in range(10):
        await api.build.a_task(admin, title=f"Task {number}", description="some text " * 20)
    token = await api.token(admin)
    answer = await client.get("/api/v1/tasks/", headers=GZIP | {"authorization": f"Bearer {token}"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()) >= 10


async def test_long_responses_are_compressed_in_a_thread(monkeypatch: pytest.MonkeyPatch):
    """The event loop serves other requests meanwhile; short responses are compressed directly."""
    handed_over: list[int] = []
    to_thread = asyncio.to_thread

    async def noted(work: Any, body: bytes) -> bytes:
        handed_over.append(len(body))
        return await to_thread(work, body)

    monkeypatch.setattr(asyncio, "to_thread", noted)
    for size in (MIN_BYTES, INLINE_BYTES, INLINE_BYTES + 1, 1_000_000):
        assert gzip.decompress(await compressed(b"a" * size)) == b"a" * size
    assert handed_over == [INLINE_BYTES + 1, 1_000_000]
