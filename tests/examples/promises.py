"""The guarantees of every resumable client, with faults of connections and of the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import text

from services import session as session_service
from tests.examples.environment import TIMING, Stage
from tests.support.waiting import HANG_SECONDS

WATCH = """subscription ($after: String) { taskStatusChanged(after: $after) {
  __typename cursor ... on TaskStatusChanged { to } ... on ResyncRequired { reason } } }"""
SILENCE, LONGEST_PAUSE = 3.0, 0.2


class Listener:
    """Listens with a client, and records what it receives."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.received: list[str] = []
        self.refreshes: list[bool] = []
        self.resyncs: list[str] = []
        self.token: str | None = None
        self.after: str | None = None
        self.lists: str | None = None
        """The cursor that comes with the lists, when they are read again."""

    async def listen(self) -> None:
        """Until cancelled, or until coming back would not help."""
        raise NotImplementedError

    async def receives(self, what: list[str]) -> None:
        """Wait until it has received exactly these items."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_SECONDS):
                while len(self.received) < len(what):
                    await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert self.received == what, self.resyncs

    async def access_token(self, refresh: bool) -> str:
        """What the client asks for before it connects."""
        self.refreshes.append(refresh)
        if refresh:
            await self.stage.sign_in()
        return self.token or self.stage.token()


class Promises:
    """Each item comes once and in order. Subclasses name the client."""

    listener: type[Listener]

    @asynccontextmanager
    async def listening(self, stage: Stage, *, at_a_place: bool = True) -> AsyncIterator[Listener]:
        """A listener that listens, mostly from the cursor that came with its lists."""
        listener = self.listener(stage)
        listener.after = await stage.cursor() if at_a_place else None
        task = asyncio.create_task(listener.listen())
        await stage.connected()
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def test_cuts(self, stage: Stage):
        """Repeated disconnects: every move is received once and in order."""
        async with self.listening(stage) as listener:
            for _ in range(4):
                await stage.move(3)
                stage.proxy.cut()
                await stage.move(2)
            await listener.receives(stage.moves)

        assert stage.proxy.connections >= 2
        assert not any(listener.refreshes)

    async def test_a_stall_is_noticed(self, stage: Stage):
        """A wire that carries nothing is given up, and nothing of what was under way comes twice."""
        async with self.listening(stage) as listener:
            await stage.move(2)
            await listener.receives(stage.moves)
            stage.proxy.stall()
            await stage.move(2)
            await self.until(lambda: stage.proxy.connections >= 2)
            stage.proxy.flow()
            await listener.receives(stage.moves)

    async def test_a_restart(self, stage: Stage):
        """After a restart of the server the missed items are received."""
        async with self.listening(stage) as listener:
            await stage.move(2)
            await listener.receives(stage.moves)
            await stage.stop()
            await asyncio.sleep(0.3)
            await stage.start()
            await stage.move(3)
            await listener.receives(stage.moves)

    async def test_pings_give_a_cursor_before_the_first_item(self, stage: Stage):
        """A listener that began without a cursor and received no item loses nothing later."""
        async with self.listening(stage, at_a_place=False) as listener:
            await asyncio.sleep(4 * TIMING.ping)
            stage.proxy.target, target = None, stage.proxy.target
            stage.proxy.cut()
            await stage.move(3)
            stage.proxy.target = target
            await listener.receives(stage.moves)

    async def test_a_revoked_session_is_renewed(self, stage: Stage):
        """After 4403 it requests a new token, and continues from its cursor."""
        async with self.listening(stage) as listener:
            await stage.move(1)
            await listener.receives(stage.moves)
            await session_service.revoke_session(stage.build.as_(stage.user), session_id=stage.session.id)
            await self.until(lambda: True in listener.refreshes)
            await stage.move(2)
            await listener.receives(stage.moves)

    async def test_a_resync_is_reported_and_the_stream_continues(self, stage: Stage):
        """When the epoch changes, the application is informed, and later moves are received."""
        async with self.listening(stage) as listener:
            await stage.move(1)
            await listener.receives(stage.moves)
            await self.forget_history(stage)
            await self.until(lambda: listener.resyncs)
            await stage.move(1)
            await listener.receives(stage.moves)

        assert listener.resyncs == ["EPOCH"]

    async def test_lists_that_are_read_again_have_a_cursor(self, stage: Stage):
        """The stream continues from the cursor of the lists, though later events were delivered."""
        async with self.listening(stage) as listener:
            await stage.move(1)
            await listener.receives(stage.moves)
            stage.proxy.stall()
            await self.forget_history(stage)
            listener.lists = await stage.cursor()
            await stage.move(2)
            stage.proxy.flow()
            await self.until(lambda: listener.resyncs)
            await listener.receives(stage.moves)

    async def test_garbage_is_fatal(self, stage: Stage):
        """Closed with 4401 it does not come back."""
        listener = self.listener(stage)
        listener.token = "garbage"
        with pytest.raises(Exception, match=r"."):
            async with asyncio.timeout(HANG_SECONDS):
                await listener.listen()

        assert stage.proxy.connections == 1

    @staticmethod
    async def forget_history(stage: Stage) -> None:
        """Replace the history by another one, and wait until the server knows."""
        epoch = stage.server.stream.epoch
        async with stage.server.database.engine.begin() as connection:
            await connection.execute(text("UPDATE event_head SET epoch = gen_random_uuid()::text"))
        await Promises.until(lambda: stage.server.stream.epoch != epoch)

    @staticmethod
    async def until(condition: object) -> None:
        """Wait until something is true."""
        assert callable(condition)
        async with asyncio.timeout(HANG_SECONDS):
            while not condition():
                await asyncio.sleep(0.01)
