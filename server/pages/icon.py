"""The icon of all pages, at `/icon.svg` and at the default path `/favicon.ico`."""

from importlib.resources import files
from typing import Final

from starlette.types import Receive, Scope, Send

from asgi.static_files import ONE_HOUR, StaticFile, serve

_ICON: Final = StaticFile(files(__package__).joinpath("icon.svg").read_bytes(), b"image/svg+xml")


class Icon:
    """The ASGI application for the icon."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await serve(scope, send, lambda request_headers: _ICON.response(request_headers, cache=ONE_HOUR))
