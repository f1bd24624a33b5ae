"""Addresses where nothing is: whoever asks there is told what there is."""

from collections.abc import Sequence
from html import escape
from typing import Final

import orjson
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from graphql_api.transports.negotiation import wants_page
from graphql_api.wire.answer import Answer
from graphql_api.wire.denial import deny
from graphql_api.wire.request_id import request_id_of

_STYLE: Final = "body{color-scheme:light dark;font:1.1rem/1.7 system-ui,sans-serif;max-width:40rem;margin:4rem auto}"


class Nowhere:
    """The ASGI application for everything that no route has; at `/` it is what a newcomer sees first."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._pages = _places(routes, Route)
        sockets = " and ".join(_places(routes, WebSocketRoute))
        self._text = f"There are {', '.join(self._pages)}, and the WebSockets {sockets}."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse one socket."""
        if scope["type"] == "websocket":
            await deny(scope, send, 404, f"No socket is here. {self._text}")
            return
        accept = next((value for name, value in scope["headers"] if name == b"accept"), b"").decode("latin-1")
        answer = self._answer(is_root=scope["path"] == "/", as_page=wants_page(accept))
        await answer.send(send, request_id=request_id_of(dict(scope["headers"])), with_body=scope["method"] != "HEAD")

    def _answer(self, *, is_root: bool, as_page: bool) -> Answer:
        status = 200 if is_root else 404
        if as_page:
            return Answer(
                status, self._page("Taskriver" if is_root else "Nothing is here"), b"text/html; charset=utf-8"
            )
        return Answer(status, orjson.dumps({"detail": self._text if is_root else f"Nothing is here. {self._text}"}))

    def _page(self, title: str) -> bytes:
        links = "".join(f'<li><a href="{escape(each)}">{escape(each)}</a></li>' for each in self._pages)
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>There are</p><ul>{links}</ul></body></html>"
        ).encode()


def _places(routes: Sequence[BaseRoute], kind: type[Route] | type[WebSocketRoute]) -> list[str]:
    """The paths of one kind, each once: what has a parameter is a part of something else, but for sockets."""
    paths = [route.path for route in routes if isinstance(route, kind) and not route.path.endswith("/")]
    return [path for path in dict.fromkeys(paths) if kind is WebSocketRoute or "{" not in path]
