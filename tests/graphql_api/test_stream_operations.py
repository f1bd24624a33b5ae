"""Several operations on one socket, and a socket that is read slowly."""

import pytest

from tests.graphql_api.stream_client import CHANGES, MOVES, move, narrow, position, positions_of, signed_in, to_and_fro
from tests.graphql_api.test_tasks import STATUS, task_id
from tests.streaming.support import until
from tests.support.api import Api


class TestOperations:
    async def test_several_subscriptions_on_one_socket(self, live: Api):
        """Both receive the event under their own ids; completing one keeps the other."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, "a")
            await listener.listen(CHANGES, "b")
            await move(live, task, "IN_PROGRESS", owner)
            assert {(await listener.socket.receive())["id"] for _ in range(2)} == {"a", "b"}

            await listener.socket.send(id="a", type="complete")
            await until(lambda: live.server.stream.subscribers == 1)
            await move(live, task, "DONE", owner)
            assert (await listener.receive("b"))["changes"] == ["STATUS"]
            await listener.lives()

    async def test_queries_and_mutations_use_the_same_socket(self, live: Api):
        """Each has one result; the event of the mutation arrives on the same socket."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        async with signed_in(live, owner) as listener:
            me = await listener.asked("{ me { username } }", "q")
            assert me["payload"]["data"]["me"]["username"] == owner.username
            assert await listener.socket.receive() == {"id": "q", "type": "complete"}

            await listener.listen(MOVES, "s")
            await listener.socket.subscribe("m", STATUS, input={"id": task_id(task), "status": "DONE"})
            messages = [await listener.socket.receive() for _ in range(3)]

        kinds = {(each["id"], each["type"]) for each in messages}
        assert kinds == {("m", "next"), ("m", "complete"), ("s", "next")}

    async def test_an_anonymous_client_is_refused(self, live: Api):
        """The subscription ends with UNAUTHENTICATED, and the socket stays open."""
        async with signed_in(live, None) as listener:
            answer = await listener.asked(MOVES)

            assert answer["type"] == "error"
            assert [each["extensions"]["code"] for each in answer["payload"]] == ["UNAUTHENTICATED"]
            await listener.lives()

    async def test_a_slow_reader_gets_every_item(self, live: Api, monkeypatch: pytest.MonkeyPatch):
        """Hundreds of large frames that wait are delivered later, once and in order."""
        owner = await live.a_user()
        task = await live.build.a_task(owner, description="💥" * 10_000)
        query = "subscription { taskChanged { cursor task { description a: description b: description } } }"
        many = 100
        monkeypatch.setattr(live.server.stream, "_capacity", 16)
        async with signed_in(live, owner, compression=None, max_queue=1, sock=narrow(live)) as listener:
            await listener.listen(query)
            before = live.server.stream.counters.replays
            await to_and_fro(live, task, owner, many)
            items = [await listener.receive() for _ in range(many)]

        assert [position(item) for item in items] == await positions_of(live, task)
        assert live.server.stream.counters.replays > before
