"""Sends the requests of a table, and describes each response in one line."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
TEXT = {"content-type": "text/plain"}
EVENTS = JSON | {"accept": "text/event-stream"}
FOREIGN = {"origin": "https://evil.example"}

_MOST_SHOWN = 100


@dataclass(frozen=True)
class Post:
    """A GraphQL document, sent as JSON; *by* is the token that goes along."""

    query: str
    variables: dict[str, Any] | None = None
    by: str | None = "<token>"
    operation_name: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    path: str = "/graphql"

    def send(self) -> "Send":
        """The request that this is."""
        body = {"query": self.query, "variables": self.variables, "operationName": self.operation_name}
        return Send("POST", self.path, json.dumps(body), self.headers, by=self.by)


@dataclass(frozen=True)
class Send:
    """A request; *by* is its token, or the whole `Authorization` if it has a space."""

    method: str
    path: str
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    by: str | None = "<token>"


@dataclass(frozen=True)
class Talk:
    """A socket and its frames: objects as JSON, strings as text frames, bytes as binary frames."""

    frames: tuple[dict[str, Any] | str | bytes, ...] = ()
    path: str = "/graphql"
    subprotocol: str | None = "graphql-transport-ws"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MistakenClient:
    """Where to send it, and what stands for the names in angle brackets: tokens, ids, cursors."""

    url: str
    client: httpx.AsyncClient
    names: Mapping[str, str]

    async def does(self, mistake: Post | Send | Talk) -> str:
        """Status or close code and message; of other responses the beginning."""
        if isinstance(mistake, Talk):
            return self._blanked("; ".join(await self._talk(mistake)))
        return await self._send(mistake.send() if isinstance(mistake, Post) else mistake)

    async def _send(self, what: Send) -> str:
        headers = dict(what.headers)
        if what.by is not None:
            headers["authorization"] = what.by if " " in what.by else f"Bearer {what.by}"
        answer = await self.client.request(
            what.method,
            self.url + self._filled(what.path),
            content=None if what.body is None else self._filled(what.body),
            headers={name: self._filled(value) for name, value in headers.items()},
        )
        return self._blanked(f"{answer.status_code} {_words(answer.text)}")

    async def _talk(self, talk: Talk) -> list[str]:
        try:
            async with websockets.connect(
                self._filled(self.url.replace("http", "ws", 1) + talk.path),
                subprotocols=[websockets.Subprotocol(talk.subprotocol)] if talk.subprotocol else None,
                additional_headers={name: self._filled(value) for name, value in talk.headers.items()},
                ping_interval=None,
            ) as socket:
                for each in talk.frames:
                    text = json.dumps(each) if isinstance(each, dict) else each
                    await socket.send(self._filled(text) if isinstance(text, str) else text)
                received: list[str] = []
                with suppress(ConnectionClosed):
                    while not received:
                        received += _response(json.loads(await socket.recv()))
                # Where an error ends the socket, its close says so, too; where it does not, nothing follows.
                return received or [f"{socket.close_code} {socket.close_reason}"]
        except InvalidStatus as refused:
            return [f"{refused.response.status_code} {refused.response.body.decode().strip()}"]

    def _filled(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(name, value)
        return text

    def _blanked(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(value, name)
        return text


def _words(text: str) -> str:
    """The messages of a response's body; of an event stream those of its first event."""
    if "\ndata: " in text:
        text = text.partition("data: ")[2].partition("\n")[0]
    try:
        return _messages(json.loads(text))
    except ValueError:
        return text[:_MOST_SHOWN]


def _response(message: dict[str, Any]) -> list[str]:
    match message["type"]:
        case "error" if "payload" in message:
            return [f"error {_messages({'errors': message['payload']})}"]
        case "error":
            return [f"error {message['code']}: {message['message']}"]
        case "next":
            return [f"next {_messages(message['payload'])}"]
    return []


def _messages(body: Any) -> str:
    match body:
        case {"errors": list(errors)}:
            return " / ".join(f"{each['extensions']['code']}: {each['message']}" for each in errors)
        case {"detail": str(detail)}:
            return detail
        case {"details": list(problems)}:
            return " / ".join(f"{each['field']}: {each['message']}" for each in problems)
        case {"data": dict(data)} if refusals := _refusals(data):
            return " / ".join(f"{each['code']}: {each['message']}" for each in refusals)
    return json.dumps(body)[:_MOST_SHOWN]


def _refusals(data: dict[str, Any]) -> list[dict[str, str]]:
    return [each for answer in data.values() if isinstance(answer, dict) for each in answer.get("userErrors", ())]
