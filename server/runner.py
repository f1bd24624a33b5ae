"""Runs the HTTP server, with one process or several workers."""

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

from asgi.http_protocol import HTTPProtocol
from asgi.websocket_protocol import WebSocketProtocol
from observability.logging import configuration, is_terminal
from server import signals
from server.errors import StartError
from server.settings import Settings

MAX_SOCKET_MESSAGE: Final = 512 * 1024
BACKLOG: Final = 2_048
WORKER_TIMEOUT_SECONDS: Final = 30
"""Includes the imports: on a busy machine a worker that starts slowly is not hung."""

_PEER_OPTIONS: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
"""In seconds, the last one in milliseconds: a dead peer is detected within 30 seconds."""

_SHARE_OF_REQUESTS: Final = 0.8
"""Part of the shutdown time for running requests. Sockets are closed before, and connections after it."""

Hook = Callable[[], None]


def listen(settings: Settings) -> socket.socket:
    """A socket that listens on the configured address.

    Raises:
        StartError: the port is in use, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _detect_dead_peers(listener)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(_listen_error(settings, error)) from error
    listener.set_inheritable(True)
    return listener


def address(settings: Settings) -> str:
    """Host and port in the form of a URL."""
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
    """Serve until a signal arrives; *app* is an application, or the name of its factory for several workers.

    The hooks work with one process only: they are called once when the server has started, and once when it stops. With
    *quiet*, the HTTP server does not log its start and end.
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
        ws_per_message_deflate=False,  # costs 36 kB per idle socket, and CPU per message and client
        ws_ping_interval=None,  # the subprotocol's own pings detect dead peers, and carry cursors
        log_level=None,
        log_config=logging,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # TRUSTED_PROXIES decides whose X-Forwarded-For is used
        timeout_worker_healthcheck=WORKER_TIMEOUT_SECONDS,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_seconds * _SHARE_OF_REQUESTS)),
        backlog=BACKLOG,
    )
    if settings.workers > 1:
        _run_many(config, listener)
    else:
        _run_one(_Server(config, on_started, on_stopping), listener)


def _run_one(server: "_Server", listener: socket.socket) -> None:
    server.run(sockets=[listener])
    if server.was_signalled:
        signals.exit_now()
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
    def was_signalled(self) -> bool:
        """Whether a signal was received."""
        return bool(self._captured_signals)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals, but do not raise them again inside the loop, as uvicorn would."""
        previous = {each: signal.signal(each, self.handle_exit) for each in signals.SIGNALS}
        try:
            yield
        finally:
            for each, handler in previous.items():
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
            # A second signal skips open requests, but the server's own connections are closed all the same.
            await self.lifespan.shutdown()


def _detect_dead_peers(listener: socket.socket) -> None:
    """Let the kernel close connections with dead peers; accepted sockets inherit these options.

    Idle connections are probed. Sent data that stays unacknowledged for too long, also because the peer's buffer is
    full, ends the connection (TCP_USER_TIMEOUT, RFC 5482, on Linux; other systems have longer timeouts).
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PEER_OPTIONS.items():
        option = getattr(socket, name, None)
        if option is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)


def _listen_error(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {settings.port} is in use: stop the program on {address(settings)}, "
            "or set another port, such as PORT=8001."
        )
    if error.errno == errno.EACCES:
        return f"This user may not listen on {address(settings)}: set a port above 1023, such as PORT=8000."
    return f"Cannot listen on {address(settings)}: {error.strerror}; set HOST to an address of this machine."
