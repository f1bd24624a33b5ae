"""The HTTP client understands every response that a server or a proxy may send, and reports every failure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.ports import closed_port
from tests.support.waiting import HANG_SECONDS
from verification.client.failures import Away, Refused, Unreachable
from verification.client.http import Api
from verification.compat.http import CompatClient, NoServer

DATA = b'{"data": {"me": null}}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
COMPLETE = {
    "with a length": HEAD + b"content-length: 22\r\n\r\n" + DATA,
    "in chunks": HEAD
    + b"transfer-encoding: chunked\r\n\r\n8\r\n"
    + DATA[:8]
    + b"\r\ne\r\n"
    + DATA[8:]
    + b"\r\n0\r\n\r\n",
    "until the end of the connection": HEAD + b"\r\n" + DATA,
    "after an interim response": b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n"
    + HEAD
    + b"content-length: 22\r\n\r\n"
    + DATA,
}
INCOMPLETE = {
    "nothing": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"content-length: 22\r\n\r\n" + DATA[:8],
    "half a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n8\r\n" + DATA[:4],
    "another protocol": b"SSH-2.0-OpenSSH_9.9\r\n",
}


@asynccontextmanager
async def responding(response: bytes, requests: list[bytes] | None = None) -> AsyncIterator[Api]:
    """A server that sends these bytes to every request and closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if requests is not None:
            requests.append(head)
        writer.write(response)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield Api(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql", timeout=HANG_SECONDS)


class TestResponses:
    @pytest.mark.parametrize("response", COMPLETE.values(), ids=COMPLETE)
    async def test_a_complete_response_is_read(self, response: bytes):
        """Every framing of HTTP/1.1 gives the same data."""
        async with responding(response) as api:
            assert await api.ask("{ me { id } }") == {"me": None}

    @pytest.mark.parametrize("response", INCOMPLETE.values(), ids=INCOMPLETE)
    async def test_an_incomplete_response_counts_as_none(self, response: bytes):
        """Whether the request was executed is unknown then, so it must not count as refused."""
        async with responding(response) as api:
            with pytest.raises(Unreachable):
                await api.ask("{ me { id } }")

    @pytest.mark.parametrize(("status", "kind"), [(503, Away), (404, Refused)])
    async def test_a_response_without_graphql_is_an_error(self, status: int, kind: type[Refused]):
        """A proxy answers with its own page."""
        async with responding(b"HTTP/1.1 %d No\r\ncontent-length: 4\r\n\r\n<p/>" % status) as api:
            with pytest.raises(Refused) as caught:
                await api.ask("{ me { id } }")
        assert type(caught.value) is kind


class TestRequests:
    async def test_a_request_does_not_offer_to_reuse_the_connection(self):
        """Each request has its own connection, an uncompressed response, and the name of this program."""
        requests: list[bytes] = []
        async with responding(COMPLETE["with a length"], requests) as api:
            await api.ask("{ me { id } }", token="a.b.c")
        lines = requests[0].lower().split(b"\r\n")
        assert lines[0] == b"post /graphql http/1.1"
        assert {b"connection: close", b"accept-encoding: identity", b"user-agent: taskriver"} <= set(lines)
        assert b"authorization: bearer a.b.c" in lines

    async def test_a_token_with_a_line_break_is_not_sent(self):
        """It would add a header field to the request."""
        requests: list[bytes] = []
        async with responding(COMPLETE["with a length"], requests) as api:
            with pytest.raises(Refused) as caught:
                await api.ask("{ me { id } }", token="secret\r\nx-more: b")
        assert requests == []
        assert caught.value.code == "UNAUTHENTICATED"
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("token", ["secret\r\nx-more: b", "secret\u2028"])
    def test_the_client_of_the_checks_sends_no_such_token_either(self, token: str):
        """The token comes from the server that is checked."""
        with pytest.raises(NoServer) as caught:
            CompatClient("http://127.0.0.1:1").send("GET", "/tasks/", token=token)
        assert "characters that a header cannot have" in str(caught.value)
        assert "secret" not in str(caught.value)


class TestFailures:
    async def test_a_closed_port_is_unreachable(self):
        """The reason is the system's, for users."""
        with closed_port() as port, pytest.raises(Unreachable) as caught:
            await Api(f"http://localhost:{port}/graphql").ask("{ me { id } }")
        assert str(caught.value) == "connection refused"

    @pytest.mark.parametrize("host", ["x\u2028y", "x" * 64])
    async def test_a_host_that_is_no_name_is_unreachable(self, host: str):
        """It is refused before any connection is opened."""
        with pytest.raises(Unreachable):
            await Api(f"http://{host}/graphql").ask("{ me { id } }")

    async def test_a_server_that_does_not_answer_in_time_is_unreachable(self):
        """The limit is for the whole request."""

        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(never, "127.0.0.1", 0) as server:
            api = Api(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql", timeout=0.01)
            with pytest.raises(Unreachable, match="timeout"):
                await api.ask("{ me { id } }")
