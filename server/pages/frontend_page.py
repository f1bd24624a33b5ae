"""A page that `tools/build-frontend` built: a document, and files whose names change with their content."""

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from asgi.response import HTTPResponse
from asgi.static_files import ASK_AGAIN, FOR_EVER, HTML, StaticFile, StaticFolder, serve

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a page may do: use our own files and talk to us, and nothing else."""

_EMPTY: Final = '<meta name="taskriver" content="{}">'


class FrontendPage:
    """A built page; as an ASGI application it serves its document, and the files below `assets/`.

    *settings* is what its scripts should know: JSON, written into the document. *policy* is its
    Content-Security-Policy.

    Raises:
        FileNotFoundError: it was never built.
        ValueError: its document has no place for settings.
    """

    def __init__(self, name: str, *, settings: Mapping[str, Any] | None = None, policy: str = POLICY) -> None:
        folder = files(__package__).joinpath(name)
        self._document = StaticFile(_written(folder.joinpath("index.html").read_text(), settings or {}), HTML)
        self._assets = StaticFolder(folder.joinpath("assets"))
        self._headers = [(b"content-security-policy", policy.encode("ascii")), (b"referrer-policy", b"no-referrer")]

    def document(self, asked: Mapping[bytes, bytes]) -> HTTPResponse:
        """The answer to a browser that opens the page with these headers."""
        return self._document.answer(asked, cache=ASK_AGAIN, headers=self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a file, which the route calls `name`; for the document where it names none."""
        name = scope["path_params"].get("name")
        await serve(scope, send, lambda asked: self.document(asked) if name is None else self._asset(name, asked))

    def _asset(self, name: str, asked: Mapping[bytes, bytes]) -> HTTPResponse | None:
        found = self._assets.find(name)
        # A worker runs under the policy that its own file came with.
        return None if found is None else found.answer(asked, cache=FOR_EVER, headers=self._headers)


def _written(document: str, settings: Mapping[str, Any]) -> bytes:
    if _EMPTY not in document:
        raise ValueError(f"The page has no {_EMPTY}.")
    return document.replace(_EMPTY, _EMPTY.replace("{}", escape(json.dumps(settings)))).encode()
