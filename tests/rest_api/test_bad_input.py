"""For any request the REST API answers below 500, with JSON or nothing."""

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx

from rest_api.endpoints import OPERATIONS
from tests.rest_api.support import Rest, Visitor

TRIES, AT_ONCE = 800, 8

ENDPOINTS = [operation for operation in OPERATIONS if operation.name != "logout_all"]  # it would end the test
NASTY: list[Any] = [
    *("", " ", "\x00", "\ud800", "x" * 300, "x" * 20_000, "💥" * 300, "ı", "\u202e", "' OR 1=1 --", "../../etc", "%00"),
    *(0, -1, 1, 2**31, 2**63, 10**30, 1.5, -0.0, 1e308, True, False, None),
    *([], {}, [[]], {"a": {}}, ["x"], {"title": {"title": 1}}, ["x"] * 1_000),
]
FIELDS = ["username", "email", "password", "title", "description", "completed", "grant_type", "scope", "__proto__", ""]
NAMES = ["x", "%00", "%ff", "a" * 500, "00000000-0000-0000-0000-000000000000"]
TYPES = [
    *(None, "", "application/json", "application/json; charset=utf-16", "text/plain", ";", "multipart/form-data"),
    *("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "a/b/c", "application/vnd.api+json"),
]
HEADERS = {
    "if-match": ["", "*", '"1"', 'W/"1"', "x", '"' * 50, "é", '"9"' * 2_000],
    "if-none-match": ["", "*", '"1"', "x", "\xff"],
    "cookie": ["refresh_token=", "refresh_token=\xff", "a=b; refresh_token=x", "refresh_token=" + "x" * 5_000, ";=;"],
    "content-encoding": ["gzip", ""],
    "origin": ["null", "https://evil.example", "\xff"],
    "x-request-id": ["a b", "x" * 100, "ok"],
    "content-length": ["-1", "x", "99999999999999999999999"],
    "authorization": ["", "Bearer", "Bearer ", "bearer x", "Basic x", "Bearer \xff", "Bearer " + "x" * 9_000],
}


def body(random: random.Random) -> bytes:
    """JSON that fits, JSON that does not, forms, and noise."""
    kind = random.randrange(5)
    if kind == 0:
        return random.randbytes(random.randrange(200))
    if kind == 1:
        return json.dumps(random.choice(NASTY)).encode("utf-8", "surrogatepass")
    fields = {random.choice(FIELDS): random.choice(NASTY) for _ in range(random.randrange(5))}
    if kind == 2:
        return "&".join(f"{name}={value}" for name, value in fields.items()).encode("utf-8", "surrogatepass")
    if kind == 3:
        parts = (f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields)
        return "".join([*parts, "--x--\r\n"]).encode("utf-8", "surrogatepass")
    return json.dumps(fields).encode()[: random.choice([None, None, None, 7])]


def requests(seed: int, visitor: Visitor, task_id: str) -> Iterator[dict[str, Any]]:
    """Requests to every endpoint, each wrong in several ways."""
    chance = random.Random(seed)
    for _ in range(TRIES):
        operation = chance.choice(ENDPOINTS)
        name = chance.choice([task_id, task_id, *NAMES])
        headers = {"authorization": f"Bearer {visitor.token}"}
        for header in chance.sample(sorted(HEADERS), chance.randrange(3)):
            headers[header] = chance.choice(HEADERS[header])
        if media := chance.choice(TYPES):
            headers["content-type"] = media
        given = [(chance.choice(["skip", "limit", "x"]), chance.choice(NASTY)) for _ in range(chance.randrange(3))]
        query = "&".join(f"{key}={quote(str(value), errors='replace')}" for key, value in given)
        path = operation.path.replace("{task_id}", name).rstrip("/") + chance.choice(["", "/"])
        yield {
            "method": chance.choice([*operation.methods, *operation.methods, "HEAD", "PUT", "TRACE", "OPTIONS"]),
            "url": httpx.URL("http://testserver/api/v1" + path, query=query.encode("ascii")),
            "headers": {key.encode(): value.encode("latin-1", "replace") for key, value in headers.items()},
            "content": body(chance),
        }


async def test_no_request_is_answered_with_500(rest: Rest):
    """Eight hundred requests, each with several mistakes: all are answered below 500, in JSON, and never redirected."""
    visitor = await rest.a_visitor()
    task = (await rest.send("POST", "/tasks/", visitor, json={"title": "Target"})).json()
    gate = asyncio.Semaphore(AT_ONCE)
    statuses: set[int] = set()

    async def attempt(request: dict[str, Any]) -> None:
        async with gate:
            response = await rest.client.request(**request)
        assert response.status_code < 500, (request, response.text)
        assert not 301 <= response.status_code <= 303
        if response.content:
            assert json.loads(response.content) is not None
        statuses.add(response.status_code)

    rest.client.cookies.clear()
    await asyncio.gather(*(attempt(request) for request in requests(7, visitor, task["uuid"])))

    assert statuses >= {200, 204, 400, 401, 403, 404, 405, 415, 422}
