"""A subscriber that reconnects and continues after every loss of the connection."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Final, Protocol
from uuid import UUID

from domain.stream_cursor import StreamCursor
from verification.client.account import Account
from verification.client.failures import NEWER_SERVER, Away, Ended, Failed, Refused, Unreachable
from verification.client.http import Api
from verification.client.lists import read_cursor, read_tasks
from verification.client.reading import ITEM, cursor_of, item_of
from verification.client.socket import Socket, opened
from verification.history import Item, ItemKind, Listener, RecordedConnection, TaskFacts

CHANGES: Final = "taskChanged"
MOVES: Final = "taskStatusChanged"
_CHANGES: Final = f"subscription ($after: String) {{ it: {CHANGES}(after: $after) {{ {ITEM} }} }}"
_MOVES: Final = f"subscription ($after: String) {{ it: {MOVES}(after: $after) {{ {ITEM} }} }}"
_DOCUMENTS: Final = {CHANGES: _CHANGES, MOVES: _MOVES}

_FOR_GOOD: Final = {"UNAUTHENTICATED", "INVALID_CREDENTIALS", "FORBIDDEN", "BAD_REQUEST", NEWER_SERVER}
_UNAUTHENTICATED_CODES: Final = {4401, 4403}


class Observer(Protocol):
    """Receives the events of a follower."""

    def opened(self, after: StreamCursor, snapshot: tuple[TaskFacts, ...] | None, session_id: UUID | None) -> None:
        """A subscription was started."""

    def received(self, item: Item, raw: dict[str, Any]) -> None:
        """An item was received."""

    def lost(self, error: Failed) -> None:
        """The connection was lost; the follower reconnects."""


class Recorder:
    """An observer that records everything for the check."""

    def __init__(self, listener: Listener, clock: Callable[[], float]) -> None:
        self.listener = listener
        self.losses: list[str] = []
        self._clock = clock

    @property
    def position(self) -> int:
        """The last position that was received; -1 before the first connection."""
        for connection in reversed(self.listener.connections):
            return connection.items[-1].cursor.position if connection.items else connection.after.position
        return -1

    def opened(self, after: StreamCursor, snapshot: tuple[TaskFacts, ...] | None, session_id: UUID | None) -> None:
        """Record another connection."""
        self.listener.connections.append(RecordedConnection(self._clock(), after, snapshot, session_id))

    def received(self, item: Item, raw: dict[str, Any]) -> None:
        """Record the item."""
        self.listener.connections[-1].items.append(item)

    def lost(self, error: Failed) -> None:
        """Record the reason."""
        self.losses.append(str(error))


class Follower:
    """Subscribes with one account; *api* returns the server for the next connection.

    It reads all tasks first and subscribes at their cursor. After a loss of the connection it continues at the last
    cursor. *search* limits the lists to the tasks that match it.
    """

    def __init__(
        self,
        account: Account,
        api: Callable[[], Api],
        observer: Observer,
        *,
        field: str = CHANGES,
        lists: bool = True,
        search: str | None = None,
        after: StreamCursor | None = None,
        longest_pause: float = 5.0,
        silence: float = 45.0,
    ) -> None:
        self._account = account
        self._api = api
        self._observer = observer
        self._query = _DOCUMENTS[field]
        self._lists = lists
        self._search = search
        self._cursor = after
        self._longest_pause = longest_pause
        self._silence = silence
        self._failures = 0
        self._rereads: set[asyncio.Task[None]] = set()
        self.socket: Socket | None = None
        self.reading = asyncio.Event()
        """While it is not set, nothing is read, like a slow consumer."""
        self.reading.set()

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            Refused: the server refuses permanently.
        """
        try:
            while True:
                await self._once()
                await asyncio.sleep(self._pause())
        finally:
            for task in self._rereads:
                task.cancel()

    async def reread(self) -> None:
        """Wait until all lists are read again after resyncs."""
        while self._rereads:
            await asyncio.wait(self._rereads)

    async def _once(self) -> None:
        try:
            await self._follow()
        except Ended as ended:
            if ended.code in _UNAUTHENTICATED_CODES:
                self._account.forget()
            self._observer.lost(ended)
        except Refused as refused:
            if not isinstance(refused, Away) and refused.code in _FOR_GOOD:
                raise
            self._observer.lost(refused)
        except Unreachable as error:
            self._observer.lost(error)
        finally:
            self.socket = None

    async def _follow(self) -> None:
        token = await self._account.token()
        snapshot = None
        if self._cursor is None and self._lists:
            cursor, snapshot = await read_tasks(self._account, self._search)
        elif self._cursor is None:
            cursor = await read_cursor(self._account)
        else:
            cursor = self._cursor
        async with opened(self._api().socket_url, token, silence=self._silence) as socket:
            self.socket = socket
            await socket.subscribe("1", self._query, {"after": cursor.encode()})
            self._cursor = cursor
            self._observer.opened(cursor, snapshot, self._account.session_id)
            try:
                await self._receive(socket)
            finally:
                self._read_ping_cursor(socket)

    async def _receive(self, socket: Socket) -> None:
        while True:
            payload = (await socket.receive())["payload"]
            await self.reading.wait()
            if payload.get("errors"):
                # The item is not accepted: after a reconnect with the same cursor it is delivered again.
                raise Unreachable(f"An item came with an error: {payload['errors'][0].get('message')}")
            self._failures = 0
            item = item_of(payload["data"]["it"])
            if item is None:
                continue
            self._cursor = item.cursor
            self._observer.received(item, payload["data"]["it"])
            if item.kind is ItemKind.RESYNC and self._lists:
                self._begin_reread(item)

    def _read_ping_cursor(self, socket: Socket) -> None:
        """The cursor of a ping may be further than that of the last item."""
        text = socket.cursors.get("1")
        if text is not None and self._cursor is not None:
            ping_cursor = cursor_of(text)
            if ping_cursor.epoch == self._cursor.epoch and ping_cursor.position > self._cursor.position:
                self._cursor = ping_cursor

    def _begin_reread(self, item: Item) -> None:
        task = asyncio.create_task(self._reread(item))
        self._rereads.add(task)
        task.add_done_callback(self._rereads.discard)

    async def _reread(self, item: Item) -> None:
        while item.snapshot is None:
            try:
                _, item.snapshot = await read_tasks(self._account, self._search)
            except Failed:
                await asyncio.sleep(0.1)

    def _pause(self) -> float:
        """Seconds until the next attempt: exponential backoff with jitter."""
        self._failures += 1
        longest = min(self._longest_pause, 0.1 * float(2 ** min(self._failures, 10)))
        return random.uniform(0.5, 1.0) * longest  # noqa: S311 - no secret
