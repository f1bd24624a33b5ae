"""`/schema.graphql`: the schema as text, including the directives, which introspection omits."""

from collections.abc import Callable
from functools import cached_property
from typing import Final

from starlette.types import Receive, Scope, Send

from asgi.static_files import REVALIDATE, StaticFile, serve

_MEDIA: Final = b"application/graphql; charset=utf-8"


class SchemaText:
    """The ASGI application for the schema; *write* is called once, at the first request."""

    def __init__(self, write: Callable[[], str]) -> None:
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await serve(scope, send, lambda request_headers: self._text.response(request_headers, cache=REVALIDATE))

    @cached_property
    def _text(self) -> StaticFile:
        return StaticFile((self._write() + "\n").encode(), _MEDIA)
