"""The HTTP server as it is run everywhere, with one process or many."""

import errno
import socket
import sys
from typing import Any, Final

import uvicorn
from uvicorn.supervisors import Multiprocess

from graphql_api.cli.failure import CommandError
from graphql_api.settings import Settings

MAX_SOCKET_MESSAGE: Final = 512 * 1024
BACKLOG: Final = 2_048


def listen(settings: Settings) -> socket.socket:
    """A socket on the address that the settings name.

    Raises:
        CommandError: the port is taken or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise CommandError(_why_not(settings, error)) from error
    listener.set_inheritable(True)
    return listener


def run(app: Any, settings: Settings, listener: socket.socket) -> None:
    """Serve until a signal says stop; *app* is an application, or for several workers the name of its factory."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        factory=isinstance(app, str),
        workers=settings.workers,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=MAX_SOCKET_MESSAGE,
        ws_per_message_deflate=False,  # 36 kB per idle socket, and CPU per message and client
        ws_ping_interval=None,  # the protocol's own pings find dead peers, and carry cursors
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whose X-Forwarded-For counts is TRUSTED_PROXIES' to say
        timeout_graceful_shutdown=settings.shutdown_seconds,
        backlog=BACKLOG,
    )
    if settings.workers > 1:
        Multiprocess(config, sockets=[listener]).run()
    else:
        uvicorn.Server(config).run(sockets=[listener])


def _why_not(settings: Settings, error: OSError) -> str:
    place = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is taken: stop what uses {place}, or choose another one with PORT=8001."
    if error.errno == errno.EACCES:
        return f"This user may not listen on {place}: choose a port above 1023, such as PORT=8000."
    return f"Cannot listen on {place}: {error.strerror}; set HOST to an address of this machine."
