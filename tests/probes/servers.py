"""Two servers on one database, one with each executor, and the entry points of both."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from asgi.streaming_session import StreamTiming
from server.app import Server
from tests.probes.entry_points import EntryPoint, Http, Rest, ServerSentEvents, WebSocket
from tests.probes.sockets import Sockets
from tests.probes.wire import Connection
from tests.support.api import Api
from tests.support.api_server import settings_of
from tests.support.builders import Builders
from tests.support.limits import UNLIMITED
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS

REST: Final = "REST"
_NO_PINGS: Final = StreamTiming(first_message=HANG_SECONDS, ping=10 * HANG_SECONDS, send=HANG_SECONDS)
"""The sockets of people who do not act stay open, without pongs."""


@dataclass(frozen=True)
class Servers:
    """The servers, with open connections. `api` is that with the compiled executor, at `url`."""

    api: Api
    url: str
    sockets: Sockets
    graphql: tuple[EntryPoint, ...]
    rest: EntryPoint


@asynccontextmanager
async def running(database_url: str, redis_url: str, **settings: object) -> AsyncIterator[Servers]:
    """Both servers over the network."""
    async with AsyncExitStack() as stack:
        compiled = await stack.enter_async_context(_server(database_url, redis_url, True, settings))
        general = await stack.enter_async_context(_server(database_url, redis_url, False, settings))
        url = await stack.enter_async_context(serving(compiled.asgi()))
        general_url = await stack.enter_async_context(serving(general.asgi()))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=HANG_SECONDS))
        sockets, first, second = Sockets(url), Connection(url), Connection(general_url)
        for closing in (sockets.close, first.close, second.close):
            stack.push_async_callback(closing)
        graphql = (
            Http("HTTP, compiled", first),
            Http("HTTP, general", second),
            WebSocket("WebSocket", sockets),
            ServerSentEvents("event stream", first),
        )
        api = Api(compiled, Builders(compiled.database), client)
        yield Servers(api, url, sockets, graphql, Rest(REST, first))


@asynccontextmanager
async def _server(
    database_url: str, redis_url: str, compiled: bool, values: Mapping[str, object]
) -> AsyncIterator[Server]:
    # The matrix of scopes has an open socket for each root field, all of one user.
    unlimited = {"sockets_per_address": UNLIMITED, "sockets_per_user": UNLIMITED, **values}
    settings = settings_of(database_url, redis_url, compile_operations=compiled, **unlimited)
    server = Server(
        settings,
        timing=_NO_PINGS,
        task_timing=_NO_PINGS,
        event_timing=_NO_PINGS,
        rate_limit_timeout=HANG_SECONDS,
        plans_at_first_request=compiled,
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
