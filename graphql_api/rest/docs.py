"""`/docs`: Swagger UI from our own files, and the description that it reads."""

from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Final

from starlette.types import Receive, Scope, Send

from graphql_api.auth.facts import Header
from graphql_api.rest.errors import refusal
from graphql_api.rest.openapi import document_bytes
from graphql_api.wire.answer import Answer
from graphql_api.wire.request_id import request_id_of

_MEDIA: Final = {
    "swagger-ui.css": b"text/css; charset=utf-8",
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "favicon-32x32.png": b"image/png",
    "start.js": b"text/javascript; charset=utf-8",
}
_AN_HOUR: Final = b"public, max-age=3600"
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML: Final = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Taskriver REST</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START: Final = b"""SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
"""


class Docs:
    """The ASGI application behind `/docs` and `/openapi.json`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = self._answer(scope)
        with_body = scope["method"] != "HEAD"
        await answer.send(send, request_id=request_id_of(scope["headers"]), with_body=with_body)

    def _answer(self, scope: Scope) -> Answer:
        if scope["method"] not in ("GET", "HEAD"):
            return refusal(405, "Method Not Allowed", (b"allow", b"GET, HEAD"))
        if scope["path"].endswith("/openapi.json"):
            return Answer(200, _document())
        name = scope["path_params"].get("name")
        if name is None:
            return Answer(200, _HTML, b"text/html; charset=utf-8", _headers())
        media = _MEDIA.get(name)
        return refusal(404, "Not Found") if media is None else Answer(200, _asset(name), media, _headers(), _AN_HOUR)


def _headers() -> list[Header]:
    return [(b"content-security-policy", _POLICY), (b"referrer-policy", b"no-referrer")]


@cache
def _document() -> bytes:
    return document_bytes(version("taskriver"))


@cache
def _asset(name: str) -> bytes:
    return _START if name == "start.js" else files(__package__).joinpath("swagger-ui", name).read_bytes()
