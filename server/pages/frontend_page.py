"""A page that `tools/build-frontend` has built: a document, and files whose names change with their content."""

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from asgi.response import HTTPResponse
from asgi.static_files import HTML, IMMUTABLE, REVALIDATE, StaticFile, StaticFolder, serve

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A page may use files of this server and send requests to it, and nothing else."""

_SETTINGS_TAG: Final = '<meta name="taskriver" content="{}">'


class FrontendPage:
    """A built page: an ASGI application that serves its document, and the files below `assets/`.

    *settings* are passed to its scripts as JSON in the document. *policy* is its Content-Security-Policy.

    Raises:
        FileNotFoundError: the page was not built.
        ValueError: its document has no place for settings.
    """

    def __init__(self, name: str, *, settings: Mapping[str, Any] | None = None, policy: str = POLICY) -> None:
        folder = files(__package__).joinpath(name)
        self._document = StaticFile(_with_settings(folder.joinpath("index.html").read_text(), settings or {}), HTML)
        self._assets = StaticFolder(folder.joinpath("assets"))
        self._headers = [(b"content-security-policy", policy.encode("ascii")), (b"referrer-policy", b"no-referrer")]

    def document(self, request_headers: Mapping[bytes, bytes]) -> HTTPResponse:
        """The response to a browser that opens the page."""
        return self._document.response(request_headers, cache=REVALIDATE, headers=self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the file that the route's parameter `name` names, or the document without it."""
        name = scope["path_params"].get("name")
        await serve(
            scope,
            send,
            lambda request_headers: (
                self.document(request_headers) if name is None else self._asset(name, request_headers)
            ),
        )

    def _asset(self, name: str, request_headers: Mapping[bytes, bytes]) -> HTTPResponse | None:
        file = self._assets.find(name)
        # A worker's own file defines the policy that applies to the worker.
        return None if file is None else file.response(request_headers, cache=IMMUTABLE, headers=self._headers)


def _with_settings(document: str, settings: Mapping[str, Any]) -> bytes:
    if _SETTINGS_TAG not in document:
        raise ValueError(f"The page has no {_SETTINGS_TAG}.")
    return document.replace(_SETTINGS_TAG, _SETTINGS_TAG.replace("{}", escape(json.dumps(settings)))).encode()
