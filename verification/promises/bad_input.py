"""Bad input gets an error message, never a 500."""

import asyncio
import http.client
import json
import time
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import quote

from verification.compat.http import exchange
from verification.promises.stack import Measured, Outcome, Stack

SCRAPS = (
    "",
    "\x00",
    "\ud800",
    "😀" * 300,
    "x" * 20_000,
    "-1",
    "1e999",
    "null",
    "{}",
    "[]",
    "../../etc/passwd",
    "' OR 1=1 --",
)
DEEP = "{ me " * 400 + "{ id }" + " }" * 400
DOCUMENTS = (
    "",
    "{",
    DEEP,
    "{ nothing }",
    "{ me { id } me: __typename }",
    "query { " + "a: __typename " * 3_000 + "}",
    "query ($x: Nothing) { me { id } }",
    "{ ...f } fragment f on Query { ...f }",
    "subscription { taskChanged { cursor } }",
    '{ task(id: "x") { id } }',
    "{ tasks(first: -1) { totalCount } }",
    '{ tasks(after: "garbage") { totalCount } }',
)
Sent = tuple[str, str, bytes | None, dict[str, str]]


async def prove(stack: Stack) -> Measured:
    """Send malformed, huge and unusual input to all entry points, and check that the server is healthy afterwards."""
    _, account = stack.new_user(stack.first)
    token = await account.token()
    worst, slowest = [], 0.0
    requests = list(_requests(Random(7), {"authorization": f"Bearer {token}"}))  # noqa: S311 - the same every time
    for request in requests:
        began = time.monotonic()
        status = await asyncio.to_thread(status_of, stack.first, request)
        slowest = max(slowest, time.monotonic() - began)
        worst += [status] if status >= 500 else []
    well = await asyncio.to_thread(status_of, stack.first, ("GET", "/readyz", None, {})) == 200
    value = (
        f"{len(requests)} bad requests: {len(worst)} with a status from 500 or without an answer, "
        f"slowest {slowest:.2f} s"
    )
    return Measured(value, Outcome.of(not worst and well))


def _requests(random: Random, signed_in: dict[str, str]) -> Iterator[Sent]:
    yield from _for_graphql(random, signed_in)
    yield from _for_rest(random, signed_in)


def _for_graphql(random: Random, signed_in: dict[str, str]) -> Iterator[Sent]:
    kinds = ("application/json", "text/plain", "application/json; charset=utf-7", "multipart/form-data; boundary=x", "")
    bodies = [json.dumps({"query": document}).encode() for document in DOCUMENTS]
    bodies += [b"", b"{", b"[]", b"[" * 50_000, b"\xff\xfe", b'{"query": 7}', b'{"query": "{me{id}}", "variables": []}']
    task = "query ($id: ID!) { task(id: $id) { id } }"
    bodies += [json.dumps({"query": task, "variables": {"id": scrap}}).encode() for scrap in SCRAPS]
    for body in bodies:
        yield "POST", "/graphql", body, {"content-type": "application/json"} | signed_in
        yield "POST", "/graphql", body, {"content-type": random.choice(kinds)}
    for scrap in SCRAPS:
        yield "GET", f"/graphql?query={quote(scrap, errors='replace')}"[:9_000], None, {"accept": "*/*"}
        yield (
            "POST",
            "/graphql",
            b'{"query": "{ me { id } }"}',
            {"authorization": f"Bearer {quote(scrap[:99], errors='replace')}"},
        )


def _for_rest(random: Random, signed_in: dict[str, str]) -> Iterator[Sent]:
    paths = ("/auth/register/", "/auth/refresh/", "/tasks/", "/tasks/42", f"/tasks/{'0' * 32}", "/nowhere")
    headers = {"content-type": "application/json"} | signed_in
    for path in paths:
        for scrap in SCRAPS:
            values: Any = {random.choice(("title", "username", "password", "completed", "email")): scrap}
            method = random.choice(("POST", "PUT", "PATCH", "DELETE", "GET", "PROPFIND"))
            yield method, f"/api/v1{path}", json.dumps(values).encode(), headers
            query = quote(scrap, errors="replace")[:2_000]
            yield "GET", f"/api/v1{path}?skip={query}&limit={query}", None, signed_in


def status_of(url: str, request: Sent) -> int:
    """The status of the response; 500 for an internal error in the data, 599 without a response."""
    method, path, body, headers = request
    try:
        reply = exchange(url, method, path, body, headers)
    except (OSError, http.client.HTTPException):
        return 599
    return 500 if b'"INTERNAL"' in reply.body else reply.status
