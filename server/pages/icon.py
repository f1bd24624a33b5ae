"""The icon of all pages, at `/icon.svg` and where browsers look for one by themselves: `/favicon.ico`."""

from importlib.resources import files
from typing import Final

from starlette.types import Receive, Scope, Send

from asgi.static_files import AN_HOUR, StaticFile, serve

_ICON: Final = StaticFile(files(__package__).joinpath("icon.svg").read_bytes(), b"image/svg+xml")


class Icon:
    """The ASGI application that serves it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await serve(scope, send, lambda asked: _ICON.answer(asked, cache=AN_HOUR))
