"""Coming back to the stream: cursors, what they are worth, and how a client learns them."""

import asyncio
from collections.abc import Callable

import pytest

from asgi.streaming_session import StreamTiming
from domain.stream_cursor import StreamCursor
from tests.graphql_api.stream_client import (
    MOVES,
    Listener,
    move,
    position,
    positions_of,
    set_role,
    signed_in,
    stream_cursor,
    to_and_fro,
    until_asked,
)
from tests.graphql_api.test_tasks import task_id
from tests.streaming.support import until
from tests.support.api import Api
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import Socket, connected


class TestResume:
    async def test_repeated_disconnects_lose_nothing(self, live: Api):
        """Every status change is received once, with the cursor of the previous one."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        cursor = await stream_cursor(live, owner)
        received: list[int] = []
        writing = asyncio.create_task(to_and_fro(live, task, owner, 200))
        while len(received) < 200:
            async with signed_in(live, owner) as listener:
                await listener.listen(MOVES, after=cursor)
                for _ in range(min(30, 200 - len(received))):
                    item = await listener.receive()
                    cursor = item["cursor"]
                    received.append(position(item))
                listener.socket.connection.transport.abort()
        await writing

        assert received == await positions_of(live, task)

    async def test_a_list_and_its_cursor_leave_no_gap(self, live: Api):
        """A change between the list and the subscription is delivered."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        cursor = await stream_cursor(live, owner)
        await move(live, task, "DONE", owner)
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=cursor)

            assert (await listener.receive())["to"] == "DONE"

    async def test_pings_carry_cursors(self, live: Api):
        """A ping has the cursor of each subscription, from which it can be resumed."""
        owner, other = await live.a_user(), await live.a_user()
        noise, task = await live.build.a_task(other), await live.build.a_task(owner)
        usual, live.server.timing = live.server.timing, StreamTiming(ping=1.0)
        async with serving(live.server.asgi()) as url, connected(url) as impatient:
            live.server.timing = usual
            await impatient.init({"token": await live.token(owner)})
            await Listener(live, impatient).listen(MOVES, "mine")
            await move(live, noise, "DONE", other)
            [expected] = await positions_of(live, noise)
            cursor = await self._pinged(impatient, expected)
        await until(lambda: live.server.stream.subscribers == 0)
        await move(live, task, "DONE", owner)

        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=cursor)
            assert (await listener.receive())["taskId"] == task_id(task)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda here: StreamCursor("another", here.position, here.access_version), "EPOCH"),
            (lambda here: StreamCursor(here.epoch, here.position + 1_000_000, here.access_version), "FUTURE"),
            (lambda here: StreamCursor(here.epoch, here.position, here.access_version + 1), "ACCESS"),
        ],
    )
    async def test_an_unknown_cursor_gets_a_resync(
        self, live: Api, change: Callable[[StreamCursor], StreamCursor], reason: str
    ):
        """A forged, foreign or future cursor gets one ResyncRequired, and then the stream continues."""
        owner = await live.a_user()
        task = await live.build.a_task(owner)
        forged = change(StreamCursor.decode(await stream_cursor(live, owner))).encode()
        async with signed_in(live, owner) as listener:
            await listener.listen(MOVES, after=forged)
            resync = await listener.receive()
            await move(live, task, "DONE", owner)
            item = await listener.receive()

        assert (resync["__typename"], resync["reason"]) == ("ResyncRequired", reason)
        assert (resync["taskId"], resync["task"]) == (None, None)
        assert item["to"] == "DONE"
        assert position(item) > position(resync)

    async def test_a_cursor_of_another_role_is_a_resync(self, live: Api):
        """The visibility has changed."""
        user = await live.a_user()
        cursor = await stream_cursor(live, user)
        await set_role(live, user, "MODERATOR")
        await until_asked(live, user, "MODERATOR")
        async with signed_in(live, user) as listener:
            await listener.listen(MOVES, after=cursor)

            assert (await listener.receive())["reason"] == "ACCESS"

    @pytest.mark.parametrize("text", ["", "x", "💥", "A" * 10_000, "czEuYS4xLjE.", "\x00"])
    async def test_a_cursor_that_is_none(self, live: Api, text: str):
        """Text that is no cursor is a BAD_REQUEST of this operation; the socket lives."""
        async with signed_in(live, await live.a_user()) as listener:
            answer = await listener.asked(MOVES, after=text)

            assert (answer["type"], answer["id"]) == ("error", "1")
            assert answer["payload"][0]["extensions"]["code"] == "BAD_REQUEST"
            await listener.lives()

    async def _pinged(self, socket: Socket, expected: int) -> str:
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                message = await socket.receive()
                assert message["type"] == "ping", message
                await socket.send(type="pong")
                cursor: str = message["payload"]["cursors"]["mine"]
                if StreamCursor.decode(cursor).position >= expected:
                    return cursor
