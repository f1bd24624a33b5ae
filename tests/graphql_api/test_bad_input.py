"""Thousands of generated requests against the real schema, with a fixed seed. Each response must be well-formed and
reveal no data of other users, a refused change must change nothing, no error may be logged, and the process must still
answer.
"""

import json
from collections.abc import AsyncIterator, Callable
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from graphql_api.schema.ids import encode_id
from tests.graphql_api import hostile_input
from tests.graphql_api.fuzzing_client import SECRET, Attacker, check_body, check_errors, quiet
from tests.graphql_api.hostile_input import Operation, cursor, dumped, mutated, operations, variables_for
from tests.support.amount import cases
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.serving import serving
from tests.support.websocket_client import Socket, connected
from tests.support.work import counted

SIGNING_OUT = {"logout", "logoutAll"}
"""They need no input, and would leave the attacker without a token."""
PLACES = {"createTask", "moveTask", "setTaskParent", "updateTasks", "restoreTask"}
"""They change tasks of the project, and so need inputs that fit together."""
WITH_INPUT = [each for each in operations("query", "mutation") if each.variables]
LISTS = [each for each in operations("query") if "after" in each.variables]
SUBSCRIPTIONS = operations("subscription")
MOST_CALLS = 500_000
CLOSE_CODES = {4400, 4401, 4403, 4409, 4429}
ROLES = st.sampled_from(["user", "user", "admin", None])

SEEDS = [
    b'{"query": "{ __typename me { username } }"}',
    b'{"query": "query A($f: Int) { tasks(first: $f) { nodes { id } } }", "variables": {"f": 2}, "operationName": "A"}',
    b'{"query": "{ task(id: \\"@task@\\") { title } }", "variables": null, "extensions": {"a": [1, 2.5e3, "\\u00e9"]}}',
    (
        b'{"variables": {"input": {"title": "\\ud83d\\ude00"}}, '
        b'"query": "mutation ($input: CreateTaskInput!) { createTask(input: $input) { userErrors { code } } }"}'
    ),
]
FRAMES = [
    b'{"type": "connection_init", "payload": {"authorization": "Bearer @token@"}}',
    b'{"type": "ping", "payload": {"a": 1}}',
    b'{"type": "pong"}',
    b'{"id": "1", "type": "complete"}',
    *(b'{"id": "1", "type": "subscribe", "payload": %s}' % seed for seed in SEEDS),
    b'{"id": "2", "type": "subscribe", "payload": {"query": "subscription { taskChanged { cursor task { id } } }"}}',
]
BODIES = [
    b"", b"null", b'"x"', b"1", b"[]", b"[{}]", b"{}",
    b"[" * 5_000, b'{"a":' * 5_000, b"[" * 900 + b"]" * 900, b"\xff\xfe{",
    b"\xef\xbb\xbf{}", '{"query": "{ __typename }"}'.encode("utf-16"), b'{"query": "{ __typename }"}\x00',
    b"{'query': 1}",
    b'{"query": "{ me { id } }", "query": "{ __typename }"}', b'{"query": "{ __typename }", "variables": {"a": NaN}}',
    b'{"query": "{ __typename }", "variables": {"a": 1e9999}}', b'{"query": "{ __typename }", "operationName": []}',
    b'{"query": "\\ud800"}', b'{"query": "{ __typename }", "variables": {"\\ud800": "\\udfff"}}',
    b'{"query": ' + b"9" * 6_000 + b"}",
    b'{"query": "{ __typename }", "variables": {"__proto__": {}, "": [], "a": ' + b"9" * 6_000 + b"}}",
    b'{"id": "x"}',
    b'{"query": "{ __typename }", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "x"}}}',
    b" " * 300_000,
    b'{"query": "' + b"a" * 262_000 + b'"}', b'[{"query": "{ __typename }"}, {"query": "{ __typename }"}]',
]  # fmt: skip


def tries(number: int) -> settings:
    """So many, or a part of them, the same ones every time."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(
        max_examples=cases(number), derandomize=True, deadline=None, database=None, suppress_health_check=slow
    )


def filter_for(order: str) -> dict[str, str] | None:
    """The filter that an order needs."""
    return {"projectId": hostile_input.PROJECT} if order == hostile_input.RANK else None


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """In its own database, whose rows are compared before and after each request."""
    async with an_api(new_database(), new_redis()) as api:
        yield api


@pytest.fixture(scope="module")
async def attacker(api: Api) -> Attacker:
    """One for all tests here."""
    return await Attacker.at(api)


@pytest.fixture(autouse=True)
async def unharmed(attacker: Attacker) -> AsyncIterator[None]:
    """Nothing goes wrong behind the answers, and afterwards there are still answers."""
    await attacker.lay_bait()
    with quiet():
        yield
        await attacker.still_answers()


@pytest.mark.parametrize("operation", operations("query", "mutation"), ids=str)
async def test_unmodified_operations_are_accepted(attacker: Attacker, operation: Operation):
    """The generated operations are valid before they are modified."""
    if operation.name not in SIGNING_OUT:
        answer = await attacker.ask(operation.text, operation.variables, "admin")
        assert "errors" not in answer, answer
        assert operation.name not in PLACES or answer["data"][operation.name]["userErrors"] == [], answer


@tries(80)
@given(data=st.data(), by=ROLES)
@pytest.mark.parametrize("operation", WITH_INPUT, ids=str)
async def test_variables(attacker: Attacker, operation: Operation, data: st.DataObject, by: str | None):
    """Every argument and input field of both roots gets any value."""
    await attacker.ask(operation.text, data.draw(variables_for(operation)), by)


@tries(120)
@given(after=st.sampled_from(hostile_input.CURSORS), order=st.sampled_from(hostile_input.ORDERS), by=ROLES)
@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_page_cursors(attacker: Attacker, operation: Operation, after: str, order: str, by: str | None):
    """A made-up cursor is refused, or yields a page like any other."""
    wanted = {"after": after, "filter": filter_for(order), "orderBy": order}
    variables = operation.variables | {key: value for key, value in wanted.items() if key in operation.variables}
    await attacker.ask(operation.text, variables, by)


@tries(100)
@given(order=st.sampled_from(hostile_input.ORDERS), value=st.sampled_from(hostile_input.VALUES), identity=st.uuids())
async def test_a_forged_cursor_reveals_nothing(attacker: Attacker, order: str, value: object, identity: object):
    """A forged cursor gives only tasks that the user owns, is assigned to, or has a role for: other tests give some."""
    query = """query ($after: String, $order: TaskOrder!, $filter: TaskFilter) {
      tasks(first: 100, after: $after, orderBy: $order, filter: $filter) {
        nodes { owner { id } assignee { id } project { viewerRole } } } }"""
    variables = {"after": cursor(order, value, str(identity)), "order": order, "filter": filter_for(order)}

    answer = await attacker.ask(query, variables)

    me = {"id": encode_id("User", attacker.people["user"].id)}
    for node in ((answer["data"] or {}).get("tasks") or {"nodes": []})["nodes"]:
        role = (node["project"] or {}).get("viewerRole")
        assert me in (node["owner"], node["assignee"]) or role is not None, node


@tries(60)
@given(
    value=st.sampled_from([*hostile_input.VALUES, None, None]),
    other=st.sampled_from(hostile_input.CURSORS[:19]),
    task=st.sampled_from([hostile_input.TASK, hostile_input.FIRST_TASK]),
)
@pytest.mark.parametrize("field", hostile_input.LISTS_OF_A_TASK)
async def test_cursors_of_lists_of_a_task(attacker: Attacker, field: str, value: object, other: str, task: str):
    """They take no cursors but their own."""
    after = cursor(hostile_input.LISTS_OF_A_TASK[field], value) if value is not None else other
    selection = f"{field}(after: $after) {{ nodes {{ __typename }} }}"
    await attacker.ask(
        f"query ($id: ID!, $after: String) {{ task(id: $id) {{ {selection} }} }}", {"id": task, "after": after}
    )


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in hostile_input.attacks()])
async def test_expensive_documents(attacker: Attacker, text: str):
    """Each is answered with little work, for every user, in both media types."""
    content = json.dumps({"query": text}).encode()
    for by in ("user", None):
        await attacker.send(content, by)
    with counted() as work:
        response = await attacker.send(content, headers=[("accept", "application/graphql-response+json")])
    assert work.calls < MOST_CALLS
    assert response.status_code in (200, 400)


@tries(250)
@given(tokens=st.lists(st.sampled_from(hostile_input.TOKENS), max_size=25), by=ROLES)
async def test_documents_of_any_tokens(attacker: Attacker, tokens: list[str], by: str | None):
    """Tokens of the language in any order."""
    await attacker.send(dumped({"query": " ".join(tokens), "variables": {"a": 1}}), by)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:40]))
async def test_invalid_bodies(attacker: Attacker, body: bytes):
    """They are refused, with and without a sign-in."""
    for by in ("user", None):
        await attacker.send(body, by)


@tries(350)
@given(body=mutated(SEEDS) | st.binary(max_size=200))
async def test_spoilt_bodies(attacker: Attacker, body: bytes):
    """Requests that something happened to on the way."""
    await attacker.send(body)


@tries(300)
@given(
    method=st.sampled_from([*hostile_input.METHODS, "POST", "POST", "POST", "GET"]),
    content_type=st.sampled_from(["application/json"] * 8 + hostile_input.CONTENT_TYPES),
    accept=st.sampled_from(hostile_input.ACCEPTS),
    authorization=st.sampled_from(hostile_input.AUTHORIZATIONS),
    others=st.lists(st.sampled_from(hostile_input.OTHER_HEADERS), max_size=3),
    query=st.sampled_from(
        [b"", b"query=%7Bme%7Bid%7D%7D", b"query=%ff", b"a=" * 30, b"query=%7Bme%7Bid%7D%7D&variables=%5B"]
    ),
)
async def test_invalid_requests_around_the_body(
    attacker: Attacker,
    method: str,
    content_type: str,
    accept: str,
    authorization: str,
    others: list[tuple[str, str]],
    query: bytes,
):
    """Methods, media types, tokens and other headers in any combination."""
    headers = [("content-type", content_type), ("accept", accept), ("authorization", authorization), *others]
    await attacker.send(SEEDS[0], None, method=method, headers=headers, query=query)


@pytest.mark.parametrize("authorization", hostile_input.AUTHORIZATIONS, ids=lambda text: repr(text[:30]))
async def test_forged_tokens_are_refused(attacker: Attacker, authorization: str):
    """Only an exact token in its place counts."""
    response = await attacker.send(b'{"query": "{ me { id } }"}', None, headers=[("authorization", authorization)])
    assert response.json()["data"] is None


@tries(60)
@given(
    parameters=st.lists(st.tuples(st.sampled_from(["query", "variables", "operationName", "x"]), st.text(max_size=9)))
)
async def test_query_strings(attacker: Attacker, parameters: list[tuple[str, str]]):
    """With any content."""
    text = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in parameters)
    await attacker.send(b"", method="GET", query=text.encode())


@pytest.mark.parametrize(
    "text", ["mutation { logoutAll { userErrors { code } } }", "mutation { logout { __typename } }"]
)
async def test_a_link_or_a_form_changes_nothing(attacker: Attacker, text: str):
    """What another site's page can have a browser send, cookie and all, never reaches a mutation."""
    cookie = ("cookie", "refresh_token=a")
    linked = await attacker.send(b"", None, method="GET", query=b"query=" + quote(text).encode(), headers=[cookie])
    assert linked.status_code == 405
    for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        headers = [cookie, ("content-type", media)]
        sent = await attacker.send(json.dumps({"query": text}).encode(), None, headers=headers)
        assert sent.status_code == 415


@pytest.fixture(scope="module")
async def url(attacker: Attacker) -> AsyncIterator[str]:
    """Where the same application is served."""
    async with serving(attacker.app) as address:
        yield address


class TestSockets:
    @tries(250)
    @given(frames=st.lists(mutated(FRAMES) | st.sampled_from(FRAMES), min_size=1, max_size=3), signed_in=st.booleans())
    async def test_frames(self, url: str, attacker: Attacker, frames: list[bytes], signed_in: bool):
        """An invalid frame closes the socket with its code, or is answered; other sockets are not affected."""
        async with connected(url) as socket:
            if signed_in:
                await socket.init({"authorization": f"Bearer {attacker.marks['@token@']}"})
            for frame in frames:
                await _send(socket, attacker.marked(frame).decode("latin-1"))
            await _ends_well(socket)

    @tries(40)
    @given(data=st.data())
    @pytest.mark.parametrize("operation", SUBSCRIPTIONS, ids=str)
    async def test_subscriptions(self, url: str, attacker: Attacker, operation: Operation, data: st.DataObject):
        """Any filter and cursor is refused, or never gives tasks of other users."""
        payload = {"query": operation.text, "variables": data.draw(variables_for(operation))}
        async with connected(url) as socket:
            await socket.init({"authorization": f"Bearer {attacker.marks['@token@']}"})
            frame = dumped({"id": "1", "type": "subscribe", "payload": payload})
            await _send(socket, attacker.marked(frame).decode())
            await _ends_well(socket)

    async def test_credentials(self, url: str, attacker: Attacker):
        """An invalid token closes the socket, and never signs in."""
        for value in [*hostile_input.AUTHORIZATIONS[1:], 1, [], {}, True, "\x00"]:
            async with connected(url) as socket:
                made_up = attacker.marked(value.encode()).decode() if isinstance(value, str) else value
                await socket.send(type="connection_init", payload={"authorization": made_up})
                assert (await socket.closed())[0] in {4400, 4401, 4403}

    async def test_many_operations_on_one_socket(self, url: str, attacker: Attacker):
        """A hundred operations run on one socket; one more is refused, and the socket stays open."""
        async with connected(url) as socket:
            await socket.init({"authorization": f"Bearer {attacker.marks['@token@']}"})
            for number in range(110):
                await socket.subscribe(str(number), "subscription { taskChanged { cursor } }")
            assert (await socket.receive())["payload"][0]["extensions"]["code"] == "TOO_EXPENSIVE"


async def _send(socket: Socket, frame: str) -> None:
    try:
        await socket.connection.send(frame)
    except ConnectionClosed:
        return


async def _ends_well(socket: Socket) -> None:
    """The server sends only allowed messages, and then answers a ping or has closed the connection in order."""
    try:
        await socket.send(type="ping", payload={"last": True})
        while True:
            message = await socket.receive()
            assert SECRET not in json.dumps(message)
            if message == {"type": "pong", "payload": {"last": True}}:
                return
            _check_message(message)
    except ConnectionClosed:
        assert socket.connection.close_code in CLOSE_CODES


def _check_message(message: dict[str, object]) -> None:
    payload = message.get("payload")
    if message["type"] == "next":
        check_body(payload)
    elif message["type"] == "error":
        assert isinstance(payload, list)
        check_errors(payload)
    else:
        assert message["type"] in {"connection_ack", "pong", "ping", "complete"}
