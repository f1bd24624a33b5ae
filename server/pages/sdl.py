"""`/schema.graphql`: the schema as text, with what introspection leaves out: the directives on each field."""

from collections.abc import Callable
from functools import cached_property
from typing import Final

from starlette.types import Receive, Scope, Send

from asgi.static_files import ASK_AGAIN, StaticFile, serve

_MEDIA: Final = b"application/graphql; charset=utf-8"


class SchemaText:
    """The ASGI application behind it; *write* is asked once, and not before somebody reads."""

    def __init__(self, write: Callable[[], str]) -> None:
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await serve(scope, send, lambda asked: self._text.answer(asked, cache=ASK_AGAIN))

    @cached_property
    def _text(self) -> StaticFile:
        return StaticFile((self._write() + "\n").encode(), _MEDIA)
