"""An HTTP client for the checks. It does not follow redirects, and does not repeat requests."""

import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

PREFIX: Final = "/api/v1"
TIMEOUT_SECONDS: Final = 15.0
MAX_ANSWER: Final = 4_000_000
COOKIE: Final = "refresh_token"


class NoServer(Exception):
    """No answer, or not in HTTP; the text is for users."""


class AnotherAPI(Exception):
    """The server does not have the older API; the text is for users."""


@dataclass(frozen=True, slots=True)
class CompatResponse:
    """A response; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def detail(self) -> Any:
        """The message of an error."""
        found = self.json
        return found.get("detail") if isinstance(found, dict) else None

    @property
    def cookie(self) -> str | None:
        """The refresh token in the cookie that the response sets."""
        name, _, value = self.headers.get("set-cookie", "").partition(";")[0].partition("=")
        return value if name == COOKIE and value else None

    @property
    def summary(self) -> str:
        """The status, and the message of an error."""
        detail = self.detail
        return f"{self.status} {detail!r}"[:80] if isinstance(detail, str) else str(self.status)


@dataclass(slots=True)
class CompatClient:
    """Sends requests to a server, `http://host:port` or https; counts them."""

    url: str
    sent: int = 0

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        cookie: str | None = None,
        values: Any = None,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> CompatResponse:
        """Send a request to a path of the API, with *values* as JSON, or a *form*, or without a body.

        Raises:
            NoServer: there was no answer.
        """
        sent = dict(headers or {})
        body = None
        if values is not None:
            body, sent["content-type"] = json.dumps(values).encode(), "application/json"
        elif form is not None:
            body, sent["content-type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if cookie is not None:
            sent["cookie"] = f"{COOKIE}={cookie}"
        self.sent += 1
        try:
            return exchange(self.url, method, f"{PREFIX}{path}", body, sent)
        except (OSError, http.client.HTTPException) as error:
            reason = "connection refused" if isinstance(error, ConnectionRefusedError) else str(error)
            raise NoServer(f"{self.url}: {reason or type(error).__name__}") from error
        except ValueError:  # its message contains the value
            raise NoServer(f"{self.url}: its token or cookie has characters that a header cannot have.") from None


def exchange(url: str, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> CompatResponse:
    """The response of a server, `http://host:port` or https, to one request on a connection of its own.

    Raises:
        OSError, http.client.HTTPException: there was no response.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with closing(kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)) as connection:
        connection.request(method, parts.path.rstrip("/") + path, body, headers)
        answer = connection.getresponse()
        received = {name.lower(): value for name, value in answer.getheaders()}
        return CompatResponse(answer.status, received, answer.read(MAX_ANSWER))
