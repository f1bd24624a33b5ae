"""One process of the API, wired as in production, between models of the database and the notifier."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from random import Random
from typing import Any, cast
from uuid import UUID

from graphql import ExecutionResult, OperationType

from asgi.client import Client
from asgi.errors import InvalidToken
from asgi.socket_writer import PUT, Put
from asgi.streaming_session import SessionConfig, StreamTiming
from asgi.websocket_handshake import HandshakeRequest
from domain.actor import Actor
from domain.errors import Unauthenticated
from domain.stream_cursor import StreamCursor
from graphql_api.auth.authenticator import Authenticator
from graphql_api.auth.tokens import Claims
from graphql_api.errors import describe
from graphql_api.execution.delivery import Group, SharedExecutions
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from graphql_api.resolvers.delivery import Delivery, current_answer
from graphql_api.resolvers.stream import SubscriptionSource
from graphql_api.schema.ids import decode_id_of
from graphql_api.schema.stream import ResyncRequired, TaskDeleted
from graphql_api.transports.websocket.config import WebSocketConfig
from graphql_api.transports.websocket.connection import WebSocketConnection
from graphql_api.transports.websocket.protocol import SUBPROTOCOL
from persistence.database import Database
from streaming.connections import Connections
from streaming.notifier import Notification, Notifier
from streaming.stream import Stream
from streaming.stream_items import Delivered
from streaming.subscription import Subscriber
from streaming.visibility import StreamFilter
from tests.simulation.database_model import Table
from tests.simulation.line import Line
from tests.simulation.loop import Machine, VirtualLoop
from tests.simulation.rows_model import FOREVER, Session

TIMING = StreamTiming(first_message=2.0, ping=0.5, send=1.5)


@dataclass(frozen=True)
class StreamRequest:
    """What a client listens to."""

    filter: StreamFilter | None
    only_status: bool


class Notifiers:
    """The channel between processes: it loses, delays, duplicates and reorders notifications, or is silent."""

    def __init__(self, loop: VirtualLoop, chance: Random, hurt: float) -> None:
        self._loop = loop
        self._chance = chance
        self._hurt = hurt
        self.silent = False
        self.hung: list[FakeNotifier] = []

    def ring(self, notification: Notification) -> None:
        """Publish a notification, or drop it."""
        for notifier in self.hung:
            for _ in range(self._copies()):
                self._loop.call_later(self._delay(), notifier.receive, notification, context=notifier.machine.context)

    def confirm(self) -> None:
        """Every subscription stands anew."""
        for notifier in self.hung:
            self._loop.on(notifier.machine, notifier.on_confirmed)

    def _copies(self) -> int:
        if self.silent:
            return 0
        return self._chance.choice((0, 1, 2)) if self._chance.random() < self._hurt else 1

    def _delay(self) -> float:
        if self._chance.random() < self._hurt:
            return self._chance.uniform(0.0, 0.8)
        return self._chance.uniform(0.0002, 0.002)


class FakeNotifier:
    """The subscription of a process to the channel."""

    def __init__(self, notifiers: Notifiers, machine: Machine) -> None:
        self._notifiers = notifiers
        self.machine = machine
        self.healthy = True
        self.on_confirmed: Callable[[], None] = lambda: None

    async def start(self, on_notification: Callable[[Notification], None], on_confirmed: Callable[[], None]) -> None:
        """Listen."""
        self.receive, self.on_confirmed = on_notification, on_confirmed
        self._notifiers.hung.append(self)
        on_confirmed()

    async def stop(self) -> None:
        """Do not."""

    def publish(self, notification: Notification) -> None:
        """Send it to all processes."""
        self._notifiers.ring(notification)


class Tokens:
    """A token is the name of its session."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, token: str, now: object) -> Claims:
        """Read the message."""
        session = self._table.sessions.get(UUID(token))
        if session is None:
            raise InvalidToken
        return Claims(session.user.id, session.id, session.id, FOREVER)


class Context:
    """One operation."""

    def __init__(self, process: "Process", actor: Actor, request_id: str) -> None:
        self.backend = process
        self.actor = actor
        self.request_id = request_id
        self.subscriber: Subscriber | None = None


@dataclass(frozen=True)
class Operation:
    """A subscription; *request* carries the client's name instead of a document."""

    request: OperationRequest
    type: OperationType = OperationType.SUBSCRIPTION


@dataclass(frozen=True)
class Seen:
    """An item with the task in it."""

    cursor: str
    task_id: str
    version: int | None
    in_project: bool
    viewer_role: str | None


class Execution:
    """Replaces GraphQL: one response per item, shared by equal viewpoints."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._group = Group(SharedExecutions(cast("Any", None)), "changes", personal=False)

    async def prepare(
        self, request: OperationRequest, *, request_id: str, headers: Mapping[bytes, bytes], actor: Actor | None = None
    ) -> Operation:
        """Accept everything."""
        return Operation(request)

    async def stream(
        self, operation: Operation, context: Context, at_once: Callable[[Response], bool]
    ) -> AsyncGenerator[Response, None]:
        """The responses of the one kind of subscription."""
        name, variables = operation.request.query, operation.request.variables
        stream_request = self._process.stream_requests[name]
        context.subscriber = subscriber = self._process.stream.subscribe(
            context.actor, stream_request.filter, variables.get("after"), only_status=stream_request.only_status
        )
        self._process.on_listening(name)
        try:
            async with aclosing(SubscriptionSource(cast("Any", context), subscriber, cast("Any", _seen))) as deliveries:
                deliveries.deliver_directly(DirectSender(self._group, self._execution_of, context, at_once))
                async for delivery in deliveries:
                    yield await self._answer(delivery, context)
        except Unauthenticated as error:
            yield Response({"errors": [describe(error, request_id=context.request_id)]})

    async def _answer(self, delivery: Delivery, context: Context) -> Response:
        async def answer(delivery: Delivery) -> Response:
            execution = self._execution_of(delivery, context)
            return await self._group.response(delivery, execution, context.request_id)

        return await current_answer(delivery, answer)

    def _execution_of(self, delivery: Delivery, context: Context) -> Callable[[], Awaitable[ExecutionResult]]:
        async def execute() -> ExecutionResult:
            await self._process.line.pause()  # what else an operation selects has to be loaded
            return ExecutionResult(_fields(delivery.make(), context.actor), None)

        return execute


class DirectSender:
    """Delivers to one client without waking its task."""

    def __init__(
        self,
        group: Group,
        execution_of: Callable[[Delivery, Context], Callable[[], Awaitable[ExecutionResult]]],
        context: Context,
        send: Callable[[Response], bool],
    ) -> None:
        self.sharing_key = group.sharing_key
        self.send = send
        self._group = group
        self._execution_of = execution_of
        self._context = context

    def get_or_execute(self, delivery: Delivery) -> Any:
        """The answer, or what is under way to it."""
        if delivery.viewpoint is None:
            return None
        return self._group.get_or_execute(
            delivery, self._execution_of(delivery, self._context), self._context.request_id
        )


def _seen(delivered: Delivered, task: Any) -> Seen:
    task_id = str(delivered.task_event.task_id)
    if task is None:
        return Seen(delivered.cursor, task_id, None, in_project=False, viewer_role=None)
    row = task.row
    return Seen(delivered.cursor, task_id, row.version, row.project_id is not None, row.viewer_role)


def _fields(item: Any, actor: Actor) -> dict[str, Any]:
    """What a client selects."""
    cursor = StreamCursor.decode(item.cursor)
    fields = {"cursor": item.cursor, "role": actor.role.value, "rights": cursor.access_version}
    match item:
        case ResyncRequired():
            return {"kind": "RESYNC", "reason": item.reason.value, **fields}
        case Seen():
            member = {"project_role": item.viewer_role} if item.in_project else {}
            task = {"task": item.task_id, "version": item.version}
            return {"kind": "SEEN", "position": cursor.position} | task | member | fields
    kind = "DELETED" if isinstance(item, TaskDeleted) else "GONE"
    return {
        "kind": kind,
        "position": cursor.position,
        "task": str(decode_id_of("Task", item.task_id, field="taskId")),
    } | fields


class Process:
    """A process with real parts, except for the network, the database, Redis and GraphQL."""

    shared = True

    def __init__(
        self,
        name: str,
        loop: VirtualLoop,
        table: Table,
        notifiers: Notifiers,
        chance: Random,
        *,
        queue_size: int,
        sluggish: float,
    ) -> None:
        self.name = name
        self.machine = Machine(name)
        self.line = Line(loop, table, chance, self.machine, sluggish)
        self.stream_requests: dict[str, StreamRequest] = {}
        self.on_listening: Callable[[str], None] = lambda name: None
        self.open = False
        self.machine.context.run(self._build, loop, table, notifiers, queue_size)

    def _build(self, loop: VirtualLoop, table: Table, notifiers: Notifiers, queue_size: int) -> None:
        self.database = cast("Database", self.line)
        notifier = cast("Notifier", FakeNotifier(notifiers, self.machine))
        self.stream = Stream(self.database, notifier, clock=loop.time, capacity=queue_size)
        self.connections = Connections()
        self.access = Authenticator(self.database, cast("Any", Tokens(table)), self.stream)
        self.stream.on_access(self.connections.close_affected)
        self.stream.on_break(self.connections.close_everyone)
        self.setup: WebSocketConfig[Any] = WebSocketConfig(
            executor=cast("Any", Execution(self)),
            make_context=lambda facts: Context(self, facts.identity.actor, facts.request_id),  # type: ignore[union-attr]
            session=SessionConfig(self.connections, self.access.authenticate, TIMING),
            cursor_of=lambda context: context.subscriber.cursor if context.subscriber is not None else None,
        )

    async def start(self) -> None:
        """Begin to watch the log, then let clients in."""
        await self.stream.start()
        self.open = True

    def converse(self, receive: Any, send: Any, put: Put) -> Any:
        """Serve a socket."""
        scope = {"type": "websocket", "headers": [], "extensions": {PUT: put}}
        upgrade = HandshakeRequest(Client("127.0.0.1", None), secure=False, scope=scope)
        return WebSocketConnection(self.setup, upgrade, SUBPROTOCOL, receive, send).run()

    async def vouches_for(self, session: Session) -> Actor | None:
        """The identity that a request with this session's token would have."""
        identity = await self.access.authenticate(f"Bearer {session.id}")
        return identity.actor if identity is not None else None
