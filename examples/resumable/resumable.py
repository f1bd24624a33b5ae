"""Subscriptions that survive whatever happens to their sockets: copy this file beside your own.

Needs gql[websockets] 4.4.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from graphql import ExecutionResult
from websockets.exceptions import ConnectionClosed

Item = dict[str, Any]
PING = ".Ping"
FORBIDDEN = 4403
FATAL = {1002, 1003, 1008, 1009, 1011, 4400, 4401, 4406, 4409, 4429}
REMEMBERED = 2_000
"""How many cursors are remembered, so that nothing is handed over twice."""


class Place:
    """Where a subscription stands: `variables` is what to ask with the next time."""

    def __init__(self, variables: dict[str, Any] | None) -> None:
        self.variables = {"after": None} | (variables or {})
        self._seen: dict[str, None] = {}

    def begin(self, cursor: str) -> None:
        """Go on from somewhere else: what comes from there is news, whatever was seen."""
        self.variables["after"] = cursor
        self._seen.clear()

    def note(self, cursor: str) -> bool:
        """Whether the cursor is new; if so it is where the subscription stands now."""
        if cursor in self._seen:
            return False
        self.variables["after"] = cursor
        self._seen[cursor] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True


async def listen(
    url: str,
    query: str,
    *,
    access_token: Callable[[bool], Awaitable[str]],
    variables: dict[str, Any] | None = None,
    on_resync: Callable[[Item], Awaitable[str | None]] | None = None,
    silence: float = 45.0,
    longest_pause: float = 10.0,
) -> AsyncGenerator[Item, None]:
    """Every item of a subscription once, in order, across any number of connections.

    The subscription has a variable `$after: String` and selects `__typename cursor` in its one root field, whose
    value is an item. *access_token* gives a token, a new one if its argument is true: the last was not accepted any
    more. *on_resync* is called when what came before is lost: read your lists again, and return the `streamCursor`
    that came with them. *silence*, in seconds without a message, is when a socket is given up (the server pings
    every 12 seconds), *longest_pause* how long to wait at most before coming back.

    Raises:
        TransportError: coming back would not help.
    """
    place, refresh, failures = Place(variables), False, 0
    while True:
        try:
            transport = _transport(url, await access_token(refresh), silence)
            async with aclosing(_items(transport, query, place)) as items:
                async for item in items:
                    failures, refresh = 0, False
                    if item.get("__typename") != "ResyncRequired":
                        yield item
                    elif on_resync is not None and (cursor := await on_resync(item)) is not None:
                        place.begin(cursor)
                        break
                else:
                    return  # the server says that there is no more
        except (TransportError, OSError, TimeoutError) as error:
            refresh = _wants_refresh(error)
        await asyncio.sleep(random.uniform(0, min(longest_pause, 0.5 * 2**failures)))  # noqa: S311 - jitter
        failures = min(failures + 1, 10)


async def _items(transport: "Transport", query: str, place: Place) -> AsyncGenerator[Item, None]:
    """The items of one connection that were not seen on another one."""
    request = GraphQLRequest(query, variable_values=place.variables)
    async with Client(transport=transport) as session, aclosing(session.subscribe(request)) as results:
        async for result in results:
            [item] = result.values()
            if place.note(item["cursor"]) and item.get("__typename") != PING:
                yield item


class Transport(WebsocketsTransport):
    """Passes on the cursors of pings, in order with the items, for subscriptions without items."""

    async def _handle_answer(self, kind: str, query_id: int | None, result: ExecutionResult | None) -> None:
        with suppress(TransportError):  # a pong that finds no socket: the listeners know already
            await super()._handle_answer(kind, query_id, result)
        if kind == "ping":
            for name, cursor in ((self.payloads["ping"] or {}).get("cursors") or {}).items():
                answer = ExecutionResult({"ping": {"__typename": PING, "cursor": cursor}}, None)
                if (listener := self.listeners.get(int(name))) is not None:
                    await listener.put(("data", answer))


def _transport(url: str, token: str, silence: float) -> Transport:
    return Transport(
        url,
        init_payload={"authorization": f"Bearer {token}"},
        subprotocols=["graphql-transport-ws"],
        keep_alive_timeout=silence,
        close_timeout=1,
        connect_args={"close_timeout": 1},
    )


def _wants_refresh(error: Exception) -> bool:
    """Whether to come back with a new token; raises the error again if coming back would not help."""
    if isinstance(error, TransportQueryError):
        first = (error.errors or [{}])[0]
        if (first.get("extensions") or {}).get("code") != "UNAUTHENTICATED":
            raise error
        return True
    code = _close_code(error)
    if code in FATAL:
        raise error
    return code == FORBIDDEN


def _close_code(error: BaseException | None) -> int | None:
    """The code with which the server closed the socket, if that is what is behind the error."""
    while error is not None and not isinstance(error, ConnectionClosed):
        error = error.__cause__
    return error.rcvd.code if error is not None and error.rcvd is not None else None
