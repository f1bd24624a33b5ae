"""The address at which a command waits for a browser: 127.0.0.1 and a free port (RFC 8252, section 7.3)."""

import hmac
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

from cli.errors import CommandError

ADDRESS: Final = "127.0.0.1"
PATH: Final = "/callback"
READ_SECONDS: Final = 5.0
"""The time in which a client must send its request. Browsers also open connections on which they send nothing."""
WAIT_SECONDS: Final = 300.0

_REFUSED: Final = "You did not confirm the sign-in in the browser."
_LATE: Final = "Nobody confirmed the sign-in within five minutes: start it again."
_DONE: Final = "You are signed in on the command line. You can close this page."
_CANCELLED: Final = "The sign-in on the command line is cancelled. You can close this page."
_UNKNOWN: Final = "This is no answer to the sign-in that waits here."
_PAGE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><title>Taskriver</title><link rel="icon" href="data:,">'
    "<style>main {{ max-width: 30rem; margin: 20vh auto; padding: 0 1.5rem; font: 1.1rem/1.5 system-ui, sans-serif; }}"
    "</style></head><body><main><h1>Taskriver</h1><p>{}</p></main></body></html>\n"
)
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


class Listener:
    """Waits for the one request that has *state*. Others get an error and change nothing."""

    def __init__(self, server: ThreadingHTTPServer, answers: "queue.Queue[str | None]") -> None:
        self._server = server
        self._answers = answers

    @property
    def port(self) -> int:
        """The port, which the system chose unless one was given."""
        return int(self._server.server_address[1])

    def code(self, *, seconds: float = WAIT_SECONDS) -> str:
        """The code that the browser brings.

        Raises:
            CommandError: the user refused, or nothing came in time.
        """
        try:
            code = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise CommandError(_LATE) from None
        if code is None:
            raise CommandError(_REFUSED)
        return code


@contextmanager
def listening(state: str, *, port: int = 0) -> Iterator[Listener]:
    """A listener for the answer with this state; 0 is a free port.

    Raises:
        CommandError: the port is in use.
    """
    answers: queue.Queue[str | None] = queue.Queue()
    try:
        server = ThreadingHTTPServer((ADDRESS, port), _handler(state, answers))
    except OSError as error:
        raise CommandError(f"The command cannot listen on {ADDRESS}:{port}: {error.strerror}.") from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Listener(server, answers)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: str, answers: "queue.Queue[str | None]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = READ_SECONDS

        def do_GET(self) -> None:
            found = self._parameters()
            codes, is_refused = found.get("code", []), found.get("error") == ["access_denied"]
            if found.get("state") is None or not _is_same(found["state"], state) or not (codes or is_refused):
                self._reply(400, _UNKNOWN)
                return
            self._reply(200, _DONE if codes else _CANCELLED)
            answers.put(codes[0] if codes else None)

        def _parameters(self) -> dict[str, list[str]]:
            parts = urlsplit(self.path)
            # Another name in `Host` is a page of another site whose name leads to this machine.
            is_ours = self.headers.get("host") == f"{ADDRESS}:{self.connection.getsockname()[1]}"
            return parse_qs(parts.query) if parts.path == PATH and is_ours else {}

        def _reply(self, status: int, text: str) -> None:
            page = _PAGE.format(text).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Content-Security-Policy", _POLICY)
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """The request line has the code, so it is not logged."""

    return Handler


def _is_same(given: list[str], state: str) -> bool:
    return len(given) == 1 and hmac.compare_digest(given[0].encode(), state.encode())
