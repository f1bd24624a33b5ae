"""With `TRUSTED_DOCUMENTS=require` no entry point executes a document that is not trusted.

Every entry point is sent every attack. An attack names a trusted document where that could help. The only exemption are
personal access tokens with the scope `admin` of users with the role ADMIN.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.routing import BaseRoute, Route, WebSocketRoute
from websockets.exceptions import ConnectionClosed

from domain.access_token import Scope, new_token
from domain.actor import OPERATOR
from domain.recovery import PATH as RECOVERY_PATH
from domain.trusted_document import digest_of
from domain.user import Role
from server.pages.account import ASSETS, PATHS
from server.pages.link_pages import SCRIPT_PATH
from services.access_token import revoke_access_token
from services.user import set_user_active, set_user_role
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.serving import serving
from tests.support.trusted_documents import CHANGES, ME, add, document
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import connected

ROOT = Path(__file__).parents[2]
CHANGE = 'mutation Create { createTask(input: {title: "bypass"}) { task { id } } }'
READ = "query Me { me { username email } }"
INTROSPECTION = "{ __schema { types { name } } }"
SUBSCRIBE = "subscription { taskStatusChanged { cursor } }"
UNTRUSTED = {"change": CHANGE, "read": READ, "introspection": INTROSPECTION, "subscription": SUBSCRIBE}
REFUSED = {"UNTRUSTED_DOCUMENT", "DOCUMENT_NOT_FOUND", "BAD_REQUEST"}

Body = Any
Send = Callable[[httpx.AsyncClient, str, Body], Awaitable[str]]
"""A client of the server, a token and the body of a request → what the server answers."""


def _named(digest: str) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}


def attacks() -> dict[str, Body]:
    """Bodies by name."""
    found: dict[str, Body] = {}
    for name, text in UNTRUSTED.items():
        digest = digest_of(text)
        found |= {
            name: {"query": text},
            f"{name}, its own SHA-256 as id": {"query": text, "documentId": f"sha256:{digest}"},
            f"{name}, its own digest as id": {"query": text, "documentId": digest},
            f"{name}, only an id": {"documentId": f"sha256:{digest}"},
            f"{name}, a trusted id": {"query": text, "documentId": digest_of(ME)},
            f"{name}, a trusted doc_id": {"query": text, "doc_id": digest_of(ME)},
            f"{name}, a trusted hash": {"query": text} | _named(digest_of(ME)),
            f"{name}, registration": {"query": text} | _named(digest),
            f"{name}, after registration": _named(digest),
            f"{name}, trusted operationName": {"query": text, "operationName": "Me"},
            f"{name}, beside a trusted one": {"query": f"{ME} {text}", "operationName": "Create"},
            f"{name}, in a list": [{"query": text}],
            f"{name}, after a trusted one in a list": [{"query": ME}, {"query": text}],
        }
    return found | {
        "a trusted text with a comment": {"query": f"{ME} # more"},
        "a trusted text with a space": {"query": f"{ME} "},
        "a trusted text with an alias": {"query": ME.replace("me {", "you: me {")},
        "a trusted text with __typename": {"query": ME.replace("username", "username __typename")},
        "an id in capitals": {"documentId": digest_of(ME).upper()},
        "an id with a space": {"documentId": f" {digest_of(ME)}"},
        "the prefix twice": {"documentId": f"sha256:sha256:{digest_of(ME)}"},
        "the text as id": {"documentId": ME},
        "typename": {"query": "{ __typename }"},
    }


ATTACKS = attacks()


def _headers(token: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "content-type": "application/json"} | more


def _query_string(body: Body) -> str:
    pairs = body if isinstance(body, dict) else {"query": json.dumps(body)}
    return urlencode({key: value if isinstance(value, str) else json.dumps(value) for key, value in pairs.items()})


def _by_http(path: str, method: str = "POST", **headers: str) -> Send:
    async def send(client: httpx.AsyncClient, token: str, body: Body) -> str:
        address, content = (path, json.dumps(body)) if method == "POST" else (f"{path}?{_query_string(body)}", None)
        response = await client.request(method, address, content=content, headers=_headers(token, **headers))
        return response.text

    return send


async def _multipart(client: httpx.AsyncClient, token: str, body: Body) -> str:
    """The multipart requests of file uploads, which this server does not take."""
    parts = {"operations": (None, json.dumps(body)), "map": (None, "{}")}
    response = await client.post("/graphql", files=parts, headers={"authorization": f"Bearer {token}"})
    return response.text


async def _socket(client: httpx.AsyncClient, token: str, body: Body) -> str:
    async with connected(str(client.base_url).rstrip("/")) as socket:
        await socket.init({"token": token})
        await socket.send(id="1", type="subscribe", payload=body)
        return json.dumps(await socket.receive()) if isinstance(body, dict) else (await socket.closed())[1]


ENTRY_POINTS: dict[str, Send] = {
    "POST": _by_http("/graphql"),
    "POST, all layers": _by_http("/graphql", **{"x-other": "1"}),
    "POST with a slash": _by_http("/graphql/"),
    "POST of a browser": _by_http("/graphql", accept="text/html, application/graphql-response+json"),
    "GET": _by_http("/graphql", "GET"),
    "HEAD": _by_http("/graphql", "HEAD"),
    "PUT": _by_http("/graphql", "PUT"),
    "event stream by POST": _by_http("/graphql", accept="text/event-stream"),
    "event stream by GET": _by_http("/graphql", "GET", accept="text/event-stream"),
    "event stream or JSON": _by_http("/graphql", accept="application/json, text/event-stream"),
    "a form": _by_http("/graphql", **{"content-type": "application/x-www-form-urlencoded"}),
    "application/graphql": _by_http("/graphql", **{"content-type": "application/graphql"}),
    "multipart": _multipart,
    "WebSocket": _socket,
}
TAKE_DOCUMENTS = {"/graphql", "/graphql/"}
"""The paths that take documents, over HTTP and as WebSockets."""
TAKE_NONE = {
    "/",
    "/healthz",
    "/readyz",
    "/icon.svg",
    "/favicon.ico",
    "/schema.graphql",
    "/board",
    "/board/assets/{name}",
    *PATHS,
    ASSETS,
    "/join",
    "/reset-password",
    "/verify-email",
    SCRIPT_PATH,
    RECOVERY_PATH,
}
CALLERS = {
    "graphql_api/transports/http/direct.py": "POST",
    "graphql_api/transports/http/endpoint.py": "POST, all layers",
    "graphql_api/transports/sse/endpoint.py": "event stream by POST",
    "graphql_api/transports/websocket/frames.py": "WebSocket",
}
"""The modules that make an operation of what a client sends, and an entry point that uses each."""


@pytest.fixture(scope="module")
async def guarded(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """An API that requires trusted documents, over the network; `tokens` has one of a user at its URL."""
    settings = {"trusted_documents": "require", "board": True, "playground": True}
    async with an_api(new_database(), new_redis(), settings) as api:
        await add(api.server.database, [document(ME), document(CHANGES)])
        await api.server.document_reader.read()
        yield api


@pytest.fixture(scope="module")
async def client(guarded: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with serving(guarded.server.asgi()) as url, httpx.AsyncClient(base_url=url, timeout=HANG_SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
async def token(guarded: Api) -> str:
    """A token of a user."""
    return await guarded.token(await guarded.a_user())


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
async def test_nothing_else_is_executed(guarded: Api, client: httpx.AsyncClient, token: str, entry_point: str):
    """No answer has data, and no task is created."""
    bypasses = {}
    for name, body in ATTACKS.items():
        text = await ENTRY_POINTS[entry_point](client, token, body)
        if '"data"' in text or "__schema" in text or "taskStatusChanged" in text:
            bypasses[name] = text
    assert bypasses == {}
    assert await _tasks(guarded) == 0


EXEMPT = [(Scope.ADMIN,), (Scope.ADMIN, Scope.TASKS_READ), tuple(Scope)]
"""Scopes with which the token of an admin may send any document."""
SCOPES: Sequence[tuple[Scope, ...]] = [
    *((scope,) for scope in Scope),
    tuple(scope for scope in Scope if scope is not Scope.ADMIN),
    *EXEMPT[1:],
]
EXECUTES = ["POST", "POST, all layers", "GET", "event stream by POST", "event stream or JSON", "WebSocket"]
TYPENAME = {"query": "{ __typename }"}


@pytest.fixture(scope="module")
async def not_exempt(guarded: Api) -> dict[str, str]:
    """Tokens of every role with every scope, and sessions, except those that may send any document."""
    found = {}
    for role in Role:
        user = await guarded.a_user(role)
        found[f"session of {role}"] = await guarded.token(user)
        for scopes in SCOPES:
            if role is not Role.ADMIN or Scope.ADMIN not in scopes:
                _, found[f"{role} with {scopes}"] = await guarded.build.an_access_token(user, *scopes)
    return found


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
async def test_no_other_role_or_scope_helps(
    guarded: Api, client: httpx.AsyncClient, not_exempt: Mapping[str, str], entry_point: str
):
    """Each token sends a different attack next, so all attacks are sent with several roles and scopes."""
    bypasses, attacks = {}, cycle(ATTACKS.items())
    for who, token in not_exempt.items():
        for name, body in [("the least", TYPENAME), *(next(attacks) for _ in range(5))]:
            text = await ENTRY_POINTS[entry_point](client, token, body)
            if '"data"' in text or "__schema" in text or "taskStatusChanged" in text:
                bypasses[who, name] = text
    assert bypasses == {}
    assert await _tasks(guarded) == 0


async def _exempt(api: Api, scopes: Sequence[Scope] = (Scope.ADMIN,), **values: Any) -> str:
    _, token = await api.build.an_access_token(await api.a_user(Role.ADMIN), *scopes, **values)
    return token


@pytest.mark.parametrize("scopes", EXEMPT, ids=str)
@pytest.mark.parametrize("entry_point", EXECUTES)
async def test_a_token_of_an_admin_with_the_scope_admin_sends_any_document(
    guarded: Api, client: httpx.AsyncClient, entry_point: str, scopes: Sequence[Scope]
):
    """At its first request and when it is cached. What others then send is refused as before, by hash too."""
    token, user = await _exempt(guarded, scopes), await guarded.token(await guarded.a_user())
    text = f"query New{len(scopes)}{EXECUTES.index(entry_point)} {{ __schema {{ queryType {{ name }} }} }}"
    for body in (TYPENAME, {"query": text}, {"query": text} | _named(digest_of(text)), _named(digest_of(text))):
        assert '"data"' in await ENTRY_POINTS[entry_point](client, token, body), body
        refused = await ENTRY_POINTS[entry_point](client, user, body)
        assert any(code in refused for code in REFUSED), (body, refused)


@pytest.mark.parametrize("entry_point", EXECUTES)
async def test_a_token_that_is_not_valid_exempts_from_nothing(
    guarded: Api, client: httpx.AsyncClient, entry_point: str
):
    """Neither a damaged nor an expired one, nor one whose user is disabled or no admin any more."""
    now = datetime.now(UTC)
    users = {name: await guarded.a_user(Role.ADMIN) for name in ("disabled", "demoted", "revoked")}
    tokens = {name: await guarded.build.an_access_token(user, Scope.ADMIN) for name, user in users.items()}
    for _, token in tokens.values():
        assert '"data"' in await ENTRY_POINTS[entry_point](client, token, TYPENAME)
    build, (row, _) = guarded.build, tokens["revoked"]
    await set_user_active(build.as_(OPERATOR), user_id=users["disabled"].id, is_active=False)
    await set_user_role(build.as_(OPERATOR), user_id=users["demoted"].id, role=Role.MODERATOR)
    own = build.as_(build.actor(users["revoked"], row.id))
    await revoke_access_token(own, token_id=row.id)
    sent = {name: token for name, (_, token) in tokens.items()}
    sent["expired"] = await _exempt(guarded, expires_at=now - timedelta(seconds=1))
    sent["damaged"] = sent["expired"][:-1] + ("a" if sent["expired"][-1] != "a" else "b")
    sent["unknown"] = new_token()
    for token in sent.values():
        async with asyncio.timeout(HANG_SECONDS):
            while not await _is_refused(client, entry_point, token):
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("entry_point", ["POST", "POST, all layers", "event stream by POST", "GET", "WebSocket"])
async def test_what_is_trusted_is_executed(client: httpx.AsyncClient, token: str, entry_point: str):
    """So the attacks were refused for what they are."""
    for body in ({"documentId": digest_of(ME)}, {"query": ME}, _named(digest_of(ME))):
        text = await ENTRY_POINTS[entry_point](client, token, body)
        assert "username" in text, body


@pytest.mark.parametrize("entry_point", ["POST", "POST, all layers", "GET", "WebSocket"])
async def test_the_reason_is_a_code(client: httpx.AsyncClient, token: str, entry_point: str):
    """Clients see that the document was refused, and nothing about the schema."""
    for name, body in ATTACKS.items():
        if isinstance(body, dict):
            text = await ENTRY_POINTS[entry_point](client, token, body)
            assert any(code in text for code in REFUSED), (name, text)
            assert "Did you mean" not in text


def test_every_route_has_a_case(guarded: Api):
    """A new route takes no documents, or has entry points above."""
    app: Any = guarded.server.asgi()
    found = {_path_of(route) for route in app._app._router.routes}
    rest = {path for path in found if path.startswith(("/api/", "/docs", "/openapi", "/ws/tasks"))}
    assert found - rest == TAKE_NONE | TAKE_DOCUMENTS


def test_every_module_that_takes_documents_has_a_case():
    """`parse_request` is the only way from what a client sends to an operation."""
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in ("asgi", "graphql_api", "rest_api", "server", "streaming")
        for path in (ROOT / package).rglob("*.py")
        if "parse_request(" in path.read_text() or " OperationRequest(" in path.read_text()
    }
    assert modules - {"graphql_api/execution/request.py"} == CALLERS.keys()
    assert set(CALLERS.values()) <= ENTRY_POINTS.keys()


async def _is_refused(client: httpx.AsyncClient, entry_point: str, token: str) -> bool:
    """Whether the token sends no other document. A socket that does not take the token is a refusal."""
    try:
        return '"data"' not in await ENTRY_POINTS[entry_point](client, token, TYPENAME)
    except ConnectionClosed:
        return True


def _path_of(route: BaseRoute) -> str:
    assert isinstance(route, Route | WebSocketRoute)
    return route.path


async def _tasks(api: Api) -> int:
    async with api.build.as_(None) as uow:
        return int(await uow.transaction.value("SELECT count(*) FROM tasks"))
