"""Idempotency keys as clients send them: over HTTP and sockets, well and badly."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.events import TaskEvent
from persistence.models import TaskRow, UserRow
from tests.graphql_api.test_tasks import ASSIGN, CREATE, DELETE, STATUS, UPDATE, task_id, user_id
from tests.support.api import Answer, Api
from tests.support.serving import serving
from tests.support.websocket_client import Socket, connected

TWICE = """mutation ($input: CreateTaskInput!) {
  first: createTask(input: $input) { task { id } userErrors { code } }
  second: createTask(input: $input) { task { id } userErrors { code } } }"""


def a_key() -> str:
    """A key that nobody has used."""
    return str(uuid4())


def keyed(key: str) -> dict[str, str]:
    """The header."""
    return {"idempotency-key": key}


async def ask_with(api: Api, user: UserRow, query: str, extensions: object, /, **variables: Any) -> Answer:
    """Ask with extensions."""
    body = {"query": query, "variables": variables, "extensions": extensions}
    headers = {"authorization": f"Bearer {await api.token(user)}"}
    return Answer(await api.client.post("/graphql", json=body, headers=headers))


async def events_of(api: Api, user: UserRow) -> list[TaskEvent]:
    """What somebody did."""
    return [event for event in await api.build.events_by(user.id) if isinstance(event, TaskEvent)]


def requests(task: TaskRow, friend: UserRow) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every mutation of tasks, with an input."""
    return {
        "createTask": (CREATE, {"title": "New", "dueAt": "2030-01-02T03:04:05+02:00"}),
        "updateTask": (UPDATE, {"id": task_id(task), "title": "Mended", "expectedVersion": 1}),
        "updateTaskStatus": (STATUS, {"id": task_id(task), "status": "DONE"}),
        "assignTask": (ASSIGN, {"id": task_id(task), "assigneeId": user_id(friend)}),
        "deleteTask": (DELETE, {"id": task_id(task)}),
    }


class TestHTTP:
    @pytest.mark.parametrize("name", ["createTask", "updateTask", "updateTaskStatus", "assignTask", "deleteTask"])
    async def test_twenty_twins(self, api: Api, name: str):
        """Of twenty equal requests at the same time, one makes a change, and all answers are equal to the byte."""
        owner, friend = await api.a_user(), await api.a_user()
        query, wanted = requests(await api.build.a_task(owner), friend)[name]
        key = a_key()
        answers = await asyncio.gather(*(api.ask(query, owner, headers=keyed(key), input=wanted) for _ in range(20)))
        later = await api.ask(query, owner, headers=keyed(key), input=wanted)

        assert {answer.http.content for answer in answers} == {later.http.content}
        assert later.payload(name)
        assert len(await events_of(api, owner)) == 1

    async def test_another_request_is_told_so(self, api: Api):
        """A used key with another input is refused as data, and nothing is changed."""
        owner, key = await api.a_user(), a_key()
        (await api.ask(CREATE, owner, headers=keyed(key), input={"title": "One"})).payload("createTask")
        refusal = (await api.ask(CREATE, owner, headers=keyed(key), input={"title": "Two"})).refusal("createTask")

        assert (refusal["code"], refusal["path"]) == ("IDEMPOTENCY_MISMATCH", [])
        assert len(await events_of(api, owner)) == 1

    async def test_a_document_with_two_mutations(self, api: Api):
        """The two are different changes under one key, and each is made once."""
        owner, key = await api.a_user(), a_key()
        answers = [await api.ask(TWICE, owner, headers=keyed(key), input={"title": "x"}) for _ in range(2)]

        assert answers[0].data == answers[1].data
        assert answers[0].payload("first")["task"] != answers[0].payload("second")["task"]
        assert len(await events_of(api, owner)) == 2

    async def test_a_deleted_task_is_not_found(self, api: Api):
        """A replay of what was done to a task that is gone says NOT_FOUND; that of its deletion says the same again."""
        owner, key, last = await api.a_user(), a_key(), a_key()
        task = await api.build.a_task(owner)
        move = {"id": task_id(task), "status": "DONE"}
        (await api.ask(STATUS, owner, headers=keyed(key), input=move)).payload("updateTaskStatus")
        for _ in range(2):
            answer = await api.ask(DELETE, owner, headers=keyed(last), input={"id": task_id(task)})
            assert answer.payload("deleteTask")["deletedTaskId"] == task_id(task)
        refusal = (await api.ask(STATUS, owner, headers=keyed(key), input=move)).refusal("updateTaskStatus")

        assert refusal["code"] == "NOT_FOUND"

    async def test_the_extension_is_the_same_key(self, api: Api):
        """`extensions.idempotencyKey` and the header are one key, and may come together if they are equal."""
        owner, key, wanted = await api.a_user(), a_key(), {"title": "x"}
        answers = [
            await api.ask(CREATE, owner, headers=keyed(key), input=wanted),
            await ask_with(api, owner, CREATE, {"idempotencyKey": key}, input=wanted),
            await ask_with(api, owner, CREATE, {"idempotencyKey": key, "other": [1]}, input=wanted),
        ]
        assert len({answer.http.content for answer in answers}) == 1
        unkeyed = await ask_with(api, owner, CREATE, {"idempotencyKey": None}, input=wanted)
        assert unkeyed.http.content not in {answer.http.content for answer in answers}

    @pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\u00e4".encode().decode("latin-1"), "\x7f"])
    async def test_a_malformed_key_is_a_bad_request(self, api: Api, key: str):
        """What is no key changes nothing, however it comes."""
        owner = await api.a_user()
        token = {"authorization": f"Bearer {await api.token(owner)}"}
        raw = [(b"idempotency-key", key.encode("latin-1"))]
        body = {"query": CREATE, "variables": {"input": {"title": "x"}}}
        by_header = await api.client.post(
            "/graphql", json=body, headers=httpx.Headers([*httpx.Headers(token).raw, *raw])
        )
        by_extension = await ask_with(api, owner, CREATE, {"idempotencyKey": key}, input={"title": "x"})

        assert Answer(by_header).codes == by_extension.codes == ["BAD_REQUEST"]
        assert await events_of(api, owner) == []

    @pytest.mark.parametrize("value", [1, True, [], {}, ["key"]])
    async def test_only_text_is_a_key(self, api: Api, value: object):
        """Any other JSON than a string or null is a bad request."""
        answer = await ask_with(api, await api.a_user(), CREATE, {"idempotencyKey": value}, input={"title": "x"})
        assert answer.codes == ["BAD_REQUEST"]

    async def test_two_keys_are_a_bad_request(self, api: Api):
        """A request that names itself twice has no name."""
        owner = await api.a_user()
        headers = [(b"idempotency-key", b"one"), (b"idempotency-key", b"two")]
        headers += httpx.Headers({"authorization": f"Bearer {await api.token(owner)}"}).raw
        body = {"query": CREATE, "variables": {"input": {"title": "x"}}}
        answer = Answer(await api.client.post("/graphql", json=body, headers=httpx.Headers(headers)))

        assert answer.codes == ["BAD_REQUEST"]

    async def test_signing_in_takes_no_notice(self, api: Api):
        """Under one key one signs in twice: whoever has the answer of a sign-in has a session of their own."""
        user = await api.a_user(password_hash=await api.server.passwords.hash("Correct-horse1"))
        query = "mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code } } }"
        wanted, key = {"username": user.username, "password": "Correct-horse1"}, a_key()
        tokens = {
            (await api.ask(query, headers=keyed(key), input=wanted)).payload("login")["accessToken"] for _ in range(2)
        }
        assert len(tokens) == 2

    async def test_queries_take_no_notice(self, api: Api):
        """A key, even a malformed one, is nothing to a query."""
        user = await api.a_user()
        assert (await api.ask("{ me { id } }", user, headers=keyed("a b"))).data["me"]["id"] == user_id(user)


@pytest.fixture(scope="module")
async def url(api: Api) -> AsyncIterator[str]:
    """The API over the network."""
    async with serving(api.server.asgi()) as url:
        yield url


async def asked(socket: Socket, query: str, extensions: object, /, **variables: Any) -> dict[str, Any]:
    """What an operation on a socket answers."""
    payload = {"query": query, "variables": variables, "extensions": extensions}
    await socket.send(id="m", type="subscribe", payload=payload)
    message = await socket.receive()
    assert await socket.receive() == {"id": "m", "type": "complete"}
    answer: dict[str, Any] = message["payload"]
    return answer


class TestSocket:
    async def test_a_key_survives_the_socket(self, api: Api, url: str):
        """A mutation whose socket broke is sent again on the next one, or over HTTP, and is made once."""
        owner, key, wanted = await api.a_user(), a_key(), {"title": "x"}
        answers = []
        for _ in range(2):
            async with connected(url) as socket:
                await socket.init({"token": await api.token(owner)})
                answers.append(await asked(socket, CREATE, {"idempotencyKey": key}, input=wanted))
        over_http = await api.ask(CREATE, owner, headers=keyed(key), input=wanted)

        assert answers[0]["data"] == answers[1]["data"] == over_http.data
        assert len(await events_of(api, owner)) == 1

    async def test_a_header_of_the_socket_names_no_operation(self, api: Api, url: str):
        """What the upgrade said is said of the socket: two creations on it are two."""
        owner = await api.a_user()
        async with connected(url, additional_headers=keyed(a_key())) as socket:
            await socket.init({"token": await api.token(owner)})
            for _ in range(2):
                assert "errors" not in await asked(socket, CREATE, None, input={"title": "x"})

        assert len(await events_of(api, owner)) == 2

    async def test_a_malformed_key_is_the_operations_error(self, api: Api, url: str):
        """The operation is told BAD_REQUEST; the socket lives."""
        async with connected(url) as socket:
            await socket.init({"token": await api.token(await api.a_user())})
            answer = await asked(socket, CREATE, {"idempotencyKey": "a b"}, input={"title": "x"})
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]
            assert "errors" not in await asked(socket, CREATE, {}, input={"title": "x"})


class TestEvents:
    async def test_a_mutation_over_server_sent_events(self, api: Api):
        """The key counts at this door, too, and is the same key as at the others."""
        owner, key = await api.a_user(), a_key()
        headers = keyed(key) | {"accept": "text/event-stream", "authorization": f"Bearer {await api.token(owner)}"}
        body = {"query": CREATE, "variables": {"input": {"title": "x"}}}
        answers = [await api.client.post("/graphql", json=body, headers=headers) for _ in range(2)]
        over_http = await api.ask(CREATE, owner, headers=keyed(key), input={"title": "x"})

        assert [over_http.payload("createTask")["task"]["id"] in answer.text for answer in answers] == [True, True]
        assert len(await events_of(api, owner)) == 1
