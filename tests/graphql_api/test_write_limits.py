"""Limits of writes: every entry point of two servers counts, and a refused write changes nothing."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from domain.access_token import Scope
from graphql_api.schema.ids import encode_id
from persistence.models import UserRow
from tests.probes.entry_points import EntryPoint
from tests.probes.operation import Document, RestRequest
from tests.probes.servers import Servers, running
from tests.probes.things import Person, Standing
from tests.support.api import Answer

PER_USER, PER_TOKEN = 12, 5
CREATE = "mutation Create($title: String!) { createTask(input: {title: $title}) { task { id } userErrors { code } } }"
EDIT = """mutation Edit($ids: [ID!]!) {
  updateTasks(input: {ids: $ids, priority: HIGH}) { results { task { id } } userErrors { code } } }"""
REVOKE = """mutation Revoke($id: ID!) {
  revokeAccessToken(input: {accessTokenId: $id}) { userErrors { code } } }"""


@pytest.fixture(scope="module")
async def servers(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Servers]:
    """Two servers with low limits on one Redis."""
    limits = {"writes_per_user": PER_USER, "writes_per_token": PER_TOKEN}
    async with running(new_database(), new_redis(), **limits) as servers:
        yield servers


@dataclass
class Sender:
    """A user with a session and a token."""

    user: UserRow
    session: Person
    token: Person


@pytest.fixture
async def sender(servers: Servers) -> Sender:
    api = servers.api
    user = await api.build.a_user()
    session = await api.build.a_session(user)
    issued = api.server.tokens.issue(user.id, session.id, datetime.now(UTC))
    row, text = await api.build.an_access_token(user, Scope.TASKS_WRITE)

    def person(token: str, grant_id: UUID) -> Person:
        return Person(user.id, user.username, user.role, Standing.NONE, token, grant_id)

    return Sender(user, person(issued.token, session.id), person(text, row.id))


async def create(entry_point: EntryPoint, person: Person) -> str | None:
    """Create a task; returns None, or the code or the status of the refusal."""
    if entry_point.name == "REST":
        reply = await entry_point.send(RestRequest("POST", "/tasks/", {"title": "New"}), person)
        return None if reply.status == 201 else str(reply.status)
    reply = await entry_point.send(Document(CREATE, {"title": "New"}), person)
    assert reply.body is not None
    errors = reply.body.get("errors", [])
    return errors[0]["extensions"]["code"] if errors else None


async def tasks_of(servers: Servers, user: UserRow) -> int:
    answer = await servers.api.ask("{ tasks { totalCount } }", user)
    count: int = answer.data["tasks"]["totalCount"]
    return count


async def send(servers: Servers, person: Person, query: str, *, key: str | None = None, **variables: Any) -> Answer:
    headers = {"idempotency-key": key} if key is not None else {}
    return await servers.api.ask(query, person.token, headers=headers, **variables)


async def test_all_entry_points_of_both_servers_share_the_writes_of_a_token(servers: Servers, sender: Sender):
    entry_points = [*servers.graphql, servers.rest]
    assert [await create(each, sender.token) for each in entry_points] == [None] * PER_TOKEN
    refused = [await create(each, sender.token) for each in entry_points]
    assert refused == ["RATE_LIMITED"] * 4 + ["429"]
    assert await tasks_of(servers, sender.user) == PER_TOKEN
    assert await create(servers.rest, sender.session) is None


async def test_sessions_and_tokens_share_the_writes_of_the_user(servers: Servers, sender: Sender):
    entry_points = [*servers.graphql, servers.rest]
    for number in range(PER_USER):
        person = sender.token if number < 4 else sender.session
        assert await create(entry_points[number % 5], person) is None
    for person in (sender.token, sender.session):
        refused = [await create(each, person) for each in entry_points]
        assert refused == ["RATE_LIMITED"] * 4 + ["429"]
    assert await tasks_of(servers, sender.user) == PER_USER


async def test_responses_show_what_remains(servers: Servers, sender: Sender):
    answer = await send(servers, sender.token, CREATE, title="One")
    cost = answer.body["extensions"]["cost"]
    assert cost["requested"] > 0
    assert cost["writes"]["limit"] == PER_TOKEN
    assert cost["writes"]["remaining"] == PER_TOKEN - 1
    assert 1 <= cost["writes"]["resetSeconds"] <= 60
    assert answer.http.headers["ratelimit-policy"] == f'"user";q={PER_USER};w=60, "token";q={PER_TOKEN};w=60'
    user, token = answer.http.headers["ratelimit"].split(", ")
    assert user.startswith(f'"user";r={PER_USER - 1};t=')
    assert token.startswith(f'"token";r={PER_TOKEN - 1};t=')


async def test_both_executors_and_the_sockets_show_it(servers: Servers, sender: Sender):
    seen = []
    for entry_point in servers.graphql:
        reply = await entry_point.send(Document(CREATE, {"title": "New"}), sender.token)
        assert reply.body is not None
        assert list(reply.body) == ["data", "extensions"]
        seen.append(reply.body["extensions"]["cost"]["requested"])
    assert len(set(seen)) == 1


async def test_queries_show_nothing(servers: Servers, sender: Sender):
    await send(servers, sender.session, CREATE, title="One")
    answer = await send(servers, sender.session, "{ me { id } }")
    assert set(answer.body) == {"data"}
    assert "ratelimit" not in answer.http.headers


async def test_a_refusal_says_when_to_try_again(servers: Servers, sender: Sender):
    for _ in range(PER_TOKEN):
        await send(servers, sender.token, CREATE, title="New")
    answer = await send(servers, sender.token, CREATE, title="New")
    [error] = answer.body["errors"]
    assert error["message"].startswith(f"This token may make {PER_TOKEN} changes a minute")
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfter": int(answer.http.headers["retry-after"])}
    assert answer.body["extensions"]["cost"]["writes"]["remaining"] == 0
    path, body = "/api/v1/tasks/", {"title": "New"}
    headers = {"authorization": f"Bearer {sender.token.token}"}
    rest = await servers.api.client.post(path, json=body, headers=headers)
    assert rest.status_code == 429
    assert 1 <= int(rest.headers["retry-after"]) <= 60
    assert '"token";r=0;t=' in rest.headers["ratelimit"]


async def test_a_repetition_is_answered_and_not_counted(servers: Servers, sender: Sender):
    first = await send(servers, sender.token, CREATE, key="once", title="One")
    for _ in range(10):
        again = await send(servers, sender.token, CREATE, key="once", title="One")
        assert again.payload("createTask") == first.payload("createTask")
        assert again.body["extensions"]["cost"]["writes"]["remaining"] == PER_TOKEN - 1
    for _ in range(PER_TOKEN):
        await send(servers, sender.token, CREATE, title="New")
    again = await send(servers, sender.token, CREATE, key="once", title="One")
    assert again.payload("createTask") == first.payload("createTask")


async def test_a_refused_write_does_not_use_its_key(servers: Servers, sender: Sender):
    for _ in range(PER_TOKEN):
        await send(servers, sender.token, CREATE, title="New")
    refused = await send(servers, sender.token, CREATE, key="later", title="Later")
    assert refused.codes == ["RATE_LIMITED"]
    made = await send(servers, sender.session, CREATE, key="later", title="Another title")
    assert made.payload("createTask")["task"] is not None


async def test_a_change_that_a_rule_refuses_is_not_counted(servers: Servers, sender: Sender):
    for _ in range(PER_TOKEN + 3):
        answer = await send(servers, sender.token, EDIT.replace("HIGH", "LOW"), ids=[encode_id("Task", uuid4())])
        if answer.codes:
            break
    # `updateTasks` counts what it is asked to change, because it decides before it reads the tasks.
    assert answer.codes == ["RATE_LIMITED"]
    other = await servers.api.build.a_user()
    query = """mutation Move($id: ID!) {
      updateTaskStatus(input: {id: $id, status: DONE}) { userErrors { code } } }"""
    for _ in range(PER_USER + 3):
        answer = await servers.api.ask(query, other, id=encode_id("Task", uuid4()))
        assert answer.refusal("updateTaskStatus")["code"] == "NOT_FOUND"
    assert (await servers.api.ask(CREATE, other, title="One")).payload("createTask")


async def test_a_bulk_change_costs_one_write_per_task_and_is_made_as_a_whole(servers: Servers, sender: Sender):
    tasks = [await servers.api.build.a_task(sender.user) for _ in range(PER_TOKEN)]
    ids = [encode_id("Task", task.id) for task in tasks]
    answer = await send(servers, sender.token, EDIT, key="bulk", ids=ids[:3])
    assert answer.body["extensions"]["cost"]["writes"]["remaining"] == PER_TOKEN - 3
    refused = await send(servers, sender.token, EDIT.replace("HIGH", "LOW"), key="more", ids=ids[2:])
    assert refused.codes == ["RATE_LIMITED"]
    found = await servers.api.ask("{ tasks { nodes { priority } } }", sender.user)
    priorities = sorted(each["priority"] for each in found.data["tasks"]["nodes"])
    assert priorities == ["HIGH"] * 3 + ["MEDIUM"] * 2
    again = await send(servers, sender.token, EDIT, key="bulk", ids=ids[:3])
    assert again.body["extensions"]["cost"]["writes"]["remaining"] == PER_TOKEN - 3
    assert not again.codes


async def test_one_operation_pays_for_each_change(servers: Servers, sender: Sender):
    fields = " ".join(f'n{n}: createTask(input: {{title: "{n}"}}) {{ task {{ id }} }}' for n in range(PER_TOKEN + 2))
    answer = await send(servers, sender.token, f"mutation {{ {fields} }}")
    assert answer.codes == ["RATE_LIMITED"] * 2
    assert await tasks_of(servers, sender.user) == PER_TOKEN


async def test_access_can_be_ended_without_writes(servers: Servers, sender: Sender):
    """A token that has leaked and used up all writes does not keep its user from revoking it."""
    for number in range(PER_USER):
        await create(servers.rest, sender.token if number < PER_TOKEN else sender.session)
    assert (await send(servers, sender.session, CREATE, title="New")).codes == ["RATE_LIMITED"]
    revoked = await send(servers, sender.session, REVOKE, id=encode_id("AccessToken", sender.token.session_id))
    assert revoked.payload("revokeAccessToken") == {"userErrors": []}
    out = await send(servers, sender.session, "mutation { logout { userErrors { code } } }")
    assert out.payload("logout") == {"userErrors": []}


async def test_without_limits_responses_are_as_before(new_database: Callable[[], str], new_redis: Callable[[], str]):
    async with running(new_database(), new_redis(), writes_per_user=0, writes_per_token=0) as servers:
        user = await servers.api.build.a_user()
        answer = await servers.api.ask(CREATE, user, title="One")
        assert list(orjson.loads(answer.http.content)) == ["data"]
        assert "ratelimit" not in answer.http.headers
