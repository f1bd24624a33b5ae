"""What the resumable client in Python does with answers that real servers give seldom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest
from gql.transport.exceptions import TransportError, TransportQueryError

from tests.examples.socket_server import Peer, SocketServer, socket_server
from tests.examples.test_resumable import resumable
from tests.support.waiting import HANG_SECONDS

QUERY = "subscription ($after: String) { taskChanged(after: $after) { __typename cursor } }"


@pytest.fixture
async def server() -> AsyncIterator[SocketServer]:
    """A server whose answers the test decides."""
    async with socket_server() as server:
        yield server


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the client makes, without waiting."""
    made: list[float] = []

    async def at_once(seconds: float) -> None:
        made.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(resumable, "asyncio", SimpleNamespace(sleep=at_once, get_running_loop=asyncio.get_running_loop))
    return made


async def received(server: SocketServer, count: int, **options: Any) -> list[str]:
    """The cursors of so many items."""
    options.setdefault("access_token", _token)
    items = resumable.listen(server.url, QUERY, variables={"after": "0"}, **options)
    found: list[str] = []
    async with asyncio.timeout(HANG_SECONDS), aclosing(items):
        async for item in items:
            found.append(item["cursor"])
            if len(found) == count:
                break
    return found


async def _token(refresh: bool) -> str:
    return "new" if refresh else "token"


async def test_a_resync_with_a_cursor_that_was_seen_is_handled(server: SocketServer, pauses: list[float]):
    """And items of the new history are delivered, though their cursors were seen, too."""
    asked = []

    async def script(number: int, peer: Peer) -> None:
        if number == 1:
            await peer.item("1")
            await peer.item("2")
            await peer.item("2", "ResyncRequired", reason="EPOCH")
        else:
            await peer.item("2")

    async def on_resync(item: dict[str, Any]) -> str:
        asked.append(item["reason"])
        return "1"

    server.script = script

    assert await received(server, 3, on_resync=on_resync) == ["1", "2", "2"]
    assert asked == ["EPOCH"]
    assert server.peers[1].after == "1"


async def test_without_a_cursor_of_the_lists_it_continues_from_that_of_the_item(
    server: SocketServer, pauses: list[float]
):
    """Also without `on_resync`."""

    async def script(number: int, peer: Peer) -> None:
        await peer.item("7", "ResyncRequired") if number == 1 else await peer.item("8")

    server.script = script

    assert await received(server, 1) == ["8"]
    assert server.peers[1].after == "7"


async def test_lists_that_cannot_be_read_are_read_again(server: SocketServer, pauses: list[float]):
    """Until they can be read; nothing is lost meanwhile."""
    failures: list[Exception] = [OSError("down"), TransportError("down"), ValueError("empty")]

    async def script(number: int, peer: Peer) -> None:
        await peer.item("1", "ResyncRequired") if number == 1 else await peer.item("4")

    async def on_resync(item: dict[str, Any]) -> str:
        if failures:
            raise failures.pop(0)
        return "3"

    server.script = script

    assert await received(server, 1, on_resync=on_resync) == ["4"]
    assert server.peers[1].after == "3"


async def test_an_item_with_errors_does_not_end_the_stream(server: SocketServer, pauses: list[float]):
    """Nor does a result without an item."""
    errors = [{"message": "No assignee."}]

    async def script(number: int, peer: Peer) -> None:
        await peer.result({"data": {"taskChanged": {"__typename": "TaskChanged", "cursor": "1"}}, "errors": errors})
        await peer.result({"data": None, "errors": errors})
        await peer.item("2")

    server.script = script

    assert await received(server, 2) == ["1", "2"]
    assert len(server.peers) == 1


async def test_a_token_that_cannot_be_had_is_requested_again(server: SocketServer, pauses: list[float]):
    """The stream continues."""
    failures: list[Exception] = [OSError("down"), TransportError("down"), TimeoutError()]

    async def access_token(refresh: bool) -> str:
        if failures:
            raise failures.pop(0)
        return "token"

    async def script(number: int, peer: Peer) -> None:
        await peer.item("1")

    server.script = script

    assert await received(server, 1, access_token=access_token) == ["1"]


async def test_pauses_grow_although_every_connection_is_accepted(server: SocketServer, pauses: list[float]):
    """An item does not make a connection stable either."""

    async def script(number: int, peer: Peer) -> None:
        await peer.item(str(number))
        await peer.close()

    server.script = script
    await received(server, 7, longest_pause=8.0)

    waits = [pause for pause in pauses if pause > 0]
    assert all(0.25 * 2**n <= wait <= 0.5 * 2**n for n, wait in enumerate(waits[:5]))
    assert waits[5] <= 8.0


async def test_a_refusal_that_passes_is_repeated_when_the_server_says(server: SocketServer, pauses: list[float]):
    """`retryAfter` is the shortest pause."""

    async def script(number: int, peer: Peer) -> None:
        await peer.refuse("RATE_LIMITED", retryAfter=30) if number == 1 else await peer.item("1")

    server.script = script

    assert await received(server, 1) == ["1"]
    assert max(pauses) >= 30


async def test_other_refusals_are_errors(server: SocketServer, pauses: list[float]):
    """And are not repeated."""

    async def script(number: int, peer: Peer) -> None:
        await peer.refuse("BAD_REQUEST")

    server.script = script
    with pytest.raises(TransportQueryError):
        await received(server, 1)

    assert len(server.peers) == 1


async def test_a_refused_token_is_renewed(server: SocketServer, pauses: list[float]):
    """On the connection and for an operation."""

    async def script(number: int, peer: Peer) -> None:
        await (peer.close(4403) if number == 1 else peer.refuse("UNAUTHENTICATED") if number == 2 else peer.item("1"))

    server.script = script

    assert await received(server, 1) == ["1"]
    assert [peer.token for peer in server.peers] == ["token", "new", "new"]
