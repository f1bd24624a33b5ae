"""The lifetime of a session is the same over each transport, seen from the ASGI server and in virtual time."""

import asyncio

import pytest

from tests.asgi.session_clients import (
    FORBIDDEN,
    PING,
    REFUSED,
    RESUME,
    SEND,
    TRANSPORTS,
    Client,
    EventStream,
    Server,
    Transport,
)
from tests.support.virtual_time import in_virtual_time


@pytest.fixture(params=list(TRANSPORTS.values()), ids=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each transport in turn."""
    found: Transport = request.param
    return found


def before_it_opens(transport: Transport) -> int:
    """How often the sender is authenticated before the session.

    Once for an event stream: its request has the document, and the sender decides whether a document is executed that
    is not trusted.
    """
    return 1 if isinstance(transport, EventStream) else 0


@in_virtual_time
async def test_a_process_that_shuts_down_refuses_it(transport: Transport) -> None:
    """A WebSocket is accepted first, because a browser shows a page only the code of the close frame."""
    server = Server()
    await server.connections.drain(0)
    client = Client(transport, server)
    await client.serve()
    assert client.ends == [REFUSED if isinstance(transport, EventStream) else RESUME]
    assert server.calls == before_it_opens(transport)


@in_virtual_time
async def test_a_revocation_while_it_opens_ends_it(transport: Transport) -> None:
    """The connection is registered for the user, but the stream does not exist yet."""
    server = Server()
    last = before_it_opens(transport) + 2
    server.on_authenticate = lambda call: server.revoke() if call == last else None
    client = Client(transport, server)
    await client.serve()
    assert client.ends == [FORBIDDEN]
    assert client.pings == []


@in_virtual_time
async def test_a_revocation_ends_it(transport: Transport) -> None:
    """While it is idle."""
    server = Server()
    client = Client(transport, server)
    asyncio.get_running_loop().call_later(5, server.revoke)
    await client.serve()
    assert (client.ends, asyncio.get_running_loop().time()) == ([FORBIDDEN], 5)


@pytest.mark.parametrize("revoked", [True, False])
def test_how_it_ended_is_recorded(transport: Transport, revoked: bool) -> None:
    """Once, with the code of the revocation; a client that disconnects has cancelled it."""

    @in_virtual_time
    async def check() -> None:
        server = Server()
        client = Client(transport, server)
        asyncio.get_running_loop().call_later(5, server.revoke if revoked else client.disconnect)
        await client.serve()
        server.requests.flush()
        expected = transport.revoked_code if revoked else "CANCELLED"
        assert [(code, count) for (_, _, code), count in server.requests.ended.items()] == [(expected, 1)]

    check()


@in_virtual_time
async def test_it_ends_with_its_token(transport: Transport) -> None:
    """At the time at which the token expires."""
    server = Server(lifetime=36_000)
    client = Client(transport, server)
    await client.serve()
    assert client.ends == [FORBIDDEN]
    assert asyncio.get_running_loop().time() == pytest.approx(36_000, abs=600)


@in_virtual_time
async def test_a_shutdown_ends_it(transport: Transport) -> None:
    """The client reconnects, to another process."""
    server = Server()
    client = Client(transport, server)
    serving = asyncio.create_task(client.serve())
    await asyncio.sleep(1)
    await server.connections.drain(0)
    await serving
    assert client.ends == [RESUME]


@in_virtual_time
async def test_pings_come_at_their_interval(transport: Transport) -> None:
    """As long as the session lasts."""
    client = Client(transport, Server())
    asyncio.get_running_loop().call_later(4 * PING - 1, client.disconnect)
    await client.serve()
    assert client.pings[-2:] == [2 * PING, 3 * PING]
    assert client.ends == []


@in_virtual_time
async def test_an_idle_session_has_at_most_one_task_of_its_own(transport: Transport) -> None:
    """The subscription. Messages are received in the task of the server, and timers are callbacks."""
    client = Client(transport, Server())
    serving = asyncio.create_task(client.serve())
    await asyncio.sleep(PING * 1.5)
    assert len(asyncio.all_tasks() - {asyncio.current_task(), serving}) == 1
    client.disconnect()
    await serving


@in_virtual_time
async def test_it_ends_once(transport: Transport) -> None:
    """Whatever happens while it ends."""
    server = Server()
    client = Client(transport, server)
    serving = asyncio.create_task(client.serve())
    await asyncio.sleep(1)
    server.revoke()
    server.connections.close_everyone()
    await server.connections.drain(0)
    client.disconnect()
    await serving
    assert client.ends == [FORBIDDEN]
    assert client.sent[-1] is next(each for each in client.sent if transport.end(each))


@in_virtual_time
async def test_a_bug_ends_it_so_that_the_client_tries_again(transport: Transport) -> None:
    """Here the bug is in what a ping sends."""
    server = Server()
    client = Client(transport, server)
    asyncio.get_running_loop().call_later(1, setattr, server, "fails", True)
    await client.serve()
    assert client.ends == [RESUME]


@in_virtual_time
async def test_a_client_that_does_not_read_is_aborted(transport: Transport) -> None:
    """A ping is not read within the time limit. Nothing of the session is left."""
    client = Client(transport, Server())
    asyncio.get_running_loop().call_later(PING + 1, client.reads.clear)
    await client.serve()
    assert (client.aborts, client.ends) == (1, [])
    assert asyncio.get_running_loop().time() == 2 * PING + SEND


@in_virtual_time
async def test_a_revoked_client_that_does_not_read_is_aborted(transport: Transport) -> None:
    """The last frame has a time limit, too."""
    server = Server()
    client = Client(transport, server)
    asyncio.get_running_loop().call_later(1, client.reads.clear)
    asyncio.get_running_loop().call_later(2, server.revoke)
    await client.serve()
    assert (client.aborts, client.ends) == (1, [])
    assert asyncio.get_running_loop().time() == 2 + SEND
