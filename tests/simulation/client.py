"""A correct client: it resumes with its cursor, and caches what it received."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from domain.actor import Actor
from domain.errors import Failure, Unauthenticated
from domain.stream_cursor import StreamCursor
from tests.simulation.process import Process, StreamRequest
from tests.simulation.rows_model import Session, User, sees

if TYPE_CHECKING:
    from tests.simulation.world import World

FORBIDDEN = 4403
CUT = 1006


@dataclass(frozen=True)
class Temper:
    """How a client and its network are: seconds a frame takes to be read, how many may be under way, and patience."""

    pace: float
    window: int
    patience: float
    keeps: bool


class Wire:
    """One socket: frames take a while, a slow reader slows the writer, and it may be cut at either end."""

    def __init__(self, world: "World", client: "Client", process: Process, session: Session) -> None:
        self._world = world
        self._loop = world.loop
        self._client = client
        self.process = process
        self.session = session
        self.code: asyncio.Future[int] = self._loop.create_future()
        self.last = 0
        self.received_at = self._loop.now
        self.resync: int | None = None
        self._inbox: deque[dict[str, Any]] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._queue_size: asyncio.Future[None] | None = None
        self._unread = 0
        self._arrival = 0.0
        self._cut = False

    @property
    def is_slow(self) -> bool:
        """Whether the server may have to wait before it can write."""
        return self._client.temper.pace > 0

    async def receive(self) -> dict[str, Any]:
        """What the server reads next."""
        while not self._inbox:
            self._waiting = self._loop.create_future()
            await self._waiting
        return self._inbox.popleft()

    async def send(self, message: dict[str, Any]) -> None:
        """The server writes; returns when there is space."""
        self._leave(message)
        while self._unread >= self._client.temper.window:
            self._queue_size = self._loop.create_future()
            await self._queue_size

    def put(self, text: str) -> bool:
        """The server writes without waiting, if there is space."""
        if self._cut or self._unread >= self._client.temper.window or self._client.is_unlucky():
            return False
        self._world.at_once += 1
        self._leave({"type": "websocket.send", "text": text})
        return True

    def _leave(self, message: dict[str, Any]) -> None:
        if not (self._cut or self._world.over):
            self._world.checks.sent(self, message)
        self._world.frames += 1
        self._unread += 1
        self._arrival = max(self._arrival + self._client.temper.pace, self._loop.now + self._client.delay())
        context = self._world.people.context
        self._loop.call_at(self._arrival, self._arrive, message, context=context)

    def say(self, **message: Any) -> None:
        """The client writes."""
        text = orjson.dumps(message).decode()
        self._loop.call_later(self._client.delay(), self._put, {"type": "websocket.receive", "text": text})

    def sever(self, *, server_receives: bool) -> None:
        """Cut it: the client knows; the server does, or finds out by itself."""
        if self._cut:
            return
        self._cut = True
        self._end(CUT)
        if server_receives:
            self._loop.call_later(self._client.delay(), self._put, {"type": "websocket.disconnect"})

    def _put(self, message: dict[str, Any]) -> None:
        self._inbox.append(message)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _arrive(self, message: dict[str, Any]) -> None:
        if self._cut:
            return
        self._unread -= 1
        if self._queue_size is not None and not self._queue_size.done():
            self._queue_size.set_result(None)
        self.received_at = self._loop.now
        if message["type"] == "websocket.send":
            self._client.read(self, orjson.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self._cut = True
            self._end(message["code"])

    def _end(self, code: int) -> None:
        if not self.code.done():
            self.code.set_result(code)


class Client:
    """A subscriber that connects to one process after another."""

    def __init__(
        self,
        world: "World",
        name: str,
        user: User,
        stream_request: StreamRequest,
        temper: Temper,
        chance: Random,
        session: Session,
    ) -> None:
        self._world = world
        self._loop = world.loop
        self._chance = chance
        self.name = name
        self.user = user
        self.stream_request = stream_request
        self.temper = temper
        self.session = session
        self.wire: Wire | None = None
        self.cursor: StreamCursor | None = None
        self.forged = False
        self.since: float | None = None  # listening without a cursor
        self.base: StreamCursor | None = None  # everything after it must be received
        self.received: dict[int, str] = {}
        self.cache: dict[UUID, int] = {}
        self.loaded = not temper.keeps

    def delay(self) -> float:
        """Seconds on the network."""
        return self._chance.uniform(0.0005, 0.003)

    def is_unlucky(self) -> bool:
        """Sometimes the server must wait before it can write."""
        return self._chance.random() < 0.1

    async def run(self) -> None:
        """Live: connect, listen, and come back."""
        while True:
            process = await self._address()
            await self._sign_in()
            if self.temper.keeps and self.cursor is None:
                await self._load(process)
            else:
                code = await self._listen(process)
                self._world.say(f"{self.name} is cut from {process.name}: {code}")
            await asyncio.sleep(self._chance.uniform(0.005, 0.1))

    async def _address(self) -> Process:
        while not (processes := self._world.open_processes()):
            await asyncio.sleep(0.02)
        return self._chance.choice(processes)

    async def _sign_in(self) -> None:
        while self.session.ended is not None:
            await asyncio.sleep(0.05)
            session = self._world.table.sign_in(self.user)
            if session is not None:
                self.session = session

    async def _listen(self, process: Process) -> int:
        wire = self.wire = Wire(self._world, self, process, self.session)
        self._world.say(f"{self.name} connects to {process.name} as {self.user.name}/{self.user.version}")
        self._loop.call_later(self.delay(), self._open, wire)
        wire.say(type="connection_init", payload={"token": str(self.session.id)})
        while not wire.code.done():
            patience = wire.received_at + self.temper.patience - self._loop.now
            if patience <= 0:
                wire.sever(server_receives=self._chance.random() < 0.5)
            await asyncio.wait([wire.code], timeout=max(0.01, patience))
        self.wire = None
        return wire.code.result()

    def _open(self, wire: Wire) -> None:
        if wire.process.machine.dead:
            wire.sever(server_receives=False)
        else:
            self._loop.spawn(wire.process.machine, wire.process.converse(wire.receive, wire.send, wire.put))

    def read(self, wire: Wire, message: dict[str, Any]) -> None:
        """A frame has arrived."""
        match message["type"]:
            case "connection_ack":
                after = self.cursor.encode() if self.cursor is not None else None
                self._world.say(f"{self.name} subscribes after {self.cursor and self.cursor.position}")
                wire.say(id="1", type="subscribe", payload={"query": self.name, "variables": {"after": after}})
            case "ping":
                for cursor in (message.get("payload") or {}).get("cursors", {}).values():
                    self._note(cursor)
                wire.say(type="pong")
            case "next":
                self._receive(wire, message["payload"]["data"])
            case "error" | "complete":
                self._world.checks.ended(message)
                wire.sever(server_receives=True)

    def _note(self, cursor: str) -> None:
        stood, self.cursor = self.cursor, StreamCursor.decode(cursor)
        if stood is not None:
            self._world.checks.moved(self, stood, self.cursor)

    def _receive(self, wire: Wire, data: dict[str, Any]) -> None:
        self._world.say(f"{self.name} receives {data['kind']} {data.get('position', data.get('reason'))}")
        self._world.checks.received(self, wire, data)
        if data["kind"] == "RESYNC":
            self.cursor = StreamCursor.decode(data["cursor"])
            self._begin_anew(wire)
        else:
            self._note(data["cursor"])
            self.received[data["position"]] = data["kind"]
            self._keep(data)

    def _begin_anew(self, wire: Wire) -> None:
        self.base, self.since = self.cursor, None
        self.received.clear()
        if self.temper.keeps:
            # The lists may be answered by a process that knows of older rights than this one: only their own cursor
            # says so, and is what to go on from.
            self.loaded, self.cursor = False, None
            wire.sever(server_receives=True)

    def _keep(self, data: dict[str, Any]) -> None:
        if not self.temper.keeps:
            return
        task_id = UUID(data["task"])
        if data["kind"] == "SEEN" and data["version"] is not None:
            self.cache[task_id] = max(data["version"], self.cache.get(task_id, 0))
        else:
            self.cache.pop(task_id, None)

    async def _load(self, process: Process) -> None:
        """Read the list, and where the stream stood."""
        answer = await self.ask(process, lambda: self._world.list_tasks(process, self.session))
        if answer is None:
            return
        self.cursor, self.cache = answer
        self.base, self.since, self.loaded = self.cursor, None, True
        self.received.clear()

    async def ask(self, process: Process, work: Callable[[], Awaitable[Any]]) -> Any:
        """What a request is answered; None if it is not, or refused."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._loop.call_later(self.delay(), lambda: self._loop.spawn(process.machine, self._serve(work, answer)))
        await asyncio.wait([answer], timeout=2.0)
        return answer.result() if answer.done() else None

    async def _serve(self, work: Callable[[], Awaitable[Any]], answer: asyncio.Future[Any]) -> None:
        try:
            result = await work()
        except (Unauthenticated, Failure):
            result = None
        self._loop.call_later(self.delay(), _answered, answer, result, context=self._world.people.context)

    def sees(self, actor: Actor) -> dict[UUID, int]:
        """What its cache should be."""
        tasks = [versions[-1] for versions in self._world.table.tasks.values()]
        roles = self._world.table.projects.roles(actor.user_id)
        return {each.id: each.version for each in tasks if sees(actor.role, actor.user_id, each.people, roles)}


def _answered(answer: asyncio.Future[Any], result: object) -> None:
    if not answer.done():
        answer.set_result(result)
