"""The HTTP server as it is run everywhere, with one process or many."""

import errno
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from observability.logging import configuration, is_terminal
from server import signals
from server.errors import CommandError
from server.http_protocol import HTTPProtocol
from server.settings import Settings
from server.websocket_protocol import WebSocketProtocol

MAX_SOCKET_MESSAGE: Final = 512 * 1024
BACKLOG: Final = 2_048
WORKER_PATIENCE_SECONDS: Final = 30
"""Imports count: a worker on a busy machine is not hung because it is slow to start."""

_PEER_OPTIONS: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
"""In seconds, the last one in milliseconds: a peer that is not there any more is noticed within half a minute."""

_SHARE_OF_REQUESTS: Final = 0.8
"""Of the time to stop, for requests to finish; sockets are sent away before, and connections closed after."""

Hook = Callable[[], None]


def listen(settings: Settings) -> socket.socket:
    """A socket that listens on the address that the settings name: from now on nobody else can have it.

    Raises:
        CommandError: the port is taken or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _notice_dead_peers(listener)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CommandError(_why_not(settings, error)) from error
    listener.set_inheritable(True)
    return listener


def place(settings: Settings) -> str:
    """Host and port as they stand in a URL."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def run(
    app: Any,
    settings: Settings,
    listener: socket.socket,
    *,
    quiet: bool = False,
    on_started: Hook | None = None,
    on_stopping: Hook | None = None,
) -> None:
    """Serve until a signal says stop; *app* is an application, or for several workers the name of its factory.

    The hooks are for one process: called once, when requests are answered, and when they are not any more. If *quiet*,
    the HTTP server does not say how it comes and goes.
    """
    logging = configuration(
        settings.log_level,
        readable=is_terminal() and not settings.is_production,
        libraries="warning" if quiet else settings.log_level,
    )
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        factory=isinstance(app, str),
        workers=settings.workers,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=HTTPProtocol,
        ws=WebSocketProtocol,
        ws_max_size=MAX_SOCKET_MESSAGE,
        ws_per_message_deflate=False,  # 36 kB per idle socket, and CPU per message and client
        ws_ping_interval=None,  # the protocol's own pings find dead peers, and carry cursors
        log_level=None,
        log_config=logging,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whose X-Forwarded-For counts is TRUSTED_PROXIES' to say
        timeout_worker_healthcheck=WORKER_PATIENCE_SECONDS,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_seconds * _SHARE_OF_REQUESTS)),
        backlog=BACKLOG,
    )
    if settings.workers > 1:
        _run_many(config, listener)
    else:
        _run_one(_Server(config, on_started, on_stopping), listener)


def _run_one(server: "_Server", listener: socket.socket) -> None:
    server.run(sockets=[listener])
    if server.told:
        signals.leave()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _run_many(config: uvicorn.Config, listener: socket.socket) -> None:
    supervisor = Multiprocess(config, sockets=[listener])
    supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        sys.exit(STARTUP_FAILURE)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_started: Hook | None, on_stopping: Hook | None) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._on_stopping = on_stopping

    @property
    def told(self) -> bool:
        """Whether a signal said stop."""
        return bool(self._captured_signals)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals, and raise none of them again in the middle of the loop, as uvicorn would."""
        former = {each: signal.signal(each, self.handle_exit) for each in signals.SIGNALS}
        try:
            yield
        finally:
            for each, handler in former.items():
                signal.signal(each, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._on_started is not None:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._on_stopping is not None:
            self._on_stopping()
        await super().shutdown(sockets)
        if self.force_exit:
            # Impatience with open requests is no reason to leave our own connections open.
            await self.lifespan.shutdown()


def _notice_dead_peers(listener: socket.socket) -> None:
    """Have the kernel give up connections whose peer is gone without a word; accepted ones inherit it from here.

    Nothing was sent: it asks. Something was: what stays unacknowledged for too long, for want of room in the peer's
    buffer too, ends it (TCP_USER_TIMEOUT, RFC 5482; Linux has it, others have their own longer time-outs).
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PEER_OPTIONS.items():
        option = getattr(socket, name, None)
        if option is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)


def _why_not(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is taken: stop what uses {place(settings)}, or choose another one with PORT=8001."
    if error.errno == errno.EACCES:
        return f"This user may not listen on {place(settings)}: choose a port above 1023, such as PORT=8000."
    return f"Cannot listen on {place(settings)}: {error.strerror}; set HOST to an address of this machine."
