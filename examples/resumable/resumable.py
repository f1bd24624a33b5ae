"""Subscriptions that resume without a gap: copy this file beside your own.

Needs gql[websockets] 4.4.
"""

import asyncio
import logging
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
OnResync = Callable[[Item], Awaitable[str | None]]
PING = ".Ping"
RESYNC = "ResyncRequired"
FORBIDDEN = 4403
FATAL = {1002, 1003, 1008, 1009, 1011, 4400, 4401, 4406, 4409, 4429}
TEMPORARY = {"RATE_LIMITED", "UNAVAILABLE"}
"""Codes of refused operations that can succeed later."""
REMEMBERED = 2_000
"""How many cursors are remembered, so that no item is delivered twice."""
STABLE = 10.0
"""Seconds after which a connection is stable, so that the pauses start small again."""

log = logging.getLogger("resumable")


class Place:
    """Where a subscription stands: `variables` is what to subscribe with the next time."""

    def __init__(self, variables: dict[str, Any] | None) -> None:
        self.variables = {"after": None} | (variables or {})
        self._seen: dict[str, None] = {}

    def begin(self, cursor: str) -> None:
        """Continue from another place: what comes from there is new, whatever was received before."""
        self.variables["after"] = cursor
        self._seen.clear()

    def note(self, cursor: str) -> bool:
        """Whether the cursor is new; if so, the subscription continues after it."""
        if cursor in self._seen:
            return False
        self.variables["after"] = cursor
        self._seen[cursor] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True


class Pauses:
    """The pauses between connections. They grow until a connection was stable."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._failures = 0
        self._began = 0.0

    def begin(self) -> None:
        """A connection begins."""
        self._began = asyncio.get_running_loop().time()

    async def wait(self, retry_after: float = 0.0) -> None:
        """Wait before the next one, at least *retry_after* seconds. Half of a pause is random."""
        if asyncio.get_running_loop().time() - self._began >= STABLE:
            self._failures = 0
        longest = min(self._longest, 0.5 * 2**self._failures)
        self._failures = min(self._failures + 1, 20)
        await asyncio.sleep(max(retry_after, longest / 2) + random.uniform(0, longest / 2))  # noqa: S311 - jitter


async def listen(
    url: str,
    query: str,
    *,
    access_token: Callable[[bool], Awaitable[str]],
    variables: dict[str, Any] | None = None,
    on_resync: OnResync | None = None,
    silence: float = 45.0,
    longest_pause: float = 10.0,
) -> AsyncGenerator[Item, None]:
    """Every item of a subscription once, in order, across any number of connections.

    The subscription has a variable `$after: String` and selects `__typename cursor` in its one root field, whose
    value is an item. *access_token* gives a token, a new one if its argument is true: the last one is not accepted any
    more. *on_resync* is called when what came before is lost: read your lists again, and return the `streamCursor`
    that came with them. A failure is logged and repeated. After *silence* seconds without a message a connection is
    replaced (the server pings every 12 seconds). *longest_pause* is the longest pause before the next one.

    An item that has errors, such as a task that could not be read, is an item. A result without an item is logged.

    Raises:
        TransportError: another connection would not help.
    """
    place, pauses, refresh = Place(variables), Pauses(longest_pause), False
    while True:
        retry_after, resync, leaving = 0.0, None, False
        pauses.begin()
        try:
            transport = _transport(url, await access_token(refresh), silence)
            async with aclosing(_items(transport, query, place)) as items:
                async for item in items:
                    refresh = False
                    if item.get("__typename") == RESYNC:
                        resync = item  # the connection is closed first: the server keeps what follows
                        break
                    leaving = True
                    yield item
                    leaving = False
                else:
                    return  # the server says that there is no more
        except (TransportError, OSError, TimeoutError) as error:
            if leaving:
                return  # the consumer has closed the generator, and the connection was broken already
            refresh = _wants_refresh(error)
            retry_after = _retry_after(error)
        if resync is not None:
            place.begin(await _read_again(on_resync, resync, longest_pause) or resync["cursor"])
        await pauses.wait(retry_after)


async def _read_again(on_resync: OnResync | None, item: Item, longest_pause: float) -> str | None:
    """The cursor of the lists, when they could be read."""
    pauses = Pauses(longest_pause)
    while on_resync is not None:
        pauses.begin()
        try:
            return await on_resync(item)
        except Exception as error:
            log.warning("The lists could not be read again: %r. Trying again.", error)
            await pauses.wait(_retry_after(error))
    return None


async def _items(transport: "Transport", query: str, place: Place) -> AsyncGenerator[Item, None]:
    """The items of one connection that were not received on another one."""
    request = GraphQLRequest(query, variable_values=place.variables)
    async with Client(transport=transport), aclosing(transport.subscribe(request)) as results:
        async for result in results:
            item = next(iter((result.data or {}).values()), None)
            if item is None:
                log.warning("A result has no item: %s", result.errors)
            elif item.get("__typename") == RESYNC or (place.note(item["cursor"]) and item.get("__typename") != PING):
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
    """Whether the next connection needs a new token; raises the error again if no connection would help."""
    if isinstance(error, TransportQueryError):
        code = _extensions(error).get("code")
        if code != "UNAUTHENTICATED" and code not in TEMPORARY:
            raise error
        return code == "UNAUTHENTICATED"
    code = _close_code(error)
    if code in FATAL:
        raise error
    return code == FORBIDDEN


def _retry_after(error: Exception) -> float:
    """The seconds that the server asks to wait."""
    return float(_extensions(error).get("retryAfter") or 0)


def _extensions(error: Exception) -> dict[str, Any]:
    errors = error.errors if isinstance(error, TransportQueryError) else None
    first = (errors or [{}])[0]
    return first.get("extensions") or {}


def _close_code(error: BaseException | None) -> int | None:
    """The code with which the server closed the socket, if that is what is behind the error."""
    while error is not None and not isinstance(error, ConnectionClosed):
        error = error.__cause__
    return error.rcvd.code if error is not None and error.rcvd is not None else None
