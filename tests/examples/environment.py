"""A server that can be restarted, behind a wire that can be cut."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import httpx

from asgi.streaming_session import StreamTiming
from domain.stream_cursor import StreamCursor
from domain.task import TaskStatus
from persistence.models import SessionRow, TaskRow, UserRow
from server.app import Server
from services import task as task_service
from tests.examples.proxy import Proxy
from tests.support.api_server import settings_of
from tests.support.builders import Builders
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS

TIMING = StreamTiming(ping=0.5)
PASSES = (TaskStatus.IN_PROGRESS, TaskStatus.TODO)


class Stage:
    """A server and the proxy in front of it."""

    def __init__(self, database_url: str, redis_url: str, proxy: Proxy) -> None:
        self._settings = settings_of(database_url, redis_url)
        self._running: AsyncExitStack | None = None
        self.proxy = proxy
        self.moves: list[str] = []

    @property
    def url(self) -> str:
        """The URL of the proxy, whatever server is behind it."""
        return f"http://127.0.0.1:{self.proxy.port}/graphql"

    async def start(self) -> None:
        """Serve, on another port than before."""
        self.server = Server(self._settings, timing=TIMING)
        await self.server.start()
        self.build = Builders(self.server.database)
        self._running = AsyncExitStack()
        url = await self._running.enter_async_context(serving(self.server.asgi()))
        self.proxy.target = httpx.URL(url).port

    async def stop(self) -> None:
        """Stop the server: sockets are closed, and new connections fail."""
        assert self._running is not None
        self.proxy.target = None
        await self.server.connections.drain(0.0)
        await self._running.aclose()
        await self.server.stop()

    async def cast(self) -> None:
        """A signed-in user with a task."""
        self.user: UserRow = await self.build.a_user()
        self.task: TaskRow = await self.build.a_task(self.user)
        await self.sign_in()

    async def sign_in(self) -> None:
        """Begin a new session."""
        self.session: SessionRow = await self.build.a_session(self.user)

    def token(self) -> str:
        """An access token of the session."""
        return self.server.tokens.issue(self.user.id, self.session.id, datetime.now(UTC)).token

    async def move(self, times: int = 1) -> None:
        """Move the task on the board."""
        for _ in range(times):
            status = PASSES[len(self.moves) % 2]
            await task_service.update_task_status(self.build.as_(self.user), task_id=self.task.id, status=status)
            self.moves.append(status.value)

    async def connected(self) -> None:
        """Wait until a client listens."""
        async with asyncio.timeout(HANG_SECONDS):
            while not self.server.stream.subscribers:
                await asyncio.sleep(0.01)

    async def cursor(self) -> str:
        """The stream cursor of the user, from a list."""
        async with self.build.as_(self.user) as uow:
            head = await uow.events.head()
        return StreamCursor(head.epoch, head.position, self.user.access_version).encode()
