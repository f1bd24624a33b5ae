"""The ways in which a request reaches the API, each with the bytes of the response."""

from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from tests.probes import answers
from tests.probes.operation import Document, Operation, Request, RestRequest
from tests.probes.scene import Scene
from tests.probes.sockets import Sockets
from tests.probes.things import Person
from tests.probes.wire import Connection


@dataclass(frozen=True)
class Reply:
    """A response: its bytes, and the decoded body of GraphQL or the status of REST."""

    raw: bytes
    body: dict[str, Any] | None = None
    status: int = 0
    rest_body: bytes = b""

    def answer(self, operation: Operation, scene: Scene) -> str:
        """What it says."""
        if self.body is not None:
            return answers.of_graphql(self.body, operation, scene)
        return answers.of_rest(self.status, self.rest_body, operation, scene)


class EntryPoint(Protocol):
    """One way."""

    @property
    def name(self) -> str:
        """Its name in the table."""

    async def send(self, request: Request, person: Person) -> Reply:
        """Send a request as a person."""


@dataclass(frozen=True)
class Http:
    """GraphQL over HTTP."""

    name: str
    connection: Connection

    async def send(self, request: Request, person: Person) -> Reply:
        """Send an operation."""
        assert isinstance(request, Document)
        response = await self.connection.request("POST", "/graphql", _signed(person), _json(request))
        return Reply(response.raw, orjson.loads(response.body))


@dataclass(frozen=True)
class ServerSentEvents:
    """GraphQL over Server-Sent Events, for operations with one result."""

    name: str
    connection: Connection

    async def send(self, request: Request, person: Person) -> Reply:
        """Send an operation."""
        assert isinstance(request, Document)
        headers = _signed(person) | {"accept": "text/event-stream"}
        response = await self.connection.request("POST", "/graphql", headers, _json(request))
        data = next(line for line in response.body.split(b"\n") if line.startswith(b"data: "))
        return Reply(response.raw, orjson.loads(data.removeprefix(b"data: ")))


@dataclass(frozen=True)
class WebSocket:
    """GraphQL over a WebSocket."""

    name: str
    sockets: Sockets

    async def send(self, request: Request, person: Person) -> Reply:
        """Send an operation."""
        assert isinstance(request, Document)
        socket = await self.sockets.of(person)
        frames = await socket.result(request.text, request.variables)
        message = orjson.loads(frames[0])
        errors = message["type"] == "error"
        body = {"errors": message["payload"]} if errors else message["payload"]
        return Reply(b"\n".join(frames), body)


@dataclass(frozen=True)
class Rest:
    """The REST API."""

    name: str
    connection: Connection

    async def send(self, request: Request, person: Person) -> Reply:
        """Send a request."""
        assert isinstance(request, RestRequest)
        body = orjson.dumps(request.body) if request.body is not None else None
        headers = _signed(person) | dict(request.headers)
        response = await self.connection.request(request.method, f"/api/v1{request.path}", headers, body)
        return Reply(response.raw, status=response.status, rest_body=response.body)


def _signed(person: Person) -> dict[str, str]:
    return {"authorization": f"Bearer {person.token}"}


def _json(request: Document) -> bytes:
    return orjson.dumps({"query": request.text, "variables": request.variables})
