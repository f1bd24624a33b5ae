"""The socket over a real server: handshake, sign-in, operations, and every way to end."""

import asyncio
import base64
import json
import os
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from starlette.types import Message
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from asgi.streaming_session import StreamTiming
from streaming.connections import Connections
from tests.support.echo_app import Echo, build
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS
from tests.support.websocket_client import connected


async def _eventually(condition: Any) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


class TestTheHandshake:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null"])
    async def test_a_foreign_page_is_refused(self, url: str, origin: str) -> None:
        """Before there is a socket, with 403."""
        with pytest.raises(InvalidStatus) as refused:
            async with connected(url, additional_headers={"origin": origin}):
                pass
        assert refused.value.response.status_code == 403

    async def test_own_and_listed_pages_are_accepted(self, url: str) -> None:
        """And requests without an origin."""
        for origin in (url, "https://app.example.org"):
            async with connected(url, additional_headers={"origin": origin}) as socket:
                await socket.init()

    async def test_another_subprotocol_is_closed_with_a_code(self, url: str) -> None:
        """After the handshake, so that a browser can show the code."""
        async with connected(url, subprotocols=[Subprotocol("graphql-ws")]) as socket:
            assert (await socket.closed())[0] == 4406


class TestSigningIn:
    @pytest.mark.parametrize("name", ["Authorization", "authorization"])
    async def test_sign_in_by_the_payload(self, url: str, name: str) -> None:
        """As browsers do."""
        async with connected(url) as socket:
            await socket.init({name: "Bearer ada"})
            await socket.subscribe("1", "{ me }")
            assert (await socket.receive())["payload"]["data"]["me"]

    async def test_sign_in_by_a_bare_token_or_the_header(self, url: str) -> None:
        """As other clients do."""
        async with connected(url) as socket:
            await socket.init({"token": "ada"})
        async with connected(url, additional_headers={"authorization": "Bearer ada"}) as socket:
            await socket.init()
            await socket.subscribe("1", "{ me }")
            assert (await socket.receive())["payload"]["data"]["me"]

    async def test_an_anonymous_socket_may_use_public_fields(self, url: str) -> None:
        """Permissions are checked per field."""
        async with connected(url) as socket:
            await socket.init()
            await socket.subscribe("1", '{ echo(text: "a") me }')
            payload = (await socket.receive())["payload"]
            assert payload["data"] == {"echo": "a", "me": None}
            assert payload["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

    @pytest.mark.parametrize(
        ("payload", "code"),
        [
            ({"authorization": "Bearer garbage"}, 4401),
            ({"authorization": "Basic abc"}, 4401),
            ({"authorization": "Bearer expired"}, 4403),
            ({"authorization": "Bearer unknowable"}, 1013),
            ({"authorization": "Bearer bug"}, 1013),
            ({"authorization": 5}, 4400),
            ({"token": ["ada"]}, 4400),
        ],
    )
    async def test_each_refusal_has_its_code(self, url: str, payload: dict[str, Any], code: int) -> None:
        """An invalid token is fatal; a temporary failure is not."""
        async with connected(url) as socket:
            await socket.send(type="connection_init", payload=payload)
            assert (await socket.closed())[0] == code

    async def test_a_token_that_expires_ends_the_socket(self, url: str) -> None:
        """With a code that brings the client back with a fresh one."""
        async with connected(url) as socket:
            await socket.init({"token": "brief"})
            assert await socket.closed() == (4403, "Token has expired")

    async def test_a_revocation_between_check_and_registration_is_not_lost(self, url: str, echo: Echo) -> None:
        """The token is looked at again once the socket can be found."""
        echo.bouncer.on_call = lambda calls: echo.bouncer.revoked.add("ada") if calls == 2 else None
        async with connected(url) as socket:
            await socket.send(type="connection_init", payload={"token": "ada"})
            assert (await socket.closed())[0] == 4403

    async def test_a_revocation_ends_open_sockets(self, url: str, echo: Echo) -> None:
        """And the streams on them."""
        async with connected(url) as socket, connected(url) as other:
            await socket.init({"token": "ada"})
            await other.init({"token": "eve"})
            await socket.subscribe("1", "subscription { quiet }")
            await echo.journal.until("quiet opened")
            identity = await echo.bouncer.authenticate("Bearer ada")
            assert identity is not None
            echo.connections.close_user(identity.actor.user_id)
            assert (await socket.closed())[0] == 4403
            await echo.journal.until("quiet closed")
            await other.subscribe("1", "{ me }")
            assert (await other.receive())["type"] == "next"


class TestOperations:
    async def test_a_query_and_a_mutation_have_one_result(self, url: str) -> None:
        """Next, then complete."""
        async with connected(url) as socket:
            await socket.init()
            for query in ("{ item { name } }", 'mutation { note(text: "a") }'):
                await socket.subscribe("1", query)
                assert (await socket.receive())["type"] == "next"
                assert await socket.receive() == {"id": "1", "type": "complete"}

    async def test_events_come_in_order(self, url: str) -> None:
        """And then the end."""
        async with connected(url) as socket:
            await socket.init()
            await socket.subscribe("1", "subscription($n: Int!) { count(target: $n) }", n=50)
            received = [await socket.receive() for _ in range(51)]
            assert [message["payload"]["data"]["count"] for message in received[:-1]] == list(range(50))
            assert received[-1]["type"] == "complete"

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("{", "BAD_REQUEST"),
            ("{ nothing }", "BAD_REQUEST"),
            ("subscription { refused }", "UNAUTHENTICATED"),
            ("{ items { children { children { name } } } }", "TOO_EXPENSIVE"),
        ],
    )
    async def test_an_operation_that_cannot_run_is_an_error(self, url: str, query: str, code: str) -> None:
        """The socket stays open, and the id is free again."""
        async with connected(url) as socket:
            await socket.init()
            for _ in range(2):
                await socket.subscribe("1", query)
                message = await socket.receive()
                assert message["type"] == "error"
                assert message["payload"][0]["extensions"]["code"] == code

    async def test_a_stream_that_breaks_ends_with_a_masked_error(self, url: str) -> None:
        """The socket is not concerned."""
        async with connected(url) as socket:
            await socket.init()
            await socket.subscribe("1", "subscription { failing }")
            assert (await socket.receive())["type"] == "next"
            message = await socket.receive()
            assert message["payload"][0]["extensions"]["code"] == "INTERNAL"
            assert "secret" not in json.dumps(message)
            await socket.send(type="ping")
            assert await socket.receive() == {"type": "pong"}

    async def test_completing_closes_the_source_and_frees_the_id(self, url: str, echo: Echo) -> None:
        """At once."""
        async with connected(url) as socket:
            await socket.init()
            for _ in range(3):
                await socket.subscribe("1", "subscription { quiet }")
                await echo.journal.until("quiet opened")
                await socket.send(id="1", type="complete")
                await echo.journal.until("quiet closed")
                echo.journal.events.clear()
            await socket.subscribe("1", "{ item { name } }")
            assert (await socket.receive())["type"] == "next"

    async def test_a_completed_query_is_cancelled(self, url: str, echo: Echo) -> None:
        """It stops."""
        async with connected(url) as socket:
            await socket.init()
            await socket.subscribe("1", "{ slow(seconds: 600) }")
            await echo.journal.until("slow query begun")
            await socket.send(id="1", type="complete")
            await echo.journal.until("slow query cancelled")

    @pytest.mark.parametrize("leaving", ["complete", "close"])
    async def test_a_started_mutation_completes(self, url: str, echo: Echo, leaving: str) -> None:
        """Whether the client completes it or disconnects."""
        async with connected(url) as socket:
            await socket.init()
            await socket.subscribe("1", 'mutation { note(text: "a", seconds: 0.2) }')
            await echo.journal.until("a begun")
            if leaving == "complete":
                await socket.send(id="1", type="complete")
        await echo.journal.until("a done")

    async def test_a_hundred_operations_are_allowed(self, url: str) -> None:
        """One more is refused, and the socket stays open."""
        async with connected(url) as socket:
            await socket.init()
            for number in range(101):
                await socket.subscribe(str(number), "subscription { quiet }")
            message = await socket.receive()
            assert (message["id"], message["payload"][0]["extensions"]["code"]) == ("100", "TOO_EXPENSIVE")


class TestEnds:
    async def test_everything_stops_when_the_client_goes(self, url: str, echo: Echo) -> None:
        """Streams are closed, and the place is free."""
        async with connected(url) as socket:
            await socket.init({"token": "ada"})
            await socket.subscribe("1", "subscription { quiet }")
            await echo.journal.until("quiet opened")
            assert echo.connections.count == 1
        await echo.journal.until("quiet closed")
        await _eventually(lambda: echo.connections.count == 0)

    async def test_shutdown_closes_every_socket(self, url: str, echo: Echo) -> None:
        """With 1012, also new ones."""
        async with connected(url) as socket, connected(url) as waiting:
            await socket.init()
            await echo.connections.drain(0.05)
            assert await socket.closed() == (1012, "Service restart")
            assert (await waiting.closed())[0] == 1012
        async with connected(url) as late:
            assert (await late.closed())[0] == 1012

    @pytest.mark.parametrize("caps", [{"per_user": 2}, {"per_address": 2}])
    async def test_too_many_sockets_are_refused(self, caps: dict[str, int]) -> None:
        """Of one user, or from one address."""
        async with (
            serving(build(connections=Connections(**caps)).app) as url,
            connected(url) as one,
            connected(url) as two,
            connected(url) as three,
        ):
            await one.init({"token": "ada"})
            await two.init({"token": "ada"})
            with suppress(ConnectionClosed):
                await three.send(type="connection_init", payload={"token": "ada"})
            assert (await three.closed())[0] == 1013

    @pytest.mark.parametrize("offered", [["graphql-transport-ws"], ["mqtt"], []])
    async def test_a_socket_counts_before_it_is_accepted(self, echo: Echo, offered: list[str]) -> None:
        """An incomplete handshake counts, too."""
        places: dict[str, int] = {}

        async def receive() -> Message:
            return {"type": "websocket.connect"} if not places else {"type": "websocket.disconnect"}

        async def send(message: Message) -> None:
            places[message["type"]] = echo.connections.count

        scope = {"type": "websocket", "scheme": "ws", "path": "/graphql", "headers": [], "subprotocols": offered}
        await echo.app(scope, receive, send)
        assert places["websocket.accept"] == 1
        assert echo.connections.count == 0


@pytest.fixture
async def impatient(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Echo]]:
    """An application with a short time-out of the test's choice."""
    patient = {"first_message": HANG_SECONDS, "ping": HANG_SECONDS, "send": HANG_SECONDS}
    echo = build(timing=StreamTiming(**patient | request.param))
    async with serving(echo.app) as url:
        yield url, echo


class TestClocks:
    @pytest.mark.parametrize("impatient", [{"first_message": 0.1}], indirect=True)
    async def test_a_socket_that_never_begins_is_closed(self, impatient: tuple[str, Echo]) -> None:
        """With 4408."""
        async with connected(impatient[0]) as socket:
            assert (await socket.closed())[0] == 4408

    @pytest.mark.parametrize("impatient", [{"ping": 0.1}], indirect=True)
    async def test_a_silent_peer_is_closed_after_a_ping(self, impatient: tuple[str, Echo]) -> None:
        """Also with 4408, which lets it come back."""
        async with connected(impatient[0]) as socket:
            await socket.init()
            assert (await socket.receive())["type"] == "ping"
            assert (await socket.closed())[0] == 4408

    @pytest.mark.parametrize("impatient", [{"ping": 1.0}], indirect=True)
    async def test_pings_say_where_the_streams_stand(self, impatient: tuple[str, Echo]) -> None:
        """So that a quiet subscriber can resume, too."""
        async with connected(impatient[0]) as socket:
            await socket.init()
            await socket.subscribe("1", "subscription { quiet }")
            await _eventually(lambda: "quiet opened" in impatient[1].journal.events)
            while (message := await socket.receive()) == {"type": "ping"}:
                await socket.send(type="pong")
            assert message == {"type": "ping", "payload": {"cursors": {"1": "at 0"}}}


class TestPeersThatDoNotRead:
    @pytest.mark.parametrize("impatient", [{"send": 0.3}], indirect=True)
    async def test_slow_subscriptions_are_closed_and_not_read_ahead(self, impatient: tuple[str, Echo]) -> None:
        """Nothing is buffered for them, and after the time-out nothing is left."""
        url, echo = impatient
        loop = asyncio.get_running_loop()
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        raw.setblocking(False)
        await loop.sock_connect(raw, ("127.0.0.1", int(url.rsplit(":", 1)[1])))
        await loop.sock_sendall(raw, _handshake())
        await loop.sock_recv(raw, 1_024)
        await loop.sock_sendall(raw, _frame('{"type":"connection_init"}'))
        query = "subscription { endless(size: 200000) }"
        await loop.sock_sendall(raw, _frame(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}})))
        await echo.journal.until("endless closed")
        await _eventually(lambda: echo.connections.count == 0)
        raw.close()
        assert echo.journal.events.count("said") < 100


def _handshake() -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        "GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    ).encode()


def _frame(text: str) -> bytes:
    """A text frame of fewer than 126 bytes, masked with zeros."""
    return bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text.encode()
