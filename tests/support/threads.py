"""An application that is served by a thread, for clients that block the thread of the test."""

import gc
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; `settled` is also set at the end, so that a failed start is noticed."""
        try:
            super().run(sockets)
        finally:
            self.settled.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()


@contextmanager
def served_by_thread(app: ASGIApp) -> Iterator[str]:
    """The URL of a server on a port of its own, which the operating system chooses."""
    threshold = gc.get_threshold()
    server = _Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run)
    with pytest.MonkeyPatch.context() as patch:
        # A server that starts freezes all objects of its process. Here its own ones are to be collected after its end.
        patch.setattr(gc, "freeze", lambda: None)
        thread.start()
        server.settled.wait()
    assert server.started, "the server did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        gc.set_threshold(*threshold)
