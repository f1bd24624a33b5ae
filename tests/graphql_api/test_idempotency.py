"""Idempotency keys of clients over HTTP and sockets, valid and invalid."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.events import TaskEvent
from domain.idempotency import IdempotencyKey
from domain.user import Role
from persistence.models import TaskRow, UserRow
from tests.graphql_api.stream_client import signed_in
from tests.graphql_api.test_tasks import ASSIGN, CREATE, DELETE, STATUS, UPDATE, task_id, user_id
from tests.support.api import Answer, Api
from tests.support.serving import serving
from tests.support.websocket_client import Socket, connected

TWICE = """mutation ($input: CreateTaskInput!) {
  first: createTask(input: $input) { task { id } userErrors { code } }
  second: createTask(input: $input) { task { id } userErrors { code } } }"""


def a_key() -> str:
    """A new key."""
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
    """The events of a user."""
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

    async def test_a_used_key_with_another_request_is_refused(self, api: Api):
        """The refusal is data, and nothing is changed."""
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

    async def test_a_replay_for_a_deleted_task_is_not_found(self, api: Api):
        """The replay of a deletion has its original result."""
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
    async def test_only_a_string_is_a_key(self, api: Api, value: object):
        """Other JSON than a string or null is a bad request."""
        answer = await ask_with(api, await api.a_user(), CREATE, {"idempotencyKey": value}, input={"title": "x"})
        assert answer.codes == ["BAD_REQUEST"]

    async def test_two_keys_are_a_bad_request(self, api: Api):
        """A request must have one key."""
        owner = await api.a_user()
        headers = [(b"idempotency-key", b"one"), (b"idempotency-key", b"two")]
        headers += httpx.Headers({"authorization": f"Bearer {await api.token(owner)}"}).raw
        body = {"query": CREATE, "variables": {"input": {"title": "x"}}}
        answer = Answer(await api.client.post("/graphql", json=body, headers=httpx.Headers(headers)))

        assert answer.codes == ["BAD_REQUEST"]

    async def test_a_sign_in_ignores_the_key(self, api: Api):
        """Each sign-in creates its own session."""
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
    async def test_a_key_works_across_sockets(self, api: Api, url: str):
        """A mutation that is repeated on another socket or over HTTP is made once."""
        owner, key, wanted = await api.a_user(), a_key(), {"title": "x"}
        answers = []
        for _ in range(2):
            async with connected(url) as socket:
                await socket.init({"token": await api.token(owner)})
                answers.append(await asked(socket, CREATE, {"idempotencyKey": key}, input=wanted))
        over_http = await api.ask(CREATE, owner, headers=keyed(key), input=wanted)

        assert answers[0]["data"] == answers[1]["data"] == over_http.data
        assert len(await events_of(api, owner)) == 1

    async def test_a_key_in_the_upgrade_request_is_ignored(self, api: Api, url: str):
        """Two creations on the socket are two tasks."""
        owner = await api.a_user()
        async with connected(url, additional_headers=keyed(a_key())) as socket:
            await socket.init({"token": await api.token(owner)})
            for _ in range(2):
                assert "errors" not in await asked(socket, CREATE, None, input={"title": "x"})

        assert len(await events_of(api, owner)) == 2

    async def test_a_malformed_key_is_an_error_of_the_operation(self, api: Api, url: str):
        """BAD_REQUEST; the socket stays open."""
        async with connected(url) as socket:
            await socket.init({"token": await api.token(await api.a_user())})
            answer = await asked(socket, CREATE, {"idempotencyKey": "a b"}, input={"title": "x"})
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]
            assert "errors" not in await asked(socket, CREATE, {}, input={"title": "x"})


class TestEvents:
    async def test_a_mutation_over_server_sent_events(self, api: Api):
        """The key is the same as over other transports."""
        owner, key = await api.a_user(), a_key()
        headers = keyed(key) | {"accept": "text/event-stream", "authorization": f"Bearer {await api.token(owner)}"}
        body = {"query": CREATE, "variables": {"input": {"title": "x"}}}
        answers = [await api.client.post("/graphql", json=body, headers=headers) for _ in range(2)]
        over_http = await api.ask(CREATE, owner, headers=keyed(key), input={"title": "x"})

        assert [over_http.payload("createTask")["task"]["id"] in answer.text for answer in answers] == [True, True]
        assert len(await events_of(api, owner)) == 1


MUTATIONS = "subscription { taskChanged { __typename mutationId } }"


class TestMutationId:
    async def test_the_events_of_a_change_have_it(self, live: Api):
        """Over HTTP and REST, for every change; the same one for every subscriber. It depends on the response name."""
        owner, friend = await live.a_user(), await live.a_user(Role.MODERATOR)
        task, key = await live.build.a_task(owner), a_key()
        names = ["createTask", "updateTask", "updateTaskStatus", "assignTask", "deleteTask"]
        # A socket that ends waits for all subscriptions that began after it, so the first one listens first.
        async with signed_in(live, owner) as mine:
            await mine.listen(MUTATIONS)
            async with signed_in(live, friend) as theirs:
                await theirs.listen(MUTATIONS)
                wanted = requests(task, friend)
                for name in names:
                    query, values = wanted[name]
                    (await live.ask(query, owner, headers=keyed(key + name), input=values)).payload(name)
                headers = {"authorization": f"Bearer {await live.token(owner)}", **keyed(key)}
                await live.client.post("/api/v1/tasks/", json={"title": "By REST"}, headers=headers)
                items = [[await each.receive() for _ in range(6)] for each in (mine, theirs)]

        expected = [IdempotencyKey(key + name, name).mutation_id(owner.id) for name in names]
        expected.append(IdempotencyKey(key).mutation_id(owner.id))
        assert [item["mutationId"] for item in items[0]] == [item["mutationId"] for item in items[1]] == expected
        assert [item["__typename"] for item in items[0]] == ["TaskChanged"] * 4 + ["TaskDeleted", "TaskChanged"]

    async def test_a_change_without_a_key_has_none(self, live: Api):
        """Two keys in one document give two ids."""
        owner = await live.a_user()
        async with signed_in(live, owner) as listener:
            await listener.listen(MUTATIONS)
            (await live.ask(CREATE, owner, input={"title": "New"})).payload("createTask")
            await live.ask(TWICE, owner, headers=keyed("k"), input={"title": "New"})
            items = [(await listener.receive())["mutationId"] for _ in range(3)]

        assert items == [None, *(IdempotencyKey("k", place).mutation_id(owner.id) for place in ("first", "second"))]
