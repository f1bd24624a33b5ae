"""A complete request that is answered without ASGI layers: no router, no middleware and no messages."""

import asyncio
from typing import Any, Final, Protocol, cast

from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from asgi.exchange import can_respond, write_response
from asgi.request_context import Header

_USUAL_HEADERS: Final = frozenset(
    {
        *(b"host", b"connection", b"user-agent", b"referer", b"origin", b"priority", b"dnt"),
        *(b"accept", b"accept-encoding", b"accept-language", b"content-type", b"content-length"),
        *(b"authorization", b"x-request-id", b"cache-control", b"pragma"),
        *(b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest"),
        *(b"sec-ch-ua", b"sec-ch-ua-mobile", b"sec-ch-ua-platform"),
    }
)
"""A request with any other header goes through all layers."""


def usual_headers(fields: list[Header]) -> dict[bytes, bytes] | None:
    """The headers by name if all of them are usual, and each occurs once."""
    headers = dict(fields)
    return headers if headers.keys() <= _USUAL_HEADERS and len(headers) == len(fields) else None


class DirectRequest(RequestResponseCycle):
    """A POST request whose body has arrived, and the writer of its response.

    uvicorn's protocol handles it like any other request. `scope` has no extensions and no state.
    """

    def __init__(self, protocol: HttpToolsProtocol, path: bytes, headers: dict[bytes, bytes]) -> None:
        self.headers = headers
        self.extra_lines = b""
        self.extra_headers: list[Header] = []
        """The same as `extra_lines`, for a response that is sent as ASGI messages."""
        super().__init__(
            scope=_scope_of(protocol, path),
            transport=protocol.transport,
            flow=protocol.flow,
            logger=protocol.logger,
            access_logger=protocol.access_logger,
            access_log=protocol.access_log,
            default_headers=protocol.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=True,
            on_response=protocol.on_response_complete,
        )
        self.more_body = False

    def respond(self, status: int, lines: bytes, body: bytes) -> bool:
        """Write the response in one step. False if the client reads too slowly or is gone."""
        if not can_respond(self):
            return False
        write_response(self, self.transport, self.transport.close, status, lines + self.extra_lines, body)
        return True

    async def send(self, message: Any) -> None:
        """Send the response as ASGI messages."""
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *self.extra_headers]
        await super().send(message)


class DirectApplication(Protocol):
    """An application that answers some of the requests to one path directly."""

    direct_path: bytes

    def direct_app(self, request: DirectRequest, body: bytes) -> ASGIApp | None:
        """What answers the request; None, without effect, if it has to go through all layers."""


def direct_application(app: object) -> DirectApplication | None:
    """The application, if it can answer requests directly."""
    return cast("DirectApplication", app) if getattr(app, "direct_path", None) else None


def _scope_of(protocol: HttpToolsProtocol, path: bytes) -> Any:
    return {
        "type": "http",
        "asgi": {"version": protocol.asgi_version, "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": protocol.scheme,
        "path": path.decode("ascii"),
        "raw_path": path,
        "query_string": b"",
        "root_path": "",
        "headers": protocol.headers,
        "client": protocol.client,
        "server": protocol.server,
    }
